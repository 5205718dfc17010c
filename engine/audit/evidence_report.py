"""The report of an evidence package: the course of a case as one HTML file that reads without anything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import bundles, decision_tables, feel, forms, history, identity, tables
from engine.audit import verify_evidence
from engine.audit.losses import Restore
from engine.catalogue import Fact, Label
from engine.columns import JST
from engine.states import EventType
from engine.texts import usable

Event = Mapping[str, Any]
"""An event as the package holds it: as it was hashed, with `hash` and `values`."""
ERASED = "(消去されました)"

WHAT: Mapping[str, str] = {
    EventType.DEPLOYED: "配備",
    EventType.INSTANCE_STARTED: "開始",
    EventType.INSTANCE_CANCELLED: "取りやめ",
    EventType.TASK_CLAIMED: "作業の引き受け",
    EventType.TASK_RELEASED: "作業の返却",
    EventType.TASK_ASSIGNED: "担当の割り当て",
    EventType.TASK_COMPLETED: "作業の完了",
    EventType.TASK_ESCALATED: "期限超過による通知",
    EventType.TIMER_FIRED: "時間の経過",
    EventType.MESSAGE_PUBLISHED: "知らせの送信",
    EventType.MESSAGE_RECEIVED: "知らせの受け取り",
    EventType.SIGNAL_RECEIVED: "合図の受け取り",
    EventType.JOB_COMPLETED: "自動処理の完了",
    EventType.JOB_FAILED: "自動処理の失敗",
    EventType.INCIDENT_OPENED: "障害の発生",
    EventType.INCIDENT_RETRIED: "障害からの再開",
    EventType.VARIABLES_CHANGED: "値の訂正",
    EventType.COMMENTED: "コメント",
    EventType.ATTEMPT_REJECTED: "断られた操作",
    EventType.VALUES_ERASED: "値の消去",
    EventType.EXPORTED: "書き出し",
}
"""What can happen in a case; anything else is told by the name of its type."""

PAGES: Mapping[str, str] = {
    "cases.show": "事案のページ",
    "tasks.show": "事案の工程",
    "replay.show": "経過の再生",
    "replay.text": "経過の文章",
    "record.readings": "閲覧の記録",
    "incidents.show": "止まった処理",
}
"""What can be opened of a case; anything else is told by the name that the record has for it."""

STYLE = """
body { font-family: sans-serif; line-height: 1.6; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid #888; padding: .5rem 0; break-inside: avoid; }
table { border-collapse: collapse; } td, th { border: 1px solid #bbb; padding: .2rem .6rem; text-align: left;
vertical-align: top; white-space: pre-wrap; } th { font-weight: normal; background: #f2f2f2; }
small { color: #555; overflow-wrap: anywhere; }
"""


def html(
    session: Session,
    business_key: str,
    chains: Mapping[str, Sequence[Event]],
    readings: Sequence[Mapping[str, Any]],
    restores: Iterable[Restore],
) -> bytes:
    """The case's events, oldest first: who did what when, what was entered and written, and which rules held.

    Before them what was lost by a restore of the database, after them who opened the case. `readings` as the package
    holds them.
    """
    report = _Report(
        {person.name: person.label for person in identity.people(session)}, _words(session, chains.values())
    )
    events = sorted(
        (event for chain in chains.values() for event in chain), key=lambda e: (e["at"], e["chain"], e["seq"])
    )
    head = _element("head", [_element("title", [f"事案 {business_key}"]), _element("style", [STYLE])])
    head.insert(0, _element("meta", [], charset="utf-8"))
    body = [
        _element("h1", [f"事案 {business_key} の記録"]),
        _element("h2", ["プロセス"]),
        _table(["プロセス", "版", "開始", "終了"], _instances(session, business_key)),
        *report.restores(business_key, restores),
        _element("h2", [f"出来事({len(events)} 件)"]),
        *map(report.article, events),
        _element("h2", [f"閲覧({len(readings)} 件)"]),
        _table(["日時", "開いた人", "開いたもの"], map(report.reading, readings)),
    ]
    document = _element("html", [head, _element("body", body)], lang="ja")
    return etree.tostring(document, method="html", encoding="utf-8", doctype="<!doctype html>")


def _instances(session: Session, business_key: str) -> list[list[str]]:
    table, definitions = tables.ProcessInstance, tables.ProcessDefinition
    query = (
        select(definitions.name, definitions.version, table.started_at, table.ended_at)
        .join(table, table.definition_id == definitions.id)
        .where(table.business_key == business_key)
        .order_by(table.id)
    )
    return [
        [row.name, f"第 {row.version} 版", _moment(row.started_at), _moment(row.ended_at)]
        for row in session.execute(query)
    ]


def _words(session: Session, chains: Iterable[Sequence[Event]]) -> dict[str, _Words]:
    """What the files of each deployment that the events name say, by its digest."""
    digests = {event["definition"] for chain in chains for event in chain} - {None}
    table = tables.Deployment
    rows = session.execute(select(table.id, table.digest).where(table.digest.in_(digests)))
    return {digest: _Words.of(session, deployment) for deployment, digest in rows}


@dataclass(frozen=True, slots=True)
class _Words:
    """What the files of a deployment call things: `labels` by name, `values` by name and value. `results`: by decision
    what its result is called in expressions. `named`: people and groups.
    """

    forms: Mapping[str, forms.Form] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, deployment: int) -> _Words:
        compiled = bundles.of_deployment(session, deployment)
        variables = decision_tables.variables(session, deployment)
        labels = {each.name: each.label for each in variables}
        for table in decision_tables.of_deployment(session, deployment).values():
            labels |= {column.text.rpartition(".")[2]: column.label for column in (*table.inputs, *table.outputs)}
        values: dict[str, Mapping[str, str]] = {}
        fields = [(key, asked) for form in compiled.forms.values() for key, asked in form.body.by_key.items()]
        for key, asked in fields:
            if {other.label for name, other in fields if name == key} == {asked.label}:
                labels[key] = asked.label or key
                if isinstance(asked.options, tuple):
                    values[key] = {option.value: option.label for option in asked.options}
        labels |= {form.id: form.title or form.id for form in compiled.forms.values()}
        declared: list[Fact | Label] = [*compiled.catalogue.facts, *compiled.catalogue.labels]
        for each in declared:
            labels[each.name] = each.label
            values[each.name] = each.values
        named = {group.name: group.label for group in identity.groups(session).values()}
        named |= {one.name: one.label for one in identity.people(session)}
        return cls(compiled.forms, labels, {each.decision: each.name for each in variables}, named, values)

    def label(self, name: str) -> str:
        """What it is called, and its name in the files, by which the package has it."""
        label = self.labels.get(name, name)
        return name if label == name else f"{label}({name})"

    def text(self, name: str, value: feel.Value) -> str:
        if isinstance(value, list):
            return "\n".join(self.text(name, each) for each in value)
        if isinstance(value, dict):
            known = self.forms[name].body.by_key if name in self.forms else {}
            told = ((key, part) for key, part in value.items() if part is not None)
            return "\n".join(
                f"{_label(known.get(key), self.labels.get(key, key))}: "
                + (_shown(known[key], part) if key in known else self.text(key, part).replace("\n", "、"))
                for key, part in told
            )
        text = _text(value)
        label = self.values.get(decision_tables.subject(name), {}).get(text) if isinstance(value, str) else None
        return label or (f"{self.named[text]}({text})" if text in self.named else text)


NO_WORDS = _Words()


@dataclass(frozen=True, slots=True)
class _Report:
    """Says events in words: `labels` of people, `words` by deployment digest."""

    labels: Mapping[str, str]
    words: Mapping[str, _Words]

    def article(self, event: Event) -> etree._Element:
        values = {
            number: ERASED if value["value"] is None else history.decoded(value["value"])
            for number, value in enumerate(event["values"])
        }
        facts = history.resolve(event["facts"], values)
        task = facts.get("task") or {}
        words = self.words.get(event["definition"] or "", NO_WORDS)
        what = WHAT.get(event["type"], event["type"]) + (f"「{task['name']}」" if task.get("name") else "")
        parts: list[etree._Element | str] = [
            _element("h3", [f"{_moment(datetime.fromisoformat(event['at']))} {what}"]),
            _element("p", [self._who(event["actor"])]),
            *_entered(words, facts, task.get("form_id")),
            *_lists(words, facts),
            *_decisions(words, facts),
            _element(
                "p", [_element("small", [f"連鎖「{event['chain']}」の {event['seq']} 番目、SHA-256 {event['hash']}"])]
            ),
        ]
        return _element("article", parts)

    def reading(self, reading: Mapping[str, Any]) -> list[str]:
        """When the case was opened, by whom, and what of it."""
        page = reading["page"]
        return [_moment(datetime.fromisoformat(reading["at"])), self._who(reading["person"]), PAGES.get(page, page)]

    def restores(self, business_key: str, restores: Iterable[Restore]) -> list[etree._Element]:
        """Of each restore of the database who recorded it, and what of the case is lost."""
        rows = []
        for each in restores:
            lost = [
                f"連鎖「{chain}」は{verify_evidence.lost_words(said, '番目')}"
                for chain, said in each.facts()["chains"].items()
                if said["case"] == business_key
            ]
            if business_key in each.readings:
                lost.append(f"閲覧は{verify_evidence.lost_words(each.facts()['readings'][business_key], '件目')}")
            told = "\n".join(lost) or "封印されていて失われたものはありません。"
            rows.append([_moment(each.at), self._who(each.by), each.reason, told])
        if not rows:
            return []
        heads = ["記録した日時", "記録した人", "理由", "この事案から失われたもの"]
        return [_element("h2", ["データベースの復元"]), _table(heads, rows)]

    def _who(self, actor: str | None) -> str:
        if actor is None:
            return "自動"
        label = self.labels.get(actor)
        return actor if label is None else f"{label}({actor})"


def _entered(words: _Words, facts: Mapping[str, Any], form_id: str | None) -> list[etree._Element]:
    """What was filled into the form, with the labels that the person saw."""
    cause = facts.get("cause") or {}
    entered = cause.get("values") if cause.get("kind") == "CompleteTask" else None
    if not entered:
        return []
    form = words.forms.get(form_id or "")
    known = {} if form is None else form.body.by_key
    rows = [[_label(known.get(name), name), _shown(known.get(name), value)] for name, value in entered.items()]
    return [_element("h4", ["記入"]), _table(["項目", "内容"], rows)]


def _lists(words: _Words, facts: Mapping[str, Any]) -> list[etree._Element]:
    """The plain facts, and the variables that were written."""
    named = {
        "message": "内容",
        "text": "本文",
        "reason": "理由",
        "purpose": "目的",
        "format": "形式",
        "assignee": "担当",
        "attempt": "操作",
        "message_name": "知らせ",
    }
    plain = [[label, _text(facts[name])] for name, label in named.items() if facts.get(name) is not None]
    plain += [["止まったところ", f"{fault['element']}: {_text(fault['message'])}"] for fault in facts.get("faults", ())]
    plain += [["消去した値", f"{each['seq']} 番目の「{each['name']}」"] for each in facts.get("erased", ())]
    written = [
        [words.label(each["name"]), words.text(each["name"], each["value"])] for each in facts.get("variables", ())
    ]
    parts = [_table(["事実", "内容"], plain)] if plain else []
    return parts + ([_element("h4", ["書き込まれた値"]), _table(["名前", "値"], written)] if written else [])


def _decisions(words: _Words, facts: Mapping[str, Any]) -> list[etree._Element]:
    """Each table that was evaluated: what it saw, which rules held, what came out."""
    parts = []
    for each in (one for decided in facts.get("decisions", ()) for one in decided["evaluations"]):
        rows = [[f"入力 {words.label(name)}", words.text(name, value)] for name, value in each["inputs"].items()]
        rows += [
            [f"規則 {rule['index']}", " ".join(filter(None, (rule["id"], rule["annotation"])))]
            for rule in each["rules"]
        ]
        rows.append(["結果", words.text(words.results.get(each["decision"], ""), each["value"])])
        parts += [_element("h4", [f"判断「{each['name']}」"]), _table(["", ""], rows)]
    return parts


def _label(asked: forms.Field | None, name: str) -> str:
    return name if asked is None else asked.label or name


def _shown(asked: forms.Field | None, value: feel.Value) -> str:
    """The value in the words of the form: labels of options, a line for each row of a list."""
    if asked is None or value == ERASED:
        return _text(value)
    if isinstance(value, list):
        return "\n".join(_shown(asked, item) for item in value)
    if isinstance(value, dict):
        columns = asked.fields.by_key
        return "、".join(f"{_label(columns.get(k), k)}: {_shown(columns.get(k), v)}" for k, v in value.items())
    options = asked.options if isinstance(asked.options, tuple) else ()
    return next((option.label for option in options if option.value == value), _text(value))


def _text(value: feel.Value) -> str:
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if isinstance(value, feel.DateTime) and isinstance(found := value.to_python(), datetime) and found.tzinfo:
        return _moment(found)
    return "" if value is None else feel.to_text(value)


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(JST):%Y-%m-%d %H:%M:%S}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> etree._Element:
    lines = [_element("tr", [_element("th", [head], scope="col") for head in heads])] if any(heads) else []
    for first, *rest in rows:
        lines.append(_element("tr", [_element("th", [first], scope="row"), *(_element("td", [cell]) for cell in rest)]))
    return _element("table", lines)


def _element(tag: str, content: Sequence[etree._Element | str], **attributes: str) -> etree._Element:
    found = etree.Element(tag, attributes)
    for part in content:
        if isinstance(part, str):
            found.text = usable(part)
        else:
            found.append(part)
    return found
