"""What every table is made of: the types of its columns, the names of its constraints.

Times are aware and come back in Japanese time; JSON is text, the same on every database.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, Dialect, Enum, MetaData, String, Table, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

from engine.states import EventType, IncidentState, InstanceState, JobKind, JobState, RevisionState, TaskState

JST = ZoneInfo("Asia/Tokyo")


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC and read in Japanese time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(JST)


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Json(TypeDecorator[Any]):
    """A JSON value as text: lossless for whole numbers of any size, and the same everywhere."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return _JSON.encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def named(kind: type[StrEnum]) -> Enum:
    """A column that holds the value of an enumeration as text; a later release may add values."""
    return Enum(
        kind, native_enum=False, length=40, values_callable=lambda members: [member.value for member in members]
    )


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - as SQLAlchemy asks for it
        str: String(),
        datetime: Moment,
        InstanceState: named(InstanceState),
        TaskState: named(TaskState),
        JobState: named(JobState),
        JobKind: named(JobKind),
        IncidentState: named(IncidentState),
        RevisionState: named(RevisionState),
        EventType: named(EventType),
    }


def core(mapping: type[Base]) -> Table:
    """The table of a mapping: a statement on it that is built once runs in a fifth of the time of one built anew."""
    return Base.metadata.tables[mapping.__tablename__]
