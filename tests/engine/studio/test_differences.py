"""Differences in words; a change of places alone is proved by the digest of execution."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from engine import deployments
from engine.studio import differences
from engine.studio.differences import FileDifference

HERE = "harassment-response/"


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return deployments.read_folder(*deployments.BUNDLED)


def one(files: dict[str, bytes], name: str, content: bytes) -> FileDifference:
    (found,) = differences.between(files, {**files, name: content})
    return found


def told(found: FileDifference) -> list[tuple[str, str]]:
    return [(each.kind, each.text) for each in found.differences]


def replaced(files: dict[str, bytes], name: str, old: str, new: str, times: int = 1) -> bytes:
    assert files[name].count(old.encode()) >= times
    return files[name].replace(old.encode(), new.encode(), times)


def test_the_same_files_differ_in_nothing(files: dict[str, bytes]) -> None:
    assert differences.between(files, dict(files)) == ()


def test_a_moved_shape_is_told_as_moved_and_the_digest_proves_it(files: dict[str, bytes]) -> None:
    name = HERE + "external_response.bpmn"
    root = etree.fromstring(files[name])
    bounds = root.find(".//{*}BPMNShape[@bpmnElement='answer_complaint']/{*}Bounds")
    bounds.set("x", str(float(bounds.get("x")) + 40))

    found = one(files, name, etree.tostring(root))

    assert found.kind == "moved"
    assert found.executes_alike
    assert [(each.kind, each.element) for each in found.differences] == [("moved", "answer_complaint")]


def test_a_change_that_is_executed_never_passes_for_a_move(files: dict[str, bytes]) -> None:
    name = HERE + "external_response.bpmn"
    root = etree.fromstring(files[name])
    bounds = root.find(".//{*}BPMNShape[@bpmnElement='answer_complaint']/{*}Bounds")
    bounds.set("x", str(float(bounds.get("x")) + 40))
    root.find(".//*[@id='answer_complaint']").set("name", "苦情に答える")

    found = one(files, name, etree.tostring(root))

    assert (found.kind, found.executes_alike) == ("changed", False)
    assert {each.kind for each in found.differences} == {"changed", "moved"}


def test_a_re_indented_file_changes_nothing_that_is_executed(files: dict[str, bytes]) -> None:
    name = HERE + "deadlines.dmn"
    root = etree.fromstring(files[name])
    etree.indent(root, "\t")

    found = one(files, name, etree.tostring(root))

    assert (found.kind, told(found)) == ("moved", [("moved", "書き方だけの変更です(空白や並べ方など)。")])


def test_a_group_a_form_and_a_flow_are_told_in_words(files: dict[str, bytes]) -> None:
    name = "request.bpmn"
    own = deployments.read_folder(Path(__file__).parents[2] / "webapp" / "bundle")
    content = own[name].replace(b'candidateGroups="clerk, chief"', b'candidateGroups="chief"', 1)
    content = content.replace(b'review.result = "ok"', b'review.result != "again"', 1)
    content = content.replace(b'<bpmn:endEvent id="refused">', b'<bpmn:endEvent id="refused" name="x">')

    assert told(one(own, name, content)) == [
        ("changed", "人の作業「申込みを確かめる」の担当する役割を 「clerk, chief」 から 「chief」 に変えます。"),
        ("changed", 'フロー「よい」の条件を 「=review.result = "ok"」 から 「=review.result != "again"」 に変えます。'),
        ("changed", "終了イベント「refused」の名前を なし から 「x」 に変えます。"),
    ]


def test_added_and_removed_elements_are_told_by_name(files: dict[str, bytes]) -> None:
    name = "request.bpmn"
    own = deployments.read_folder(Path(__file__).parents[2] / "webapp" / "bundle")
    root = etree.fromstring(own[name])
    for id_ in ("hurried", "to_hurried"):
        gone = root.find(f".//*[@id='{id_}']")
        gone.getparent().remove(gone)
    process = root.find(".//{*}process")
    etree.SubElement(process, process.tag.replace("process", "endEvent"), id="new_end", name="おわり")

    found = told(one(own, name, etree.tostring(root)))

    assert ("added", "終了イベント「おわり」を加えます。") in found
    assert ("removed", "フロー「急ぎの連絡をする → hurried」を取り除きます。") in found
    assert ("removed", "終了イベント「hurried」を取り除きます。") in found


def test_a_cell_is_told_with_its_rule_and_column(files: dict[str, bytes]) -> None:
    name = HERE + "deadlines.dmn"
    root = etree.fromstring(files[name])
    table = root.find(".//{*}decision[@id='DT_07_limit']/{*}decisionTable")
    rules = table.findall("{*}rule")
    number = next(n for n, rule in enumerate(rules, 1) if rule.get("id") == "DT_07_limit_r17")
    cell = next(e for e in rules[number - 1].iter("{*}text") if e.text == "3")
    column = [e for e in rules[number - 1] if e.tag.endswith("Entry")].index(cell.getparent()) + 1
    cell.text = "2"

    (found,) = one(files, name, etree.tostring(root)).differences

    assert (found.kind, found.element, found.rule, found.column) == ("changed", "DT_07_limit", number, column)
    assert "「3」 から 「2」 に変えます。" in found.text
    assert f"{number} 行目" in found.text


def test_added_and_removed_rules_are_told_with_their_conditions(files: dict[str, bytes]) -> None:
    name = HERE + "measures.dmn"
    root = etree.fromstring(files[name])
    table = root.find(".//{*}decision[@id='DT_05_measures']/{*}decisionTable")
    first = table.find("{*}rule")
    added = etree.fromstring(etree.tostring(first))
    added.set("id", "new_rule")
    table.append(added)
    table.remove(first)

    found = one(files, name, etree.tostring(root)).differences

    assert [each.kind for each in found] == ["added", "removed"]
    assert "新しい規則を加えます" in found[0].text
    assert found[0].rule == len(table.findall("{*}rule"))


def test_a_field_is_told_by_its_label(files: dict[str, bytes]) -> None:
    name = "determination_form.form"
    form = json.loads(files[name])
    more = {"conditional": {"hide": '=determination = "pending"'}, "validate": {"required": True}}
    form["components"].append(
        {"type": "textfield", "id": "n", "key": "note_to_head", "label": "責任者への申し送り"} | more
    )
    form["components"][1]["components"][0]["label"] = "お客さまの行為か"

    assert told(one(files, name, json.dumps(form).encode())) == [
        (
            "changed",
            "項目「顧客等の行為か」の見出しを 「顧客等の行為か」 から 「お客さまの行為か」 に変えます。",
        ),
        (
            "added",
            "項目「責任者への申し送り」を加えます(項目名: note_to_head、種類: textfield、"
            '隠す条件: =determination = "pending"、必須: はい)。',
        ),
    ]


def test_a_task_that_is_new_is_told_with_its_form_its_people_and_its_deadline(files: dict[str, bytes]) -> None:
    name = HERE + "legit_complaint.bpmn"
    task = (
        '<bpmn:userTask id="new" name="周知"><bpmn:extensionElements><zeebe:userTask/>'
        '<zeebe:formDefinition formId="handover"/><zeebe:assignmentDefinition candidateGroups="desk"/>'
        '<zeebe:properties><zeebe:property name="dueEvent" value="notice_issue"/></zeebe:properties>'
        "</bpmn:extensionElements></bpmn:userTask></bpmn:process>"
    )

    found = one(files, name, replaced(files, name, "</bpmn:process>", task))

    assert told(found) == [
        ("added", "人の作業「周知」を加えます(フォーム: handover、担当する役割: desk、期限: notice_issue)。")
    ]


def test_other_files_are_told_line_by_line_and_new_ones_as_new(files: dict[str, bytes]) -> None:
    name = HERE + "bundle.yaml"
    content = replaced(files, name, "label: 相談窓口", "label: なんでも相談窓口")

    assert [kind for kind, _ in told(one(files, name, content))] == ["changed"]
    assert told(one(files, "new.txt", b"x")) == [("added", "新しいファイルです。")]


def test_what_cannot_be_read_is_still_compared(files: dict[str, bytes]) -> None:
    assert one(files, HERE + "care.dmn", b"<broken").kind == "changed"
    assert one(files, "closure.form", b"[]").kind == "changed"
    assert told(one(files, "closure.form", b"\xff\xfe")) == [("changed", "中身を置き換えます。")]
