"""Incidents: execution that stopped and needs an operator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from engine import columns, tables
from engine.errors import IncidentNotFound
from engine.statements import Statement
from engine.states import IncidentState

_INCIDENTS = columns.core(tables.Incident)
_RESOLVED = (
    update(_INCIDENTS)
    .where(_INCIDENTS.c.instance_id == bindparam("of_instance"), _INCIDENTS.c.state == IncidentState.OPEN)
    .values(state=IncidentState.RESOLVED, resolved_at=bindparam("at"), resolved_by=bindparam("by"))
)
_RESOLVE_ALL = Statement(_RESOLVED)
_RESOLVE = Statement(_RESOLVED.where(_INCIDENTS.c.token == bindparam("at_token")))


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One open incident; `job` is the job that gave up, or None where an element stopped."""

    id: int
    instance: int
    business_key: str
    process: str
    element: str
    token: int
    message: str
    opened_at: datetime
    job: int | None


def open(
    session: Session,
    *,
    instance: int,
    business_key: str,
    token: int,
    element: str,
    message: str,
    at: datetime,
    job: int | None = None,
) -> None:
    """The incident is open; one that is open there already says the newer reason."""
    table = tables.Incident
    same = (table.instance_id == instance, table.token == token, table.state == IncidentState.OPEN)
    known = session.execute(update(table).where(*same).values(message=message, job_id=job).returning(table.id))
    if known.first() is None:
        session.execute(
            insert(table).values(
                instance_id=instance,
                job_id=job,
                business_key=business_key,
                token=token,
                element=element,
                message=message,
                state=IncidentState.OPEN,
                opened_at=at,
            )
        )


def resolve(session: Session, instance: int, tokens: Iterable[int] | None, *, by: str | None, at: datetime) -> None:
    """The open incidents at these tokens (None: all of the instance) are resolved."""
    resolved = {"of_instance": instance, "at": at, "by": by}
    if tokens is None:
        _RESOLVE_ALL.run(session, resolved)
    else:
        _RESOLVE.run(session, *({**resolved, "at_token": token} for token in tokens))


def open_ones(session: Session) -> list[IncidentRow]:
    """Every open incident, oldest first."""
    return _rows(session)


def get(session: Session, incident: int) -> IncidentRow:
    """The open incident; raises IncidentNotFound."""
    for row in _rows(session, incident):
        return row
    raise IncidentNotFound(incident)


def _rows(session: Session, incident: int | None = None) -> list[IncidentRow]:
    table, runs = tables.Incident, tables.ProcessInstance
    query = (
        select(
            table.id,
            table.instance_id,
            table.business_key,
            runs.process,
            table.element,
            table.token,
            table.message,
            table.opened_at,
            table.job_id,
        )
        .join(runs, runs.id == table.instance_id)
        .where(table.state == IncidentState.OPEN)
        .order_by(table.opened_at, table.id)
    )
    if incident is not None:
        query = query.where(table.id == incident)
    return [IncidentRow(*row) for row in session.execute(query)]
