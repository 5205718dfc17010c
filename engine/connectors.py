"""Connectors: the job types by which a process reaches outside: `mail`, and `webhook`, a signed HTTP POST.

Both are called outside any transaction, at least once; the receiver tells a repetition by the job's key, which is
the same for every attempt, also after an incident. What they need comes from the inputs of the task, or else from its
headers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from email.message import EmailMessage
from email.utils import parseaddr
from functools import partial
from typing import Any

from engine import feel, mail, outbound
from engine.errors import FileUnreadable
from engine.jobs import BUILT_IN, Call, CallFailed, JobTypes, Outside

LARGEST = 256 * 1024
"""Bytes of the body of a POST, and of the text of a mail."""
RECIPIENTS = 50
SHORTEST_SECRET = 16
AGAIN = frozenset({408, 425, 429})
"""Answers 4xx that may be others next time; every 5xx may."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """`secret` signs every POST; `hosts` are those that may be called, all of them if there is none."""

    secret: bytes
    hosts: frozenset[str]


def from_environment(environ: Mapping[str, str], mailing: mail.Mailing) -> JobTypes:
    """Every job type that the worker can do, set up as the environment says; raises FileUnreadable."""
    secret = environ.get("MAMORI_WEBHOOK_SECRET", "").encode()
    if secret and len(secret) < SHORTEST_SECRET:
        raise FileUnreadable(f"MAMORI_WEBHOOK_SECRET は {SHORTEST_SECRET} 文字以上にしてください。")
    named = environ.get("MAMORI_WEBHOOK_HOSTS", "").lower().split(",")
    webhooks = Webhooks(secret, frozenset(host.strip() for host in named if host.strip()))
    return {
        **BUILT_IN,
        "mail": Outside(partial(send_mail, mailing) if environ.get("MAMORI_SMTP_URL") else _no_server),
        "webhook": Outside(partial(post_webhook, webhooks)),
    }


# Mail ---------------------------------------------------------------------------------------------------


def _no_server(_: Call) -> Mapping[str, feel.Value]:
    """What a process writes belongs in no log, and is not sent by standing there."""
    raise CallFailed("メールサーバー MAMORI_SMTP_URL が設定されていません。", final=True)


def send_mail(mailing: mail.Mailing, call: Call) -> Mapping[str, feel.Value]:
    """The mail server has taken a mail with `subject` and `text` for everybody in `to`."""
    message = EmailMessage()
    message["From"] = mailing.sender
    message["To"] = ", ".join(_addresses(_given(call, "to")))
    message["Subject"] = _line(_given(call, "subject"))
    domain = parseaddr(mailing.sender)[1].rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{call.key}.{call.business_key}@{domain}>"
    text = _given(call, "text")
    if not isinstance(text, str) or len(text.encode()) > LARGEST:
        raise CallFailed("メールの本文(text)は、長すぎない文字列で渡してください。", final=True)
    message.set_content(text)
    try:
        mailing.send(message)
    except smtplib.SMTPRecipientsRefused as refused:
        codes = [code for code, _ in refused.recipients.values()]
        told = "、".join(refused.recipients)
        raise CallFailed(f"メールサーバーが宛先を断りました: {told}", final=all(c >= 500 for c in codes)) from refused
    except smtplib.SMTPResponseException as refused:
        told = f"メールサーバーが断りました({refused.smtp_code})。"
        raise CallFailed(told, final=500 <= refused.smtp_code < 600) from refused
    except (OSError, smtplib.SMTPException) as away:
        raise CallFailed(f"メールサーバーが応じません({type(away).__name__})。") from away
    return {}


def _addresses(value: feel.Value) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if not 0 < len(items) <= RECIPIENTS or not all(isinstance(item, str) and mail.is_address(item) for item in items):
        raise CallFailed(f"メールの宛先(to)は、{RECIPIENTS} 件までのメールアドレスで渡してください。", final=True)
    return [str(item) for item in items]


def _line(value: feel.Value) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 200:
        raise CallFailed("メールの件名(subject)は、200 文字までの一行で渡してください。", final=True)
    return value


# Webhook ------------------------------------------------------------------------------------------------


def post_webhook(webhooks: Webhooks, call: Call) -> Mapping[str, feel.Value]:
    """The server at `url` has taken `body` as JSON; `response` is its status, and its body as a value."""
    if not webhooks.secret:
        raise CallFailed("署名の鍵 MAMORI_WEBHOOK_SECRET が設定されていません。", final=True)
    url = _given(call, "url")
    try:
        to = outbound.parts(url if isinstance(url, str) else "")
    except ValueError as fault:
        raise CallFailed("送り先(url)は https://サーバー/場所 の形で渡してください。", final=True) from fault
    if webhooks.hosts and to.hostname not in webhooks.hosts:
        raise CallFailed(f"MAMORI_WEBHOOK_HOSTS に「{to.hostname}」がありません。", final=True)
    body = json.dumps(_to_json(call.values.get("body")), ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > LARGEST:
        raise CallFailed(f"送る内容(body)が大きすぎます({len(body)} バイト)。", final=True)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Mamori",
        "Idempotency-Key": call.key,
        "Mamori-Case": call.business_key,
        "Mamori-Signature": f"sha256={hmac.new(webhooks.secret, body, hashlib.sha256).hexdigest()}",
    }
    try:
        answer = outbound.post(to, body, headers)
    except outbound.AWAY as away:
        raise CallFailed(f"{to.hostname} が応じません({type(away).__name__})。") from away
    if not answer.taken:
        final = answer.status < 500 and answer.status not in AGAIN
        raise CallFailed(f"{to.hostname} が受け取りませんでした({answer.status})。", final=final)
    return {"response": {"status": Decimal(answer.status), "body": _read(answer.content)}}


def _read(content: bytes | None) -> feel.Value:
    """The answer's JSON as a value, else its text; None for one that is too long or no text."""
    try:
        text = (content or b"").decode()
        return feel.from_python(json.loads(text, parse_float=Decimal, parse_constant=lambda _: None)) if text else None
    except UnicodeDecodeError:
        return None
    except (ValueError, RecursionError, feel.FeelError):
        return text


def _to_json(value: feel.Value) -> Any:
    """JSON has no dates and durations: they go as text, and so does a number that a double cannot hold."""
    if isinstance(value, dict):
        return {name: _to_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        near = float(value)
        return near if Decimal(repr(near)) == value else feel.to_text(value)
    return value if value is None or isinstance(value, bool | str) else feel.to_text(value)


def _given(call: Call, name: str) -> feel.Value:
    """An input of the task, or its header of this name."""
    return call.values[name] if name in call.values else call.headers.get(name)
