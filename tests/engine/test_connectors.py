"""Connectors: mail and webhook reach outside, signed, at least once, and a scenario never does."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine import connectors, deployments, feel, history, incidents, jobs, outbound, scenarios
from engine.errors import DeploymentRejected, FileUnreadable
from engine.jobs import JobTypes
from engine.mail import Mailing

SECRET = "a secret for tests only"
PROCESS = """<?xml version='1.0' encoding='UTF-8'?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="definitions" targetNamespace="https://example.test/processes">
  <bpmn:process id="tell" name="知らせる" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:serviceTask id="call" name="外へ知らせる">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="TYPE" retries="3"/>
        <zeebe:taskHeaders>HEADERS</zeebe:taskHeaders>
        <zeebe:ioMapping>INPUTS</zeebe:ioMapping>
      </bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:endEvent id="end"/>
    <bpmn:sequenceFlow id="to_call" sourceRef="start" targetRef="call"/>
    <bpmn:sequenceFlow id="to_end" sourceRef="call" targetRef="end"/>
  </bpmn:process>
</bpmn:definitions>"""
URL_INPUTS = ("url", "body")
MAIL_INPUTS = ("to", "subject", "text")


@dataclass
class Server:
    """What it was sent; it gives these answers in turn, the last one for ever."""

    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=lambda: [(200, b"", {})])
    posts: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"] for _, headers, _ in self.posts]


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posts.append((self.path, dict(self.headers), body))
            status, content, headers = found.answers.pop(0) if len(found.answers) > 1 else found.answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{listening.server_port}"
    yield found
    listening.shutdown()
    thread.join()
    listening.server_close()


def process(kind: str, names: tuple[str, ...], headers: Mapping[str, str]) -> bytes:
    inputs = "".join(f'<zeebe:input source="={name}" target="{name}"/>' for name in names)
    given = "".join(f'<zeebe:header key="{key}" value="{value}"/>' for key, value in headers.items())
    return PROCESS.replace("TYPE", kind).replace("INPUTS", inputs).replace("HEADERS", given).encode()


def start(office: Any, kind: str, headers: Mapping[str, str] | None = None, **inputs: Any) -> Any:
    """A case of a process with one call of this kind, with these inputs and headers."""
    with office.database.transaction() as session:
        files = {"tell.bpmn": process(kind, tuple(inputs), headers or {})}
        deployments.deploy(session, files, by=None, at=office.now)
    return office.start("tell", **inputs)


def types(send: Callable[[EmailMessage], None] | None = None, **environ: str) -> JobTypes:
    mailing = Mailing(send or (lambda _: None), "Mamori <mamori@example.jp>", "https://mamori.example")
    settings = {"MAMORI_WEBHOOK_SECRET": SECRET, "MAMORI_SMTP_URL": "smtp://mail.example"}
    return connectors.from_environment({**settings, **environ}, mailing)


def stopped(office: Any) -> list[str]:
    with office.database.reading() as session:
        return [row.message for row in incidents.open_ones(session)]


def wait(office: Any) -> timedelta:
    """Until the next attempt, which is now."""
    with office.database.reading() as session:
        due = jobs.next_due(session)
    assert due is not None
    before, office.now = office.now, due
    return due - before


def test_what_can_be_deployed_is_what_the_worker_can_do() -> None:
    assert set(types()) == deployments.JOB_TYPES
    assert {name for name, kind in types().items() if isinstance(kind, jobs.Outside)} == set(deployments.OUTSIDE)


# Webhook ------------------------------------------------------------------------------------------------


def test_a_webhook_is_a_signed_post_of_json_and_its_answer_goes_on_into_the_process(
    office: Any, server: Server
) -> None:
    server.answers = [(201, '{"number": 7.5, "said": "はい"}'.encode(), {})]
    body = {"case": "2026-0001", "sum": 3, "rate": 0.1, "names": ["あ", None], "ok": True}

    start(office, "webhook", url=f"{server.url}/hook?a=b", body=body).run_jobs(types())

    ((path, headers, sent),) = server.posts
    assert path == "/hook?a=b"
    assert json.loads(sent) == body
    assert headers["Content-Type"] == "application/json"
    assert headers["Mamori-Signature"] == "sha256=" + hmac.new(SECRET.encode(), sent, hashlib.sha256).hexdigest()
    assert headers["Idempotency-Key"] == "job-1"
    with office.database.reading() as session:
        response = history.last_written(session, office.case)["response"]
    assert response == feel.from_python({"status": 201, "body": {"number": 7.5, "said": "はい"}})
    assert office.running() == {}


def test_the_address_may_stand_in_the_headers_of_the_task(office: Any, server: Server) -> None:
    start(office, "webhook", {"url": f"{server.url}/fixed"}, body=1).run_jobs(types())

    assert [path for path, _, _ in server.posts] == ["/fixed"]


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_server_that_cannot_now_is_asked_again_with_the_same_key(office: Any, server: Server, status: int) -> None:
    server.answers = [(status, b"", {}), (200, b"done", {})]

    start(office, "webhook", url=server.url, body=1).run_jobs(types())
    assert stopped(office) == []
    assert wait(office) == timedelta(seconds=10)
    office.run_jobs(types())

    assert server.keys() == ["job-1", "job-1"]
    assert office.running() == {}


def test_a_server_that_never_can_is_an_incident_after_the_retries_of_the_model(office: Any, server: Server) -> None:
    server.answers = [(500, b"", {})]
    start(office, "webhook", {"retryBackoff": "PT2M"}, url=server.url, body=1)

    waits = []
    for _ in range(3):
        office.run_jobs(types())
        if not stopped(office):
            waits.append(wait(office))

    assert waits == [timedelta(minutes=2), timedelta(minutes=2)]
    assert stopped(office) == ["127.0.0.1 が受け取りませんでした(500)。"]
    assert len(server.posts) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422, 302, 307])
def test_an_answer_that_will_not_change_gives_up_at_once(office: Any, server: Server, status: int) -> None:
    server.answers = [(status, b"", {"Location": f"{server.url}/elsewhere"})]

    start(office, "webhook", url=server.url, body=1).run_jobs(types())

    assert stopped(office) == [f"127.0.0.1 が受け取りませんでした({status})。"]
    assert len(server.posts) == 1  # a redirect leads nowhere


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "javascript:1",
        "http://",
        "http://[",
        "http://user:word@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:x/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\r\nX: y",
        "http://127.0.0.1/道",
        "",
        7,
        None,
    ],
)
def test_an_address_that_is_none_for_us_is_never_called(office: Any, url: Any) -> None:
    start(office, "webhook", url=url, body=1).run_jobs(types())

    assert stopped(office) == ["送り先(url)は https://サーバー/場所 の形で渡してください。"]


def test_only_the_named_hosts_are_called(office: Any, server: Server) -> None:
    start(office, "webhook", url=server.url, body=1).run_jobs(types(MAMORI_WEBHOOK_HOSTS="a.example, b.example"))

    assert stopped(office) == ["MAMORI_WEBHOOK_HOSTS に「127.0.0.1」がありません。"]
    assert server.posts == []


def test_nothing_goes_out_unsigned(office: Any, server: Server) -> None:
    start(office, "webhook", url=server.url, body=1).run_jobs(types(MAMORI_WEBHOOK_SECRET=""))

    assert stopped(office) == ["署名の鍵 MAMORI_WEBHOOK_SECRET が設定されていません。"]
    assert server.posts == []
    with pytest.raises(FileUnreadable):
        types(MAMORI_WEBHOOK_SECRET="short")


def test_what_is_too_large_is_not_sent(office: Any, server: Server) -> None:
    start(office, "webhook", url=server.url, body="x" * connectors.LARGEST).run_jobs(types())

    assert "大きすぎます" in stopped(office)[0]
    assert server.posts == []


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"", None),
        (b"plain words", "plain words"),
        (b"\xff\xfe", None),
        (b"x" * (outbound.MOST + 1), None),
        (b"[" * 30_000, "[" * 30_000),
        (b"NaN", None),
    ],
)
def test_an_answer_that_is_no_json_is_text_and_one_that_is_too_long_is_nothing(
    office: Any, server: Server, content: bytes, read: str | None
) -> None:
    server.answers = [(200, content, {})]

    start(office, "webhook", url=server.url, body=1).run_jobs(types())

    with office.database.reading() as session:
        response = history.last_written(session, office.case)["response"]
    assert response == feel.from_python({"status": 200, "body": read})


def test_an_answer_that_breaks_off_is_an_answer(office: Any, server: Server) -> None:
    server.answers = [(200, b"x", {"Content-Length": "1000"})]

    start(office, "webhook", url=server.url, body=1).run_jobs(types())

    with office.database.reading() as session:
        assert history.last_written(session, office.case)["response"] == feel.from_python({"status": 200, "body": None})


def test_a_server_that_is_away_or_only_trickles_is_left_and_asked_again_later(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "LONGEST", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        began = time.monotonic()
        start(office, "webhook", url=f"http://127.0.0.1:{silent.getsockname()[1]}", body=1).run_jobs(types())

    assert time.monotonic() - began < outbound.SECONDS / 2
    assert wait(office) == jobs.BACKOFF
    office.run_jobs(types())  # now nobody listens there
    assert wait(office) == jobs.BACKOFF * 2
    assert stopped(office) == []


# Mail ---------------------------------------------------------------------------------------------------


def test_a_mail_goes_to_everybody_named_and_a_repetition_can_be_told(office: Any) -> None:
    sent: list[EmailMessage] = []

    def send(message: EmailMessage) -> None:
        sent.append(message)
        if len(sent) == 1:
            raise ConnectionError

    given = {"to": ["a@example.jp", "b@example.jp"], "subject": "件名", "text": "本文\n二行目"}
    start(office, "mail", **given).run_jobs(types(send))
    wait(office)
    office.run_jobs(types(send))

    assert [message["To"] for message in sent] == ["a@example.jp, b@example.jp"] * 2
    assert (sent[1]["Subject"], sent[1].get_content()) == ("件名", "本文\n二行目\n")
    assert sent[0]["Message-ID"] == sent[1]["Message-ID"] == f"<job-1.{office.case}@example.jp>"
    assert office.running() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("to", None),
        ("to", []),
        ("to", ["a@example.jp", "nobody"]),
        ("to", "a@example.jp\r\nBcc: b@example.jp"),
        ("to", ["a@example.jp"] * 51),
        ("subject", "a\r\nBcc: b@example.jp"),
        ("subject", ""),
        ("subject", None),
        ("text", 7),
        ("text", "x" * (connectors.LARGEST + 1)),
    ],
)
def test_what_is_no_mail_is_not_sent_and_not_tried_again(office: Any, name: str, value: Any) -> None:
    sent: list[EmailMessage] = []
    given = {"to": "a@example.jp", "subject": "件名", "text": "本文", name: value}

    start(office, "mail", **given).run_jobs(types(sent.append))

    assert f"({name})" in stopped(office)[0]
    assert sent == []


def test_without_a_mail_server_nothing_counts_as_sent(office: Any) -> None:
    sent: list[EmailMessage] = []

    given = types(sent.append, MAMORI_SMTP_URL="")
    start(office, "mail", to="a@example.jp", subject="件名", text="本文").run_jobs(given)

    assert stopped(office) == ["メールサーバー MAMORI_SMTP_URL が設定されていません。"]
    assert sent == []


@pytest.mark.parametrize(
    ("fault", "final"),
    [
        (smtplib.SMTPRecipientsRefused({"a@example.jp": (550, b"no such user")}), True),
        (smtplib.SMTPRecipientsRefused({"a@example.jp": (450, b"busy")}), False),
        (smtplib.SMTPDataError(554, b"spam"), True),
        (smtplib.SMTPDataError(451, b"later"), False),
        (smtplib.SMTPServerDisconnected("away"), False),
        (TimeoutError(), False),
    ],
)
def test_what_the_mail_server_refuses_for_good_is_not_tried_again(office: Any, fault: Exception, final: bool) -> None:
    def send(_: EmailMessage) -> None:
        raise fault

    start(office, "mail", to="a@example.jp", subject="件名", text="本文").run_jobs(types(send))

    assert bool(stopped(office)) is final


# The files ----------------------------------------------------------------------------------------------


def test_a_call_has_the_headers_of_its_task_also_when_it_is_made_again(office: Any) -> None:
    calls: list[jobs.Call] = []
    given = {**types(), "mail": jobs.Outside(lambda call: calls.append(call) or {})}

    start(office, "mail", {"template": "short", "retryBackoff": "PT1S"}, to="x").run_jobs(given)

    assert [call.headers for call in calls] == [{"template": "short", "retryBackoff": "PT1S"}]


@pytest.mark.parametrize("text", ["soon", "-PT1S", "=wait", ""])
def test_a_backoff_that_is_no_duration_cannot_be_deployed(office: Any, text: str) -> None:
    with pytest.raises(DeploymentRejected):
        start(office, "mail", {"retryBackoff": text}, to="x")


def test_a_scenario_makes_no_call_and_goes_on_with_what_it_says_the_call_gives(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "post", lambda *_: pytest.fail("a scenario reached outside"))
    monkeypatch.setenv("MAMORI_WEBHOOK_SECRET", SECRET)
    path = tmp_path / "scenario.yaml"
    path.write_text(
        f"id: S\nstart: {{process: tell, at: 2026-11-24T10:00:00+09:00, variables: {{url: '{server.url}', body: 1}}}}\n"
        "calls: {webhook: {response: {status: 200, body: =body + 1}}}\n"
        "expect: {response: {status: 200, body: 2}}\n",
        "utf-8",
    )

    result = scenarios.run(path, {"tell.bpmn": process("webhook", URL_INPUTS, {})})

    assert result.difference is None
    assert server.posts == []


@pytest.mark.parametrize("kind", deployments.OUTSIDE)
def test_a_scenario_that_says_nothing_of_a_call_makes_none_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(smtplib, "SMTP", lambda *_, **__: pytest.fail("a scenario reached outside"))
    monkeypatch.setattr(outbound, "post", lambda *_: pytest.fail("a scenario reached outside"))
    path = tmp_path / "scenario.yaml"
    path.write_text("id: S\nstart: {process: tell, at: 2026-11-24T10:00:00+09:00}\nexpect: {}\n", "utf-8")

    assert scenarios.run(path, {"tell.bpmn": process(kind, (), {"to": "a@example.jp"})}).difference is None
