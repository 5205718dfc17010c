"""`bundle.yaml`: read whole, or the first place that is wrong."""

from __future__ import annotations

import pytest

from engine import catalogue, feel
from engine.errors import FileUnreadable


def test_the_whole_file_becomes_one_value() -> None:
    found = catalogue.read(
        """
title: 役所
starts: [{id: a, label: 始める, process: p, variables: {x: yes, day: 2026-11-24, n: 3, on: true}, groups: [g]}]
messages: [{name: m, label: 送る, groups: everyone, help: いつでも}]
groups: {g: {label: 係, cases: all, read_only: true, masked: true}}
visibility: {health: [g]}
people: [{name: p1, label: 一郎, groups: [g]}]
labels: [{name: way, label: 方法, values: &ways {a: 甲, b: 乙}}, {name: other_way, label: 別の方法, values: *ways}]
""".encode()
    )

    (start,) = found.starts
    assert start.variables == {"x": "yes", "day": "2026-11-24", "n": feel.from_python(3), "on": True}
    assert found.messages == (catalogue.MessageOffer("m", "送る", ("everyone",), "いつでも"),)
    assert found.groups == (catalogue.Group("g", "係", "all", True, True),)
    assert found.visibility == {"health": ("g",)}
    assert found.labels == (
        catalogue.Label("way", "方法", {"a": "甲", "b": "乙"}),
        catalogue.Label("other_way", "別の方法", {"a": "甲", "b": "乙"}),
    )
    assert found.people == (catalogue.Account("p1", "一郎", ("g",)),)


def test_an_empty_file_is_an_empty_catalogue() -> None:
    assert catalogue.read(b"") == catalogue.Catalogue()


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("starts: {}\nfolks: []", "folks"),
        ("starts: [{id: a, label: A, process: p, groups: [g], icon: x}]", r"starts\[0\].icon"),
        ("starts: [{id: 1, label: A, process: p}]", r"starts\[0\].id"),
        ("starts: [a]", r"starts\[0\]"),
        ("messages: 3", "messages"),
        ("groups: {g: {label: G, cases: some}}", "groups.g.cases"),
        ("groups: {g: {label: G, read_only: yes}}", "groups.g.read_only"),
        ("visibility: {health: [1]}", "visibility.health"),
        ("labels: [{name: a, label: A, values: {x: 1}}]", r"labels\[0\].values.x"),
        ("labels: [{name: a}]", r"labels\[0\].label"),
        ("labels: [{name: a, label: A, group: x}]", r"labels\[0\].group"),
        ("- a\n- b", "bundle.yaml"),
        ("title: a\ntitle: b", "2 行目"),
        ("a: [", "YAML"),
        ("a: !!python/object/apply:os.system [true]", "bundle.yaml"),
        ("a: &a [*a, *a]", "bundle.yaml"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(source: str, place: str) -> None:
    with pytest.raises(FileUnreadable, match=place):
        catalogue.read(source.encode())


def test_a_file_that_is_too_big_or_no_text_is_refused() -> None:
    with pytest.raises(FileUnreadable, match="大きすぎ"):
        catalogue.load_yaml(b"a" * (catalogue.MAX_BYTES + 1), "big.yaml")
    with pytest.raises(FileUnreadable):
        catalogue.load_yaml(b"\xff\xfe\x00", "bytes.yaml")
