"""Addresses that a request names and we may send the browser to."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import url_for


def local_address(target: str | None) -> str:
    """`target` if it is a path of this site, else the inbox: nobody is sent to another site by a link to us."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")):
        parts = urlsplit(target)
        if not parts.scheme and not parts.netloc and target.isprintable():
            return target
    return url_for("inbox.show")
