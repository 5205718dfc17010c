"""Mail: who is told of what, once, with nothing but a number and a link, and what happens when the server is away."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from engine import comments, mail, notices, worker
from engine.errors import AddressInvalid, FileUnreadable, PersonNotFound
from engine.mail import Mailing, Mode

BASE = "https://mamori.example"


class Post:
    """Takes mails, or refuses them while `away`."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.asked = 0
        self.away = False

    def __call__(self, message: EmailMessage) -> None:
        self.asked += 1
        if self.away:
            raise smtplib.SMTPServerDisconnected("away")
        self.taken.append(message)


@pytest.fixture
def post() -> Post:
    return Post()


def wants(office: Any, name: str, mode: Mode = "at_once", address: str | None = None) -> None:
    with office.database.transaction() as session:
        mail.set_setting(session, name, f"{name}@example.jp" if address is None else address, mode, at=office.now)


def deliver(office: Any, post: Post) -> list[tuple[str, list[str]]]:
    """What this round brought: to whom, and the links."""
    before = len(post.taken)
    mail.run_due(office.database, Mailing(post, "mamori@example.jp", BASE), at=office.now)
    return [
        (str(message["To"]), [line for line in message.get_content().splitlines() if line.startswith(BASE)])
        for message in post.taken[before:]
    ]


def task_link(office: Any, element: str) -> str:
    return f"{BASE}/tasks/{office.task(element).id}"


def test_new_work_of_ones_groups_is_told_at_once_and_once(office: Any, post: Post) -> None:
    wants(office, "anna")
    office.start("review", amount=1)

    assert deliver(office, post) == [("anna@example.jp", [task_link(office, "RV_01_review")])]
    assert deliver(office.later(minutes=1), post) == []
    assert deliver(office.later(days=1), post) == []


def test_a_mail_says_nothing_but_number_and_link(office: Any, post: Post) -> None:
    wants(office, "anna")
    office.start("answer")
    with office.database.transaction() as session:
        comments.write(session, office.case, "@anna ひみつの話", actor=office.person("carla"), at=office.now)

    deliver(office, post)

    (message,) = post.taken
    assert message["From"] == "mamori@example.jp"
    assert message["Subject"] == "[Mamori] お知らせ 2 件"
    assert message.get_content().splitlines() == [
        "新しい作業があります / New work",
        office.case,
        task_link(office, "AN_01_answer"),
        "",
        "コメントで声がかかっています / You are mentioned",
        office.case,
        f"{BASE}/cases/{office.case}",
    ]


def test_overdue_work_is_told_once_more(office: Any, post: Post) -> None:
    wants(office, "anna")
    office.start("answer")
    deliver(office, post)

    office.later(days=2).run_jobs()

    assert deliver(office, post) == [("anna@example.jp", [task_link(office, "AN_01_answer")])]
    assert "期限を過ぎた" in post.taken[-1].get_content()
    assert deliver(office.later(days=1), post) == []


def test_work_that_is_already_late_is_told_as_late_alone(office: Any, post: Post) -> None:
    office.start("answer").later(days=2)
    wants(office, "anna")

    assert deliver(office, post) == [("anna@example.jp", [task_link(office, "AN_01_answer")])]
    assert deliver(office.later(hours=1), post) == []


def test_work_that_was_done_or_claimed_by_another_before_the_mail_is_not_told(office: Any, post: Post) -> None:
    wants(office, "anna")
    office.start("review", amount=1)
    office.complete("RV_01_review", by="ben", verdict="good")
    office.start("answer").claim("AN_01_answer", by="ben")

    links = [link for _, found in deliver(office, post) for link in found]

    assert task_link(office, "AN_01_answer") not in links
    assert len(links) == 1  # the second look, which anna may do


def test_a_notice_that_was_read_on_the_page_is_not_told(office: Any, post: Post) -> None:
    wants(office, "dora")
    with office.database.transaction() as session:
        notices.write(session, "知らせ", groups=(), users=["dora"], at=office.now, business_key="2026-0007")
        notices.write(session, "もうひとつ", groups=(), users=["dora"], at=office.now)
    with office.database.transaction() as session:
        notices.read(session, notices.unread(session, "dora")[0].id, "dora", at=office.now)

    assert deliver(office, post) == [("dora@example.jp", [f"{BASE}/cases/2026-0007"])]


def test_the_digest_goes_out_in_the_morning_with_everything_in_it(office: Any, post: Post) -> None:
    wants(office, "anna", "daily")
    office.start("review", amount=1)
    first = task_link(office, "RV_01_review")
    assert deliver(office, post) == []

    office.later(hours=5).start("answer")
    office.now = datetime.fromisoformat("2026-11-25T07:59:00+09:00")
    assert deliver(office, post) == []
    office.later(minutes=1)
    assert deliver(office, post) == [("anna@example.jp", [task_link(office, "AN_01_answer"), first])]
    assert deliver(office.later(hours=23), post) == []


@pytest.mark.parametrize(("mode", "address"), [("none", "anna@example.jp"), ("at_once", "")])
def test_who_wants_no_mail_gets_none(office: Any, post: Post, mode: Mode, address: str) -> None:
    wants(office, "anna", mode, address)
    wants(office, "ben")
    office.start("review", amount=1)

    assert [to for to, _ in deliver(office, post)] == ["ben@example.jp"]


def test_before_anybody_chose_nobody_gets_mail(office: Any, post: Post) -> None:
    office.start("review", amount=1)

    assert deliver(office, post) == []
    with office.database.reading() as session:
        assert mail.setting(session, "anna") == mail.Setting("", "none")


def test_a_server_that_is_away_is_asked_again_later_and_nothing_is_lost(office: Any, post: Post) -> None:
    wants(office, "anna")
    wants(office, "ben")
    office.start("review", amount=1)
    post.away = True

    assert deliver(office, post) == []
    assert post.asked == 1  # the second person waits for the next round
    deliver(office, post)
    assert post.asked == 2
    deliver(office, post)
    assert post.asked == 2  # both wait now
    deliver(office.later(minutes=1), post)
    assert post.asked == 3

    post.away = False
    delivered = deliver(office.later(hours=6), post)
    assert sorted(to for to, _ in delivered) == ["anna@example.jp", "ben@example.jp"]


def test_who_is_at_a_mail_keeps_others_from_it_for_a_while(office: Any) -> None:
    wants(office, "anna")
    office.start("review", amount=1)

    def take(**later: float) -> mail.Letter | None:
        with office.database.transaction() as session:
            return mail.take(session, at=office.now + timedelta(**later))

    assert take() is not None
    assert take() is None
    died = take(minutes=6)
    assert died is not None
    assert len(died.lines) == 1


def test_much_to_tell_goes_into_several_mails(office: Any, post: Post) -> None:
    wants(office, "dora")
    with office.database.transaction() as session:
        for _ in range(mail.MOST + 1):
            notices.write(session, "知らせ", groups=(), users=["dora"], at=office.now)

    assert [len(links) for _, links in deliver(office, post)] == [mail.MOST]
    assert [len(links) for _, links in deliver(office.later(minutes=1), post)] == [1]


@pytest.mark.parametrize(
    "address",
    ["anna", "a@b@c", "anna@example.jp\nBcc: x@y.z", "a b@c.jp", "<a@b.jp>", "あ@example.jp", "@", "a@" + "b" * 300],
)
def test_an_address_that_is_none_is_refused(office: Any, address: str) -> None:
    with pytest.raises(AddressInvalid):
        wants(office, "anna", address=address)


def test_only_a_person_has_a_setting(office: Any) -> None:
    with pytest.raises(PersonNotFound):
        wants(office, "nobody")


def test_a_setting_can_be_changed(office: Any) -> None:
    wants(office, "anna")
    wants(office, "anna", "daily", " a.b+c@mail.example.jp ")

    with office.database.reading() as session:
        assert mail.setting(session, "anna") == mail.Setting("a.b+c@mail.example.jp", "daily")


def test_without_a_server_mails_are_told_to_the_log(office: Any, caplog: pytest.LogCaptureFixture) -> None:
    wants(office, "anna")
    office.start("review", amount=1)

    mail.run_due(office.database, mail.from_environment({"MAMORI_BASE_URL": BASE + "/"}), at=office.now)

    assert "anna@example.jp" in caplog.text
    assert task_link(office, "RV_01_review") in caplog.text


@pytest.mark.parametrize(
    "url", ["mail.example.jp", "http://mail.example.jp", "smtp://", "smtp://h:99999", "smtp://h:x"]
)
def test_a_url_that_names_no_mail_server_is_one_clear_error(url: str) -> None:
    with pytest.raises(FileUnreadable, match="MAMORI_SMTP_URL"):
        mail.from_environment({"MAMORI_SMTP_URL": url})


class Server(threading.Thread):
    """A mail server for one mail, as far as RFC 5321 asks of it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.lines: list[str] = []

    def run(self) -> None:
        connection, _ = self.listening.accept()
        with connection, connection.makefile("rwb") as stream:
            self.tell(stream, "220 here")
            while line := stream.readline().decode().rstrip("\r\n"):
                command = line.lower()
                self.lines.append(command)
                if command == "data":
                    self.tell(stream, "354 go on")
                    while (text := stream.readline().decode().rstrip("\r\n")) != ".":
                        self.lines.append(text)
                self.tell(stream, "221 bye" if command == "quit" else "250 ok")
                if command == "quit":
                    break
        self.listening.close()

    @staticmethod
    def tell(stream: Any, line: str) -> None:
        stream.write(f"{line}\r\n".encode())
        stream.flush()


def test_mails_go_out_by_the_server_of_the_environment(office: Any) -> None:
    server = Server()
    server.start()
    wants(office, "anna")
    office.start("review", amount=1)

    mailing = mail.from_environment({"MAMORI_SMTP_URL": f"smtp://127.0.0.1:{server.port}", "MAMORI_BASE_URL": BASE})
    assert mail.run_due(office.database, mailing, at=office.now) == 1
    server.join(10)

    assert "rcpt to:<anna@example.jp>" in server.lines
    assert any(line.startswith("mail from:<mamori@localhost>") for line in server.lines)


def test_a_mail_server_that_does_not_answer_keeps_no_job_from_its_turn(office: Any) -> None:
    stuck, gone = threading.Event(), threading.Event()

    def wait(_: EmailMessage) -> None:
        stuck.set()
        gone.wait(10)

    wants(office, "anna")
    office.start("review", amount=1)
    running = worker.Worker(
        office.database, lambda: office.now, pause=0.01, mailing=Mailing(wait, "m@example.jp", BASE)
    )
    running.start()
    assert stuck.wait(10)
    office.start("announce")
    end = time.monotonic() + 10
    while office.running() and time.monotonic() < end:
        time.sleep(0.01)
    gone.set()
    running.stop()

    assert office.running() == {}
    assert not {"worker", "mail"} & {thread.name for thread in threading.enumerate()}
