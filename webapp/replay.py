"""The replay of a case: its page at one moment, its steps for the script, and its twin as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from flask import Blueprint, Response, abort, get_template_attribute, render_template, request, stream_template

from engine import cases, forms
from engine.audit import moments
from webapp import edge, traces
from webapp.forms_html import FormPage
from webapp.language import gettext as _
from webapp.names import Names
from webapp.names import current as names
from webapp.retelling import Retelling, Told

CHUNK = 250
"""Steps that the script gets at once."""
PIECES = 5000
"""Of a page that are sent at once, each some letters long."""
FOUND = 100
"""Steps that a search shows."""

pages = Blueprint("replay", __name__)


@pages.get("/cases/<number>/replay")
def show(number: str) -> str:
    """The case right after the event `at`, or after the step with the number `step`; the first where neither is."""
    case = cases.get(edge.reading(), number, edge.person(), at=edge.now())
    telling = Retelling(number)
    edge.opened(number)
    asked = _asked(telling.ids)
    moment = moments.moment(edge.reading(), number, edge.person(), telling.ids, asked)
    query = request.args.get("q", "").strip()
    return render_template(
        "replay.html",
        case=case,
        ids=telling.ids,
        number=asked,
        moment=moment,
        told=telling.told(moment.step),
        stands=telling.stands(moment),
        values=telling.values(moment),
        form=_form(telling, moment),
        query=query,
        found=telling.find(query, FOUND) if query else [],
        tables=telling.tables,
        setting={"ids": telling.ids, "chunk": CHUNK, "places": telling.places(_begun(moment))},
        texts=_texts(),
    )


@pages.get("/cases/<number>/replay/text")
def text(number: str) -> Response:
    """The whole replay to read and to print, sent while it is told: its last line says that it is all of it."""
    case = cases.get(edge.reading(), number, edge.person(), at=edge.now())
    telling = Retelling(number)
    edge.opened(number)
    pieces = stream_template("replay_text.html", case=case, count=len(telling.ids), steps=telling.all(), now=edge.now())
    return Response(_joined(pieces), mimetype="text/html")


@pages.get("/cases/<number>/replay/steps")
def steps(number: str) -> Response:
    """`CHUNK` steps from the number `from` on, as the script folds them, with the places and the decision tables that
    they name, except for the tables that it says to `have`.
    """
    telling = Retelling(number)
    edge.opened(number, "replay.show")
    first = max(request.args.get("from", 1, int), 1)
    head, html, table = (get_template_attribute("replay_step.html", name) for name in ("head", "step", "table"))
    told = [telling.told(step) for step in telling.steps(first, CHUNK)]
    named = {decision.table for each in told for decision in each.decisions if decision.table}
    named -= set(request.args.get("have", "").split(","))
    found = {
        "steps": [{**_folded(each), "head": head(each), "html": html(each, number)} for each in told],
        "tables": {key: table(telling.tables[key]) for key in sorted(named)},
        "places": telling.places(_moved(told)),
    }
    return Response(json.dumps(found, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")


@pages.get("/cases/<number>/replay/form")
def form(number: str) -> str:
    """The form of the event `at` as it was seen, for the script."""
    telling = Retelling(number)
    edge.opened(number, "replay.show")
    moment = moments.moment(edge.reading(), number, edge.person(), telling.ids, _asked(telling.ids))
    return render_template("replay_form.html", form=_form(telling, moment))


def _joined(pieces: Iterator[str]) -> Iterator[str]:
    """The same in larger pieces, for each is sent by itself."""
    while some := "".join(islice(pieces, PIECES)):
        yield some


def _asked(ids: list[int]) -> int:
    """The number of the step that the address names; nothing is found where there is none."""
    if "at" in request.args:
        event = request.args.get("at", type=int)
        if event not in ids:
            abort(404)
        return ids.index(event) + 1
    step = request.args.get("step", 1, int)
    return min(max(step, 1), len(ids))


def _moved(told: Iterable[Told]) -> set[moments.Place]:
    """Every place where something moved in these steps."""
    return {
        (step.event.instance, move["process"])
        for step in (each.step for each in told)
        for move in step.event.facts.get("moves", ())
        if step.event.instance is not None
    }


def _folded(told: Told) -> dict[str, Any]:
    """What of a step the script needs to find it and to fold it."""
    step = told.step
    facts = step.event.facts
    return {
        "id": step.event.id,
        "place": None if step.place is None else f"{step.place[0]} {step.place[1]}",
        "instance": step.event.instance,
        "moves": [_move(step.event.instance, move) for move in facts.get("moves", ())],
        "stopped": [fault["token"] for fault in facts.get("faults", ())],
        "resolved": facts.get("resolved_faults", []),
        "values": [[value.key, value.label, value.text] for value in told.values],
        "when": told.when,
        "said": told.said,
        "words": told.words,
    }


def _move(instance: int | None, move: Mapping[str, Any]) -> list[Any]:
    """Kind, place, token, element and flow; a jump between link events is no drawn flow, and no id."""
    flow = move["flow"] if move["flow"] and " " not in move["flow"] else None
    return [move["kind"][0], f"{instance} {move['process']}", move["token"], move["element"], flow]


def _form(telling: Retelling, moment: moments.Moment) -> FormPage | None:
    """The form of the task that the step completed, with what this reader may see of the answers."""
    form = telling.form(moment.step)
    if form is None:
        return None
    seen = moments.form_seen(moment.step, moment.known, form)
    answers = moment.step.event.submitted
    return FormPage(
        replace(seen, fields=tuple(_seen(part, edge.person().marks, names(), answers) for part in seen.fields))
    )


def _seen(part: forms.FieldView, marks: frozenset[str], names: Names, answers: Any) -> forms.FieldView:
    """The field with its answer; one that the reader may not read is not there.

    `answers` are those of the whole form; None within a row, which has its own.
    """
    field = part.field
    hidden = field.visibility is not None and field.visibility not in marks
    value = part.value if answers is None or not field.key else answers.get(field.key)
    value = None if hidden else _said(field, value, names)
    chosen = value if isinstance(value, list) else [value]
    computed = tuple(forms.Option(each, each) for each in chosen if isinstance(each, str))
    return replace(
        part,
        visible=not hidden and (part.visible or value is not None),
        value=value,
        options=part.options if isinstance(field.options, tuple) else computed,
        fields=tuple(_seen(each, marks, names, answers) for each in part.fields),
        rows=() if hidden else tuple(tuple(_seen(each, marks, names, None) for each in row) for row in part.rows),
    )


def _said(field: forms.Field, value: Any, names: Names) -> Any:
    """The answer without what the reader must not see; what was chosen from a computed list by its name alone."""
    if isinstance(value, list) and field.kind == "multi":
        return [_said(field, each, names) for each in value]
    if not isinstance(value, str):
        return value
    if field.kind == "text":
        return names.short(value)
    if field.kind == "textarea":
        return names.prose(value)
    return value if isinstance(field.options, tuple) else names.person(value)


def _begun(moment: moments.Moment) -> set[moments.Place]:
    return {(instance, process) for instance, standing in moment.standings.items() for process in standing.ways}


def _texts() -> dict[str, str]:
    """What the script says."""
    return {
        **traces.texts(),
        "way": _("The way so far"),
        "changed": _("value changed"),
        "before": _("Before"),
        "nothing_yet": _("Nothing yet."),
        "none_found": _("Nothing was found."),
        "comma": _(", "),
    }
