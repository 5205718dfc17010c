"""Filters under a name, for oneself or for everybody."""

from __future__ import annotations

from typing import Any

import pytest

from engine import saved_filters
from engine.errors import FilterInvalid, FilterNotFound


def save(office: Any, name: str, by: str = "anna", view: str = "cases", shared: bool = False, **criteria: str) -> Any:
    with office.database.transaction() as session:
        return saved_filters.save(session, view, name, criteria, owner=office.person(by), shared=shared)


def listed(office: Any, by: str, view: str = "cases") -> list[tuple[str, str, bool]]:
    with office.database.reading() as session:
        found = saved_filters.listing(session, view, office.person(by))
    return [(each.name, each.owner, each.own) for each in found]


def test_a_filter_comes_back_with_its_criteria_in_its_own_list(office: Any) -> None:
    saved = save(office, " 期限切れ  だけ ", overdue="yes", query="鍵")

    with office.database.reading() as session:
        assert saved_filters.listing(session, "cases", office.person("anna")) == (saved,)
    assert (saved.name, saved.criteria) == ("期限切れ だけ", {"overdue": "yes", "query": "鍵"})
    assert listed(office, "anna", view="tasks") == []


def test_the_same_name_again_replaces_the_filter(office: Any) -> None:
    first = save(office, "私の", query="a")
    second = save(office, "私の", shared=True, query="b")
    save(office, "私の", by="ben", query="c")

    assert (second.id, second.criteria, second.shared) == (first.id, {"query": "b"}, True)
    assert listed(office, "anna") == [("私の", "anna", True)]


def test_own_filters_come_first_then_those_that_others_share(office: Any) -> None:
    save(office, "い", by="ben", shared=True)
    save(office, "ろ", by="ben")
    save(office, "は")

    assert listed(office, "anna") == [("は", "anna", True), ("い", "ben", False)]


def test_a_filter_is_deleted_by_its_owner_alone(office: Any) -> None:
    saved = save(office, "みんなの", by="ben", shared=True)

    with pytest.raises(FilterNotFound), office.database.transaction() as session:
        saved_filters.delete(session, saved.id, office.person("anna"))
    assert listed(office, "anna") == [("みんなの", "ben", False)]

    with office.database.transaction() as session:
        saved_filters.delete(session, saved.id, office.person("ben"))
    assert listed(office, "ben") == []


@pytest.mark.parametrize(("name", "query"), [(" ", "a"), ("あ" * 61, "a"), ("よい", "あ" * 4_000)])
def test_a_filter_without_name_or_with_too_much_in_it_is_refused(office: Any, name: str, query: str) -> None:
    with pytest.raises(FilterInvalid):
        save(office, name, query=query)

    assert listed(office, "anna") == []
