"""Delivery: every place outside gets every checkpoint, in order, though it or another was away for a while."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine import worker
from engine.audit import checkpoint_delivery, checkpoints
from engine.audit.checkpoint_delivery import Delivery
from engine.errors import FileUnreadable
from engine.mail import Mailing


class Outside:
    """Takes mails and posts, or refuses them while `away`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.posts: list[tuple[str, str | None, bytes]] = []
        self.away = False

    def send(self, message: EmailMessage) -> None:
        if self.away:
            raise smtplib.SMTPServerDisconnected("away")
        self.mails.append(message)


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def url(outside: Outside) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not outside.away:
                outside.posts.append((self.path, self.headers["Content-Type"], body))
            self.send_response(503 if outside.away else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/seals?of=mamori"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def delivery(outside: Outside, url: str, tmp_path: Path) -> Delivery:
    settings = {
        "MAMORI_CHECKPOINTS": str(tmp_path / "sealed"),
        "MAMORI_CHECKPOINT_KEY": str(tmp_path / "key.json"),
        "MAMORI_CHECKPOINT_COPY": str(tmp_path / "share" / "copy"),
        "MAMORI_CHECKPOINT_MAIL": "auditor@example.jp",
        "MAMORI_CHECKPOINT_URL": url,
    }
    mailing = Mailing(outside.send, "mamori@example.jp", "https://mamori.example")
    return checkpoint_delivery.from_environment(settings, mailing)


def step(office: Any, delivery: Delivery, minutes: int = 10) -> int:
    office.later(minutes=minutes).start("review", amount=1)
    return delivery.run_due(office.database, at=office.now)


def test_every_place_has_the_very_bytes(office: Any, delivery: Delivery, outside: Outside, tmp_path: Path) -> None:
    assert step(office, delivery) == 1

    content = (tmp_path / "sealed" / "00000001.json").read_bytes()
    assert (tmp_path / "share" / "copy" / "00000001.json").read_bytes() == content
    (message,) = outside.mails
    (attached,) = message.iter_attachments()
    assert (message["To"], attached.get_filename(), attached.get_content()) == (
        "auditor@example.jp",
        "00000001.json",
        content,
    )
    assert outside.posts == [("/seals?of=mamori", "application/json", content)]


def test_who_was_away_gets_all_in_order_later_and_nothing_twice(
    office: Any, delivery: Delivery, outside: Outside, tmp_path: Path
) -> None:
    step(office, delivery)
    outside.away = True
    step(office, delivery)
    step(office, delivery)
    assert len(list((tmp_path / "share" / "copy").iterdir())) == 3
    outside.away = False

    delivery.run_due(office.database, at=office.now + timedelta(minutes=4))
    assert len(outside.posts) == 1
    delivery.run_due(office.database, at=office.now + timedelta(minutes=5))
    delivery.run_due(office.database, at=office.now + timedelta(minutes=30))

    assert [checkpoints.parse(body, "").number for _, _, body in outside.posts] == [1, 2, 3]
    assert [str(mail["Subject"])[-1] for mail in outside.mails] == ["1", "2", "3"]


def test_the_worker_seals_and_delivers_by_itself(office: Any, delivery: Delivery, outside: Outside) -> None:
    office.start("review", amount=1)
    running = worker.Worker(office.database, lambda: office.now, pause=0.01, sealing=delivery)
    running.start()
    for _ in range(500):
        if outside.posts:
            break
        threading.Event().wait(0.01)
    running.stop()

    assert len(outside.posts) == 1


def test_without_a_place_checkpoints_stay_in_their_folder(outside: Outside) -> None:
    assert checkpoint_delivery.from_environment({}, Mailing(outside.send, "", "")).places == {}


@pytest.mark.parametrize("url", ["nonsense", "ftp://x/", "http://", "http://[", "https://x:0/", "https://x:port/"])
def test_a_url_that_is_none_is_refused_at_the_start(outside: Outside, url: str) -> None:
    with pytest.raises(FileUnreadable, match="MAMORI_CHECKPOINT_URL"):
        checkpoint_delivery.from_environment({"MAMORI_CHECKPOINT_URL": url}, Mailing(outside.send, "", ""))
