"""What changed in a decision table, rule by rule and cell by cell."""

from __future__ import annotations

from engine.studio import marked_tables
from engine.studio.marked_tables import MarkedRow

HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="http://example.org/d">'


def table(*rules: tuple[str, ...], inputs: tuple[str, ...] = ("kind", "age")) -> bytes:
    """A file with one table; a rule is its id, its conditions, and its result at the end."""
    columns = "".join(
        f"<input label='{name}'><inputExpression><text>{name}</text></inputExpression></input>" for name in inputs
    )
    rows = "".join(
        f"<rule id='{id_}'>"
        + "".join(f"<inputEntry><text>{cell}</text></inputEntry>" for cell in conditions)
        + f"<outputEntry><text>{result}</text></outputEntry></rule>"
        for id_, *conditions, result in rules
    )
    body = f"<decisionTable>{columns}<output name='price'/>{rows}</decisionTable>"
    return f"{HEAD}<decision id='price' name='Price'>{body}</decision></definitions>".encode()


def told(rows: tuple[MarkedRow, ...]) -> list[tuple[int, str, str, dict[int, str]]]:
    return [(each.row.index, each.row.id, each.kind, dict(each.before)) for each in rows]


RULES = (
    ("a", "1", "2", "10"),
    ("b", "3", "4", "20"),
    ("c", "5", "6", "30"),
    ("d", "7", "8", "40"),
    ("e", "-", "-", "50"),
)


def test_rules_that_were_added_taken_out_and_changed_stand_where_they_are_or_were() -> None:
    new = table(RULES[0], ("b", "3", "44", "20"), RULES[3], ("new", "9", "9", "45"), RULES[4])

    (found,) = marked_tables.between(table(*RULES), new)

    assert told(found.rows) == [
        (1, "a", "", {}),
        (2, "b", "changed", {2: "4"}),
        (3, "c", "removed", {}),
        (3, "d", "", {}),
        (4, "new", "added", {}),
        (5, "e", "", {}),
    ]
    assert found.rows[2].row.conditions == ("5", "6")


def test_only_what_changed_and_its_neighbours_are_shown() -> None:
    (found,) = marked_tables.between(table(*RULES), table(*RULES[:4], ("e", "-", "-", "51")))

    assert told(found.shown) == [(4, "d", "", {}), (5, "e", "changed", {3: "50"})]


def test_the_first_rule_may_be_the_one_that_was_taken_out() -> None:
    (found,) = marked_tables.between(table(*RULES[:2]), table(RULES[1]))

    assert told(found.rows) == [(1, "a", "removed", {}), (1, "b", "", {})]


def test_with_a_new_column_in_front_the_old_cells_are_no_changes() -> None:
    new = table(("a", "0", "1", "2", "11"), ("b", "0", "3", "4", "20"), inputs=("place", "kind", "age"))

    (found,) = marked_tables.between(table(*RULES[:3]), new)

    assert told(found.rows) == [(1, "a", "changed", {4: "10"}), (2, "b", "", {}), (3, "c", "removed", {})]
    assert found.rows[2].row.conditions == ("", "5", "6")


def test_white_space_and_order_are_no_marks_and_a_table_without_marks_is_left_out() -> None:
    assert marked_tables.between(table(*RULES), table(*RULES[::-1])) == ()
    assert marked_tables.between(table(RULES[0]), table(("a", " 1 ", "2", "10"))) == ()


def test_a_rule_that_is_not_written_to_its_end_and_a_file_that_is_no_table_break_nothing() -> None:
    (found,) = marked_tables.between(table(*RULES[:2]), table(("a", "1", "10"), RULES[1]))

    assert told(found.rows)[0] == (1, "a", "changed", {2: "2"})
    assert marked_tables.between(table(*RULES), b"no table") == ()
