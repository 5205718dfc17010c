"""What every command of the command line shares: the clock, the database, and one clear line for what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from engine import database, dmn, feel
from engine.columns import JST
from engine.database import Database
from engine.errors import EngineError

console = Console(highlight=False, soft_wrap=True)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def now() -> datetime:
    return datetime.now(JST)


def told(command: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """What the engine refuses is one line (one per finding), and exit code 1; no traceback."""

    @wraps(command)
    def run(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return command(*arguments, **options)
        except (EngineError, feel.FeelError, dmn.DmnError, dmn.XmlRefused) as refused:
            raise click.ClickException(str(refused) or type(refused).__name__) from refused
        except SQLAlchemyError as fault:
            reason = str(getattr(fault, "orig", None) or fault).splitlines()[0]
            raise click.ClickException(f"データベースを使えません: {reason}(先に mamori upgrade-db を)") from fault

    return run


@contextmanager
def opened(url: str) -> Iterator[Database]:
    found = database.connect(url)
    try:
        yield found
    finally:
        found.close()
