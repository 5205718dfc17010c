"""Finding work and cases: search, filters that can be kept and shared, counts; nothing that one may not read."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from freezegun.api import FrozenDateTimeFactory

from engine import cases as engine_cases
from tests.webapp.conftest import APPLICATION, NOW, Page, People
from webapp import cases, inbox

OTHER = {**APPLICATION, "item": "つくえ", "kind": "repair", "reason": "天板に傷がある"}


@pytest.fixture
def two(signed_in: People, applied: str) -> tuple[str, str]:
    """Two cases: a chair to buy, and a desk to mend."""
    clerk = signed_in("clerk1")
    asking = clerk.press(clerk.open("/"), "申込みを始める")
    assert clerk.press(asking, "この内容で終える", OTHER).status == 200
    return applied, "2026-0002"


def found(page: Page) -> list[str]:
    return [title.removeprefix("事案 ") for title in page.tasks]


@pytest.mark.parametrize(
    ("criteria", "cases"),
    [
        ({}, ["2026-0002", "2026-0001"]),
        ({"q": "0001"}, ["2026-0001"]),
        ({"q": "天板"}, ["2026-0002"]),
        ({"q": "つくえ 傷"}, ["2026-0002"]),
        ({"q": "つくえ 座面"}, []),
        ({"q": "直す"}, ["2026-0002"]),
        ({"q": "100%"}, []),
        ({"state": "running"}, ["2026-0002", "2026-0001"]),
        ({"state": "closed"}, []),
        ({"overdue": "yes"}, []),
        ({"fact.application.kind": "new"}, ["2026-0001"]),
        ({"fact.application.kind": "new", "q": "つくえ"}, []),
    ],
)
def test_cases_are_found_by_number_words_state_and_facts(
    signed_in: People, two: tuple[str, str], criteria: dict[str, str], cases: list[str]
) -> None:
    page = signed_in("chief1").open(f"/cases?{urlencode(criteria)}")

    assert found(page) == cases
    assert f"{len(cases)}件" in page.text


def test_the_list_is_turned_page_by_page_and_back(
    signed_in: People, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "PAGE", 1)
    chief = signed_in("chief1")

    first = chief.open("/cases?state=running")
    second = chief.open(first.links()["前の事案"])
    back = chief.open(second.links()["新しい事案"])

    assert (found(first), found(second), found(back)) == (["2026-0002"], ["2026-0001"], ["2026-0002"])
    assert "前の事案" not in second.links()
    assert "新しい事案" not in first.links().keys() | back.links().keys()
    assert second.control("state").value == "running"


def test_very_many_cases_are_told_as_that_many_or_more(
    signed_in: People, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chief = signed_in("chief1")
    assert "2件" in chief.open("/cases").text
    monkeypatch.setattr(engine_cases, "COUNTED", 1)

    page = chief.open("/cases")

    assert found(page) == ["2026-0002", "2026-0001"]
    assert "1件以上" in page.text
    assert "進行中 1以上" in page.text
    assert "(1)" not in page.text


def test_what_was_searched_for_stands_in_the_form_again(signed_in: People, two: tuple[str, str]) -> None:
    page = signed_in("chief1").open("/cases?q=つくえ&state=running&fact.application.kind=repair")

    assert page.control("q").get("value") == "つくえ"
    assert page.control("state").value == "running"
    assert page.control("fact.application.kind").value == "repair"


@pytest.mark.parametrize("criteria", [{"q": "天板"}, {"fact.application.kind": "repair"}, {"q": "2026"}])
def test_who_may_not_read_a_case_neither_finds_nor_counts_it(
    signed_in: People, applied: str, criteria: dict[str, str]
) -> None:
    page = signed_in("adviser2").open(f"/cases?{urlencode(criteria)}")

    assert found(page) == []
    assert "0件" in page.text
    assert "(1)" not in page.text


def test_health_can_be_searched_for_by_those_only_who_may_read_it(signed_in: People, applied: str) -> None:
    chief, nurse = (signed_in(name).open("/cases?fact.application.condition=well") for name in ("chief1", "nurse1"))

    assert not chief.named("fact.application.condition")
    assert found(chief) == [applied]  # a criterion that does not exist for them
    assert found(nurse) == []
    assert found(signed_in("chief1").open("/cases?q=腰が痛い")) == []


def test_who_must_not_read_names_finds_no_case_by_one(signed_in: People, applied: str) -> None:
    auditor = signed_in("auditor1")

    assert found(auditor.open("/cases?fact.application.item=つくえ")) == [applied]
    assert found(auditor.open("/cases?q=つくえ")) == found(auditor.open("/cases?q=座面"))
    assert found(auditor.open("/cases?q=2026-0009")) == []


def test_a_filter_is_kept_shared_and_taken_away_by_its_owner(signed_in: People, two: tuple[str, str]) -> None:
    chief, nurse = signed_in("chief1"), signed_in("nurse1")
    page = chief.open("/cases?q=つくえ&fact.application.kind=repair")

    saved = chief.press(page, "保存する", {"name": "直すつくえ", "shared": "yes"})

    assert found(saved) == ["2026-0002"]
    chosen = nurse.open(next(link for text, link in nurse.open("/cases").links().items() if "直すつくえ" in text))
    assert found(chosen) == ["2026-0002"]
    assert "消す 直すつくえ" not in chosen.buttons()
    assert "直すつくえ" not in chief.press(chief.open("/cases"), "消す 直すつくえ").links()


def test_a_filter_of_ones_own_is_seen_by_nobody_else(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")

    chief.press(chief.open("/cases?q=いす"), "保存する", {"name": "いす"})

    assert "いす" in chief.open("/cases").links()
    assert "いす" not in signed_in("nurse1").open("/cases").links()


@pytest.mark.parametrize("name", ["_scheme", "endpoint", "_external", "page", "unknown"])
def test_a_filter_keeps_nothing_but_criteria(signed_in: People, applied: str, name: str) -> None:
    chief = signed_in("chief1")
    page = chief.open("/cases?q=いす")

    saved = chief.press(page, "保存する", {"name": "x", "shared": "yes", name: "javascript"})

    assert saved.status == 200
    assert "javascript" not in str(saved.links())
    assert chief.open(f"/cases?{name}=1").status == 200
    assert chief.open(f"/?{name}=1").status == 200


def test_a_filter_without_a_name_is_refused(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")

    assert chief.press(chief.open("/cases?q=いす"), "保存する", {"name": " "}).status == 422


def test_the_inbox_counts_what_is_mine_open_and_overdue(
    signed_in: People, two: tuple[str, str], clock: FrozenDateTimeFactory
) -> None:
    chief = signed_in("chief1")
    chief.press(chief.open("/"), "引き受ける")
    clock.move_to(NOW + timedelta(days=3))

    page = chief.open("/")

    counts = {
        box.text_content().split()[0]: box.findtext(".//strong")
        for box in page.document.xpath("//ul[@class='counts']/li")
    }
    assert counts == {"あなたの担当": "1", "引き受けを待っている工程": "1", "いますぐ・期限超過": "2"}


@pytest.mark.parametrize(
    ("criteria", "numbers"),
    [
        ({"q": "つくえ"}, ["2026-0002"]),
        ({"q": "2026-0001"}, ["2026-0001"]),
        ({"due": "overdue"}, []),
        ({"due": "today"}, []),
        ({"due": "week"}, ["2026-0001", "2026-0002"]),
    ],
)
def test_the_inbox_can_be_narrowed_down(
    signed_in: People, two: tuple[str, str], criteria: dict[str, str], numbers: list[str]
) -> None:
    page = signed_in("chief1").open(f"/?{urlencode(criteria)}")

    cards = page.document.xpath("//ul[@class='cards']/li")
    assert [
        number for number in ("2026-0001", "2026-0002") if any(number in card.text_content() for card in cards)
    ] == numbers


def test_each_step_and_case_can_be_reached_by_keys(signed_in: People, applied: str) -> None:
    chief = signed_in("chief1")

    inbox, cases = chief.open("/"), chief.open("/cases")

    for page in (inbox, cases):
        items = page.document.xpath("//*[@data-item]")
        assert items
        assert all(item.xpath(".//a[@href]") for item in items)
    assert inbox.document.xpath("//*[@data-item]//button[@data-item-key='c']/text()")[0] == "引き受ける"
    keys = {each.get("data-key"): each.get("href") for each in inbox.document.xpath("//*[@data-key]")}
    assert keys.items() >= {("e", "/emergency"), ("g i", "/"), ("g c", "/cases")}
    assert cases.control("q").get("data-key") == "/"


def test_an_inbox_that_is_too_long_says_so_and_shows_what_is_due_first(
    signed_in: People, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = signed_in("chief1").open("/")
    monkeypatch.setattr(inbox, "LIMIT", 1)

    short = signed_in("chief1").open("/")

    assert (len(whole.tasks), len(short.tasks)) == (2, 1)
    assert whole.tasks[0] == short.tasks[0]
    assert "期限の早い1件を表示しています" in short.text
    assert "件を表示しています" not in whole.text
