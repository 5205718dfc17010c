"""Steps through BPMN XML in the Camunda 8 dialect: local names and Zeebe extension elements."""

from __future__ import annotations

from typing import Any

from lxml import etree

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
CAMUNDA_7 = "{http://camunda.org/schema/1.0/bpmn}"


def local(node: etree._Element) -> str:
    return etree.QName(node).localname


def extensions(node: etree._Element) -> list[etree._Element]:
    holder = node.find(f"{BPMN}extensionElements")
    return [] if holder is None else list(holder.iterchildren(etree.Element))


def extension(node: etree._Element, name: str) -> etree._Element | None:
    return next((found for found in extensions(node) if found.tag == f"{ZEEBE}{name}"), None)


def named(node: etree._Element, holder: str, item: str, key: str) -> dict[str, str]:
    found = extension(node, holder)
    items: Any = () if found is None else found.iterchildren(f"{ZEEBE}{item}")
    return {entry.get(key, ""): entry.get("value", "") for entry in items}


def properties(node: etree._Element) -> dict[str, str]:
    return named(node, "properties", "property", "name")


def headers(node: etree._Element) -> dict[str, str]:
    return named(node, "taskHeaders", "header", "key")


def link(node: etree._Element) -> str | None:
    definition = node.find(f"{BPMN}linkEventDefinition")
    return None if definition is None else definition.get("name", "")
