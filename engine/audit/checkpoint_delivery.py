"""Delivery: each checkpoint goes to every place outside that the environment names, in order, until it was taken.

The places: another folder, an address (as an attachment), a URL (as the body of a POST). How far each has come
stands in a file beside the checkpoints; a place that is away is tried again later, and none waits for another.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult

from engine import mail, outbound
from engine.audit import checkpoint_keys, checkpoints
from engine.audit.checkpoints import Checkpoint, Sealing
from engine.database import Database
from engine.errors import EngineError, FileUnreadable

AGAIN = timedelta(minutes=5)
"""How long a place that did not take a checkpoint is left alone."""

log = logging.getLogger(__name__)

Deliver = Callable[[Checkpoint], None]
"""Hands one checkpoint over; raises what AWAY names if it was not taken."""
AWAY = (*outbound.AWAY, smtplib.SMTPException, ValueError, EngineError)


@dataclass
class Delivery:
    """Checkpoints are made by `sealing` and brought to `places`, each known by a name."""

    sealing: Sealing
    places: Mapping[str, Deliver]
    _next: datetime | None = field(default=None, init=False)

    def prepare(self) -> None:
        """There is a key, and it can be read; raises FileUnreadable."""
        checkpoint_keys.get(self.sealing.key)

    def run_due(self, database: Database, *, at: datetime) -> int:
        """A checkpoint was made if it was time, and what there was to deliver delivered; gives how many were made."""
        made = self.sealing.run_due(database, at=at)
        if made or self._next is None or at >= self._next:
            self._next = at + AGAIN
            self.deliver()
        return made

    def deliver(self) -> None:
        """Every place has every checkpoint, but for those that did not take one."""
        standing = checkpoints.files(self.sealing.folder) if self.sealing.folder.exists() else []
        for name, deliver in self.places.items():
            taken = self.sealing.folder / f".delivered-{name}"
            try:
                last = taken.read_text("utf-8") if taken.exists() else ""
                for path in standing:
                    if path.name > last:
                        deliver(checkpoints.read(path))
                        checkpoint_keys.write_whole(taken, path.name.encode(), mode=0o644, replace=True)
            except AWAY as fault:
                log.warning("checkpoints did not reach %s: %s", name, type(fault).__name__)


def from_environment(environment: Mapping[str, str], mailing: mail.Mailing) -> Delivery:
    """To MAMORI_CHECKPOINT_COPY (a folder), MAMORI_CHECKPOINT_MAIL (an address) and MAMORI_CHECKPOINT_URL, if named.

    Raises FileUnreadable.
    """
    places: dict[str, Deliver] = {}
    if folder := environment.get("MAMORI_CHECKPOINT_COPY"):
        places["copy"] = partial(to_folder, Path(folder))
    if address := environment.get("MAMORI_CHECKPOINT_MAIL"):
        places["mail"] = partial(to_address, mailing, address)
    if url := environment.get("MAMORI_CHECKPOINT_URL"):
        places["url"] = partial(to_url, _parts(url))
    return Delivery(checkpoints.from_environment(environment), places)


def _parts(url: str) -> SplitResult:
    try:
        return outbound.parts(url)
    except ValueError as fault:
        raise FileUnreadable("MAMORI_CHECKPOINT_URL は https://サーバー/場所 の形で書いてください。") from fault


def to_folder(folder: Path, checkpoint: Checkpoint) -> None:
    """The folder has the checkpoint; one of the same number that stands there stays as it is."""
    checkpoint_keys.write_whole(folder / checkpoints.name_of(checkpoint.number), checkpoint.content, mode=0o644)


def to_address(mailing: mail.Mailing, address: str, checkpoint: Checkpoint) -> None:
    """A mail with the checkpoint has gone out."""
    message = EmailMessage()
    message["From"], message["To"] = mailing.sender, address
    message["Subject"] = f"[Mamori] チェックポイント {checkpoint.number}"
    message.set_content(f"チェックポイント {checkpoint.number} です。保管してください。\nSHA-256 {checkpoint.digest}\n")
    name = checkpoints.name_of(checkpoint.number)
    message.add_attachment(checkpoint.content, maintype="application", subtype="json", filename=name)
    mailing.send(message)


def to_url(parts: SplitResult, checkpoint: Checkpoint) -> None:
    """The server has answered the POST of the checkpoint with success."""
    answer = outbound.post(parts, checkpoint.content, {"Content-Type": "application/json"})
    if not answer.taken:
        raise OSError(f"the server answered {answer.status}")
