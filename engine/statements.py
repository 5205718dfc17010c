"""Statements of the hot path: compiled once for each kind of database, and run on the driver's own cursor.

SQLAlchemy writes the SQL, knows the types and holds the transaction; what it would do anew at each execution, most
of the time of a small statement, is left out. Faults of the driver are raised as SQLAlchemy raises them.

To a server, where `gather` was asked for it, what gives nothing back goes together with the next statement that does,
or with the end of the transaction: a journey there and back takes longer than most statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Delete, Dialect, Engine, Insert, Select, Table, Update, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

Convert = Callable[[Any], Any]
Row = tuple[Any, ...]


class Statement:
    """One statement, given its values by the names of its `bindparam`s; an insert by column, all but a number of its
    own. `rows` and `first` are for what gives rows back, `run` and `change` for what does not.
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
        """It has run with each of these values before anything is read, or committed."""
        current = connection(session)
        self._for(current.dialect).send(current, each)

    def change(self, session: Session, values: Mapping[str, Any], lost: Exception) -> None:
        """As `run`, once; raises `lost`, then or later in the transaction, if there was no row to change."""
        current = connection(session)
        self._for(current.dialect).send(current, [values], lost)

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


# Journeys to a server -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A statement that goes with the next journey, once with each of these; what to raise if it changed no row."""

    sql: str
    each: Sequence[Any]
    lost: Exception | None = None


_WAITING = "waiting"
"""The option of a connection under which it keeps what waits for a journey."""


def serve(engine: Engine) -> None:
    """What waits goes before any statement that SQLAlchemy sends itself, and not at all when it is undone."""
    if not event.contains(engine, "rollback", _forget):
        event.listen(engine, "before_cursor_execute", lambda connection, *_: settle(connection))
        event.listen(engine, "rollback", _forget)


def gather(connection: Connection) -> None:
    """The connection, to a server, sends what gives nothing back together with what does; `settle` ends it."""
    connection.execution_options(**{_WAITING: []})


def settle(connection: Connection) -> None:
    """Nothing waits any more; raises what became of it."""
    if _waiting(connection):
        _travel(connection)


def _waiting(connection: Connection) -> list[_Waiting] | None:
    """What waits; None for a connection that does not gather."""
    waiting: list[_Waiting] | None = connection.get_execution_options().get(_WAITING)
    return waiting


def _forget(connection: Connection) -> None:
    (_waiting(connection) or []).clear()


def _travel(connection: Connection, *last: _Waiting) -> Any:
    """The cursor of the last of all that waited, and of what is given here, after one journey."""
    driver: Any = connection.connection.dbapi_connection
    together = [*(_waiting(connection) or ()), *last]
    _forget(connection)
    sent: list[Any] = []
    try:
        with driver.pipeline():
            for statement in together:
                sent.append(driver.cursor())
                if len(statement.each) == 1:
                    sent[-1].execute(statement.sql, statement.each[0])
                else:
                    sent[-1].executemany(statement.sql, statement.each)
    except connection.dialect.loaded_dbapi.Error as fault:
        _raise_lost(together, sent)
        raise told(fault, connection, together[-1].sql, together[-1].each) from fault
    _raise_lost(together, sent)
    return sent[-1]


def _raise_lost(together: Sequence[_Waiting], sent: Sequence[Any]) -> None:
    """Raise what the first statement that changed no row says; one that was not reached tells no number of rows."""
    for waiting, cursor in zip(together, sent, strict=False):
        if waiting.lost is not None and cursor.rowcount == 0:
            raise waiting.lost


# One statement ------------------------------------------------------------------------------------------


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
        bound = self._bound(values)
        alone = not _waiting(connection)
        cursor = run(connection, self._sql, bound) if alone else _travel(connection, _Waiting(self._sql, [bound]))
        rows: list[Row] = cursor.fetchall()
        return [self._row(row) for row in rows] if self._back else rows

    def send(self, connection: Connection, each: Sequence[Mapping[str, Any]], lost: Exception | None = None) -> None:
        bound = [self._bound(values) for values in each]
        waiting = _waiting(connection)
        if waiting is not None:
            waiting.append(_Waiting(self._sql, bound, lost))
        elif len(bound) == 1:
            if run(connection, self._sql, bound[0]).rowcount == 0 and lost is not None:
                raise lost
        else:
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
