"""One POST to a server outside: an address that is safe to call, a bounded wait, and no redirect followed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

SECONDS = 10
"""How long the server may take for each part of an answer."""
LONGEST = 30
"""Seconds that it may take for all of it: a trickle of bytes must not hold the caller."""
MOST = 64 * 1024
"""Bytes of an answer that are read."""

AWAY = (OSError, HTTPException)
"""What `post` raises for a server that did not answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`content` is None where it is longer than MOST, or broke off."""

    status: int
    content: bytes | None

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


def parts(url: str) -> SplitResult:
    """The parts of an http or https address without name and password; raises ValueError for anything else."""
    found = urlsplit(url)
    plain = url.isascii() and url.isprintable() and " " not in url
    if (
        not plain
        or found.scheme not in ("http", "https")
        or not found.hostname
        or found.port == 0
        or "@" in found.netloc
    ):
        raise ValueError(url)
    return found


def post(to: SplitResult, body: bytes, headers: Mapping[str, str]) -> Answer:
    """The server's answer to the POST, whatever it is; raises what AWAY names."""
    kind = HTTPSConnection if to.scheme == "https" else HTTPConnection
    connection = kind(to.hostname or "", to.port, timeout=SECONDS)
    limit = threading.Timer(LONGEST, _cut, (connection,))
    limit.daemon = True
    limit.start()
    try:
        target = (to.path or "/") + (f"?{to.query}" if to.query else "")
        connection.request("POST", target, body, dict(headers))
        answer = connection.getresponse()
        return Answer(answer.status, _content(answer))
    finally:
        limit.cancel()
        connection.close()


def _content(answer: HTTPResponse) -> bytes | None:
    """All of it; what breaks off does not undo that the server has answered."""
    try:
        content = answer.read(MOST + 1)
    except AWAY:
        return None
    return content if len(content) <= MOST and not answer.length else None


def _cut(connection: HTTPConnection) -> None:
    """Whoever waits for the server waits no longer."""
    if connection.sock is not None:
        connection.sock.shutdown(socket.SHUT_RDWR)
