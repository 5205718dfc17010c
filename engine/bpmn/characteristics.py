"""Loop characteristics in XML → loops."""

from __future__ import annotations

from lxml import etree

from engine.bpmn.expressions import Expression
from engine.bpmn.loops import MultiInstance, StandardLoop
from engine.bpmn.triggers import ProcessFile
from engine.bpmn.zeebe import BPMN, extension, local


def read_multi_instance(file: ProcessFile, node: etree._Element, loop: etree._Element) -> MultiInstance | None:
    details = extension(loop, "loopCharacteristics")
    if details is None or not details.get("inputCollection"):
        file.tell(node, "複数インスタンスには、入力のコレクション(inputCollection)が要ります。")
        return None
    _check_parts(file, node, loop, "completionCondition")
    if bool(details.get("outputCollection")) != bool(details.get("outputElement")):
        file.tell(node, "outputCollection と outputElement は、両方を指定してください。")
    if loop.get("behavior", "All") != "All":
        file.tell(node, "複数インスタンスの behavior は、このエンジンでは実行できません。")
    return MultiInstance(
        sequential=loop.get("isSequential") == "true",
        collection=file.expression(node, details.get("inputCollection")),
        element=details.get("inputElement"),
        output_collection=details.get("outputCollection"),
        output_element=file.optional(node, details.get("outputElement")),
        completion=_condition(file, node, loop, "completionCondition"),
    )


def read_standard_loop(file: ProcessFile, node: etree._Element, loop: etree._Element) -> StandardLoop:
    _check_parts(file, node, loop, "loopCondition")
    condition = _condition(file, node, loop, "loopCondition")
    maximum = loop.get("loopMaximum")
    counts = maximum is not None and maximum.isdecimal() and int(maximum) > 0
    if maximum is not None and not counts:
        file.tell(node, f"繰返しの上限(loopMaximum)「{maximum}」が 1 以上の整数ではありません。")
    if condition is None and maximum is None:
        file.tell(node, "繰返しには、条件(loopCondition)か上限(loopMaximum)が要ります。")
    return StandardLoop(
        test_before=loop.get("testBefore") in ("true", "1"),
        maximum=int(maximum) if maximum is not None and counts else None,
        condition=condition,
    )


def _condition(file: ProcessFile, node: etree._Element, loop: etree._Element, tag: str) -> Expression | None:
    text = loop.findtext(f"{BPMN}{tag}", "")
    return file.condition(node, text) if text.strip() else None


def _check_parts(file: ProcessFile, node: etree._Element, loop: etree._Element, known: str) -> None:
    for child in loop.iterchildren(f"{BPMN}*"):
        if local(child) not in ("documentation", "extensionElements", known):
            file.tell(node, f"{local(loop)} の {local(child)} は、このエンジンでは実行できません。")
