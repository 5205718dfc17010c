"""Statements of the hot path: compiled once for each kind of database, and run on the driver's own cursor.

SQLAlchemy writes the SQL, knows the types and holds the transaction; what it would do anew at each execution, most
of the time of a small statement, is left out. Faults of the driver are raised as SQLAlchemy raises them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, cast

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Table, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Convert = Callable[[Any], Any]
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
        current = connection(session)
        return self._for(current.dialect).fetch(current, values)

    def first(self, session: Session, **values: Any) -> Row | None:
        """The first row that comes back, if there is one."""
        rows = self.rows(session, **values)
        return rows[0] if rows else None

    def run(self, session: Session, *each: Mapping[str, Any]) -> None:
        """It has run with each of these values."""
        current = connection(session)
        self._for(current.dialect).send(current, each)

    def _for(self, dialect: Dialect) -> _Prepared:
        known = self._prepared.get(dialect.name)
        if known is None:
            known = self._prepared[dialect.name] = _Prepared(self._clause, dialect)
        return known


def connection(session: Session) -> Connection:
    """The connection of the session, in a transaction."""
    current = session.bind if isinstance(session.bind, Connection) else session.connection()
    if not current.in_transaction():
        current.begin()
    return current


def run(connection: Connection, sql: str, values: Any = ()) -> Any:
    """The driver's cursor with what the statement gave; its faults as SQLAlchemy tells them."""
    driver: Any = connection.connection.dbapi_connection
    try:
        return driver.execute(sql, values)
    except connection.dialect.loaded_dbapi.Error as fault:
        raise told(fault, connection, sql, values) from fault


class _Prepared:
    """The SQL for one kind of database, and how values go to its driver and come back."""

    def __init__(self, clause: Any, dialect: Dialect) -> None:
        compiled = clause.compile(dialect=dialect, column_keys=_columns(clause) if clause.is_insert else None)
        self._sql = str(compiled)
        self._positional = compiled.positional
        self._names: list[str] = compiled.positiontup if compiled.positional else list(compiled.bind_names.values())
        self._fixed: dict[str, Any] = {}
        self._forth: list[tuple[str, Convert]] = []
        for parameter, name in compiled.bind_names.items():
            convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
            if not parameter.required:
                self._fixed[name] = parameter.value if convert is None else convert(parameter.value)
            elif convert is not None:
                self._forth.append((name, convert))
        returned = clause.selected_columns if clause.is_select else compiled.effective_returning
        results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in returned]
        self._back = [(index, convert) for index, convert in enumerate(results) if convert is not None]

    def fetch(self, connection: Connection, values: Mapping[str, Any]) -> list[Row]:
        rows = run(connection, self._sql, self._bound(values)).fetchall()
        return [self._row(row) for row in rows] if self._back else rows

    def send(self, connection: Connection, each: Sequence[Mapping[str, Any]]) -> None:
        bound = [self._bound(values) for values in each]
        if len(bound) == 1:
            run(connection, self._sql, bound[0])
            return
        with closing(connection.connection.cursor()) as cursor:
            try:
                cursor.executemany(self._sql, bound)
            except connection.dialect.loaded_dbapi.Error as fault:
                raise told(fault, connection, self._sql, bound) from fault

    def _bound(self, values: Mapping[str, Any]) -> Any:
        bound = {**self._fixed, **values}
        for name, convert in self._forth:
            bound[name] = convert(bound[name])
        named = [bound[name] for name in self._names]
        return named if self._positional else dict(zip(self._names, named, strict=True))

    def _row(self, row: Sequence[Any]) -> Row:
        converted = list(row)
        for index, convert in self._back:
            converted[index] = convert(converted[index])
        return tuple(converted)


def _columns(clause: Insert) -> list[str]:
    table = clause.table
    assert isinstance(table, Table)  # noqa: S101 # what every mapping has
    return [column.key for column in table.columns if column is not table.autoincrement_column]


def told(fault: Exception, connection: Connection, sql: str, values: Any) -> BaseException:
    """The driver's fault as SQLAlchemy tells it; a connection that is gone is not used again."""
    dialect = connection.dialect
    base: type[Exception] = dialect.loaded_dbapi.Error
    gone = dialect.is_disconnect(fault, connection.connection, None)  # type: ignore[arg-type]
    if gone:
        connection.invalidate(fault)
    instance = DBAPIError.instance(sql, values, fault, base, connection_invalidated=gone, dialect=dialect)
    return cast("BaseException", instance)
