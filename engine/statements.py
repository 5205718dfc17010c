"""Statements of the hot path: compiled once for each kind of database, and run on the driver's own cursor.

SQLAlchemy writes the SQL, knows the types and holds the transaction; what it would do anew at each execution, most
of the time of a small statement, is left out. Faults of the driver are raised as SQLAlchemy raises them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Table, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Convert = Callable[[Any], Any] | None
Row = tuple[Any, ...]


class Statement:
    """One statement, given its values by the names of its `bindparam`s; an insert by column, all but a number of its
    own. `rows` and `first` are for what gives rows back, `run` for what does not.
    """

    def __init__(self, clause: Select[Any] | Insert | Update | Delete) -> None:
        self._clause = clause
        self._prepared: dict[str, _Prepared] = {}

    def rows(self, session: Session, **values: Any) -> list[Row]:
        """Every row that comes back."""
        connection = session.connection()
        return self._for(connection.dialect).fetch(connection, values)

    def first(self, session: Session, **values: Any) -> Row | None:
        """The first row that comes back, if there is one."""
        rows = self.rows(session, **values)
        return rows[0] if rows else None

    def run(self, session: Session, *each: Mapping[str, Any]) -> None:
        """It has run with each of these values."""
        connection = session.connection()
        self._for(connection.dialect).send(connection, each)

    def _for(self, dialect: Dialect) -> _Prepared:
        known = self._prepared.get(dialect.name)
        if known is None:
            known = self._prepared[dialect.name] = _Prepared(self._clause, dialect)
        return known


class _Prepared:
    """The SQL for one kind of database, and how values go to its driver and come back."""

    def __init__(self, clause: Any, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect, column_keys=_columns(clause) if clause.is_insert else None)
        self._sql = str(compiled)
        self._names: list[str] | None = compiled.positiontup
        self._given: list[tuple[str, Convert]] = []
        self._fixed: dict[str, Any] = {}
        for parameter, name in compiled.bind_names.items():
            convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if parameter.required:
                self._given.append((name, convert))
            else:
                self._fixed[name] = parameter.value if convert is None else convert(parameter.value)
        returned = clause.selected_columns if clause.is_select else compiled.effective_returning
        self._back = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in returned]

    def fetch(self, connection: Connection, values: Mapping[str, Any]) -> list[Row]:
        bound = self._bound(values)
        with closing(connection.connection.cursor()) as cursor:
            try:
                cursor.execute(self._sql, bound)
                rows = cursor.fetchall()
            except Exception as fault:
                raise _told(fault, connection, self._sql, bound) from fault
        return [self._row(row) for row in rows]

    def send(self, connection: Connection, each: Sequence[Mapping[str, Any]]) -> None:
        bound = [self._bound(values) for values in each]
        with closing(connection.connection.cursor()) as cursor:
            try:
                cursor.executemany(self._sql, bound)
            except Exception as fault:
                raise _told(fault, connection, self._sql, bound) from fault

    def _bound(self, values: Mapping[str, Any]) -> Any:
        bound = dict(self._fixed)
        for name, convert in self._given:
            value = values[name]
            bound[name] = value if convert is None else convert(value)
        return bound if self._names is None else [bound[name] for name in self._names]

    def _row(self, row: Sequence[Any]) -> Row:
        return tuple(
            value if convert is None else convert(value) for value, convert in zip(row, self._back, strict=True)
        )


def _columns(clause: Insert) -> list[str]:
    table = clause.table
    assert isinstance(table, Table)  # noqa: S101 # what every mapping has
    return [column.key for column in table.columns if column is not table.autoincrement_column]


def _told(fault: Exception, connection: Connection, sql: str, values: Any) -> BaseException:
    """The fault as SQLAlchemy tells it; a connection that is gone is not used again."""
    base: type[Exception] = connection.dialect.loaded_dbapi.Error
    if not isinstance(fault, base):
        return fault
    raw = connection.connection
    gone = connection.dialect.is_disconnect(fault, raw, None)  # type: ignore[arg-type]
    if gone:
        connection.invalidate(fault)
    return DBAPIError.instance(sql, values, fault, base, connection_invalidated=gone, dialect=connection.dialect)
