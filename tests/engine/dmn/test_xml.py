"""The XML reader takes nothing from outside the document."""

import pytest

from engine import dmn


def test_a_document_is_read_without_its_comments() -> None:
    root = dmn.parse_xml(b"<a><!-- no --><b>x<!-- no -->y</b></a>")

    assert [child.tag for child in root] == ["b"]
    assert root[0].text == "xy"


@pytest.mark.parametrize(
    "source",
    [
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY x "y">]><a b="&x;"/>',
        b"<!DOCTYPE a><a/>",
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
        b"<a>",
        b"",
        b"\x00\xff",
        b"not xml",
        b"<a>" * 5000 + b"</a>" * 5000,
    ],
)
def test_a_doctype_and_what_is_not_xml_are_refused(source: bytes) -> None:
    with pytest.raises(dmn.XmlRefused):
        dmn.parse_xml(source)


def test_entities_cannot_blow_a_document_up() -> None:
    doubled = "".join(f'<!ENTITY e{n} "&e{n - 1};&e{n - 1};">' for n in range(1, 40))
    source = f'<!DOCTYPE a [<!ENTITY e0 "lol">{doubled}]><a b="&e39;">&e39;</a>'.encode()

    with pytest.raises(dmn.XmlRefused):
        dmn.parse_xml(source)


def test_a_document_over_the_limit_is_refused() -> None:
    with pytest.raises(dmn.XmlRefused, match="上限は 10 バイト"):
        dmn.parse_xml(b"<a>0123456789</a>", limit=10)
