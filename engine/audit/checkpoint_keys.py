"""The key that signs checkpoints: Ed25519, in a file outside the database, for its owner alone.

A new key is introduced by the one before it, which signs it; whoever trusts the first follows to the last.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.errors import FileUnreadable

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Key:
    """`introduction` says which key signed this one (`by`, hex) and how (`signature`, hex); None for the first."""

    private: Ed25519PrivateKey
    introduction: Mapping[str, str] | None

    @property
    def public(self) -> str:
        """The public key, 32 bytes in hex: what an auditor writes down."""
        return self.private.public_key().public_bytes_raw().hex()

    def sign(self, said: bytes) -> str:
        """The signature, 64 bytes in hex."""
        return self.private.sign(said).hex()


def get(path: Path) -> Key:
    """The key in the file, which is made with a new one if there is none. Raises FileUnreadable."""
    if not path.exists():
        _keep(path, Key(Ed25519PrivateKey.generate(), None), replace=False)
    return read(path)


def read(path: Path) -> Key:
    """The key in the file; raises FileUnreadable."""
    try:
        kept: Any = json.loads(path.read_text("utf-8"))
        if kept["format"] != FORMAT:
            raise ValueError(f"format {kept['format']}")
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept["private"]))
        key = Key(private, kept["introduction"])
        if key.introduction is not None and not introduces(key.introduction, key.public):
            raise ValueError("introduction")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
        raise FileUnreadable(f"{path} を署名鍵として読めません({type(fault).__name__}: {fault})。") from fault
    return key


def rotate(path: Path) -> Key:
    """A new key stands in the file, introduced by the one that stood there, which is gone. Raises FileUnreadable."""
    old = read(path)
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw().hex()
    new = Key(private, {"by": old.public, "signature": old.sign(_introducing(public))})
    _keep(path, new, replace=True)
    return new


def introduces(introduction: Mapping[str, str], key: str) -> bool:
    """Whether the key named in the introduction signed this public key."""
    return signed(introduction["by"], introduction["signature"], _introducing(key))


def signed(key: str, signature: str, said: bytes) -> bool:
    """Whether this is the signature by the public key (hex) over these bytes; False also for what is none."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), said)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _introducing(key: str) -> bytes:
    return rfc8785.dumps({"kind": "mamori key", "key": key})


def _keep(path: Path, key: Key, *, replace: bool) -> None:
    """The whole key is in the file, or nothing; a file that another process made meanwhile stays."""
    said = {"format": FORMAT, "private": key.private.private_bytes_raw().hex(), "introduction": key.introduction}
    write_whole(path, json.dumps(said).encode(), mode=0o600, replace=replace)


def write_whole(path: Path, content: bytes, *, mode: int, replace: bool = False) -> bool:
    """The file is there with all of its content, at once; False if it was there already. Raises FileUnreadable."""
    passing = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            if replace:
                os.replace(passing, path)
            else:
                os.link(passing, path)
        except FileExistsError:
            return False
        finally:
            passing.unlink(missing_ok=True)
    except OSError as fault:
        raise FileUnreadable(f"{path} に書けません({fault.strerror})。") from fault
    return True
