"""Checks an evidence package offline: `python verify.py [PACKAGE.zip | FOLDER] [--key HEX] [--checkpoint FILE]`.

Stands alone: needs Python 3.11 and `cryptography`, nothing else, no network, and nothing of the program that made the
package. Exit code 0: everything is as recorded; 1: it is not; 2: it could not be checked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

START = "0" * 64
MANIFEST = "manifest.json"
EVENTS = "events.json"
READINGS = "readings.json"
CHECKPOINTS = "proofs/checkpoints/"
DEFINITIONS = "definitions/"
SYSTEM = "system"
LEFT_BY_DESKTOPS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that appear in a folder by looking at it."""


class Damaged(Exception):
    """The package is not what was recorded; the message says where and how."""


class NotChecked(Exception):
    """The package cannot be read, so nothing is known of it."""


# Canonical JSON (RFC 8785) ------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """The bytes of the canonical form; raises ValueError for what has none."""
    return "".join(_written(value)).encode("utf-8")


def _written(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield "{"
        for index, name in enumerate(sorted(value, key=lambda text: text.encode("utf-16-be"))):
            yield f"{',' if index else ''}{_text(name)}:"
            yield from _written(value[name])
        yield "}"
    elif isinstance(value, list):
        yield "["
        for index, item in enumerate(value):
            yield "," if index else ""
            yield from _written(item)
        yield "]"
    elif isinstance(value, str):
        yield _text(value)
    elif value is None or isinstance(value, bool):
        yield json.dumps(value)
    elif isinstance(value, int):
        if abs(value) >= 2**53:
            raise ValueError(f"the number {value} has no canonical form")
        yield str(value)
    else:
        yield _number(value)


def _text(value: str) -> str:
    value.encode("utf-8")  # raises for halves of a character
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    """As ECMAScript writes it (7.1.12.1): the shortest digits, an exponent only beyond 21 or before -6."""
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {value} has no canonical form")
    if value == 0:
        return "0"
    sign, parts, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, parts))
    point = len(digits) + int(exponent)
    minus = "-" if sign else ""
    if len(digits) <= point <= 21:
        return f"{minus}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= 21:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{minus}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# The package --------------------------------------------------------------------------------------------


def read_package(path: Path) -> dict[str, bytes]:
    """The files of the package, by name; raises NotChecked, Damaged."""
    try:
        if path.is_dir():
            found = [file for file in path.rglob("*") if file.is_file() and file.name not in LEFT_BY_DESKTOPS]
            return {file.relative_to(path).as_posix(): file.read_bytes() for file in found}
        with zipfile.ZipFile(path) as packed:
            names = packed.namelist()
            if len(set(names)) != len(names):
                raise Damaged("同じ名前のファイルが、パッケージに二つあります。")
            return {name: packed.read(name) for name in names if not name.endswith("/")}
    except zipfile.BadZipFile as fault:
        raise Damaged(f"{path} は壊れています({fault})。") from fault
    except OSError as fault:
        raise NotChecked(f"{path} を読めません({fault.strerror})。") from fault


def read_json(files: Mapping[str, bytes], name: str) -> Any:
    if name not in files:
        raise Damaged(f"{name} がありません。")
    try:
        return json.loads(files[name])
    except (ValueError, RecursionError) as fault:
        raise Damaged(f"{name} を JSON として読めません。") from fault


def signed(key: str, signature: str, said: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True


def without(said: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in names}


def check_files(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Every file is the one that the signed manifest lists, and there is no other; gives the manifest."""
    manifest: dict[str, Any] = read_json(files, MANIFEST)
    if not signed(manifest["key"], manifest["signature"], canonical(without(manifest, "signature"))):
        raise Damaged(f"{MANIFEST} の署名が合いません。")
    for name, digest in manifest["files"].items():
        if name not in files:
            raise Damaged(f"{name} がありません。")
        if sha256(files[name]) != digest:
            raise Damaged(f"{name} の内容が変えられています。")
    more = files.keys() - manifest["files"].keys() - {MANIFEST}
    if more:
        raise Damaged(f"{sorted(more)[0]} は、もとのパッケージにないファイルです。")
    return manifest


# Checkpoints --------------------------------------------------------------------------------------------


def check_checkpoints(files: Mapping[str, bytes], trusted: str | None) -> list[dict[str, Any]]:
    """The checkpoints, oldest first, each signed by the first one's key or one introduced since; one is `trusted`."""
    names = sorted(name for name in files if name.startswith(CHECKPOINTS))
    found = [read_json(files, name) for name in names]
    keys: set[str] = {found[0]["key"]} if found else set()
    last: dict[str, Any] | None = None
    for name, each in zip(names, found, strict=True):
        if each["key"] not in keys and not introduced(each, keys):
            raise Damaged(f"{name} は、前の鍵が紹介していない鍵で署名されています。")
        keys.add(each["key"])
        if not signed(each["key"], each["signature"], canonical(without(each, "signature"))):
            raise Damaged(f"{name} の署名が合いません。")
        follows = last is not None and each["number"] == last["number"] + 1
        if follows and each["previous"] != sha256(canonical(last)):
            raise Damaged(f"{name} は、前のチェックポイントとつながりません。")
        last = each
    if trusted is not None and trusted not in keys:
        raise Damaged("指定された鍵は、このパッケージのどのチェックポイントにも署名していません。")
    return found


def introduced(checkpoint: Mapping[str, Any], keys: set[str]) -> bool:
    """Whether one of these keys signed the checkpoint's key."""
    introduction = checkpoint["introduction"]
    said = canonical({"kind": "mamori key", "key": checkpoint["key"]})
    return (
        introduction is not None
        and introduction["by"] in keys
        and signed(introduction["by"], introduction["signature"], said)
    )


def check_held(found: Sequence[Mapping[str, Any]], files: Mapping[str, bytes], held: Path) -> dict[str, Any]:
    """The checkpoint that somebody kept elsewhere is the same as the package's of that number; gives it."""
    try:
        content = held.read_bytes()
        kept: dict[str, Any] = json.loads(content)
        number = kept["number"]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise NotChecked(f"{held} をチェックポイントとして読めません。") from fault
    name = f"{CHECKPOINTS}{number:08d}.json"
    if name in files and files[name] != content:
        raise Damaged(f"{name} は、手元の {held} と内容が違います。")
    after = next((each for each in found if each["number"] == number + 1), None)
    if after is not None and after["previous"] != sha256(content):
        raise Damaged(f"手元の {held} は、{number + 1} 番のチェックポイントとつながりません。")
    return kept


# Seals --------------------------------------------------------------------------------------------------


@dataclass
class Seals:
    """What the checkpoints demand of one case, less what recorded restores say is lost.

    `chains`: (number of the checkpoint, seq, hash) by chain; `gone`: those that the last restore took back. `readings`:
    the checkpoints of which the readings hold. `told`: the restores, in words; `lost`: whether one concerns the case.
    `first`: the number of the checkpoint that first sealed (chain, seq, hash).
    """

    case: str
    chains: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    gone: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    readings: list[Mapping[str, Any]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    lost: bool = False
    first: dict[tuple[str, int, str], int] = field(default_factory=dict)

    def add(self, checkpoint: Mapping[str, Any]) -> None:
        """Also what this one, newer than all so far, says; raises Damaged if it tells of a restore that can be none."""
        if checkpoint.get("restored") is not None:
            self.take_back(checkpoint["number"], checkpoint["restored"])
        for chain, head in checkpoint["heads"].items():
            if head["case"] == self.case:
                self.chains.setdefault(chain, []).append((checkpoint["number"], head["seq"], head["hash"]))
                self.first.setdefault((chain, head["seq"], head["hash"]), checkpoint["number"])
        if "readings" in checkpoint:
            self.readings.append(checkpoint)

    def take_back(self, number: int, restored: Mapping[str, Any]) -> None:
        kept, where = restored["kept"], f"チェックポイント {number} 番の復元の記録"
        if not (restored["at"] + restored["by"] + restored["reason"]).isprintable():
            raise Damaged(f"{where}に、表示できない文字があります。")
        losses = {chain: loss for chain, loss in restored["chains"].items() if loss["case"] == self.case}
        self.gone = {}
        for chain, loss in losses.items():
            own = self.chains.get(chain, [])
            self.gone[chain] = lost = [seal for seal in own if seal[0] > kept and seal[1] > loss["kept"]]
            self.chains[chain] = [seal for seal in own if seal not in lost]
            last = max(((seq, number, digest) for number, seq, digest in lost), default=(0, 0, ""))
            before = max((seq for _, seq, _ in self.chains[chain]), default=0)
            if (last[0], last[2], before) != (loss["last"], loss["hash"], loss["kept"]):
                raise Damaged(f"{where}は、連鎖「{chain}」について封印されたことと違います。")
        for chain, own in self.chains.items():
            if any(at > kept + 1 and self.first[chain, seq, digest] > kept + 1 for at, seq, digest in own):
                raise Damaged(f"{where}にないのに、連鎖「{chain}」は、それが失われたという時の後まで残っています。")
        totals = [(each["number"], each["readings"]["cases"].get(self.case)) for each in self.readings]
        since = [said["total"] for at, said in totals if said is not None and at > kept]
        held = [0, *(said["total"] for at, said in totals if said is not None and at <= kept)]
        read = restored["readings"].get(self.case)
        if (None if read is None else (read["kept"], read["last"])) != ((held[-1], since[-1]) if since else None):
            raise Damaged(f"{where}は、閲覧について封印されたことと違います。")
        self.readings = [each for each in self.readings if each["number"] <= kept]
        what = [f"連鎖「{chain}」は{lost_words(loss, '番目')}" for chain, loss in losses.items()]
        what += [] if read is None else [f"閲覧は{lost_words(read, '件目')}"]
        self.lost |= bool(what)
        self.told.append(
            f"復元の記録: {restored['at']} に {restored['by']} が、データベースをバックアップから復元したと記録しました"
            f"(チェックポイント {number} 番、理由: {restored['reason']})。"
            + ("この事案では、" + "".join(what) if what else "この事案から、封印されていて失われたものはありません。")
        )


def lost_words(loss: Mapping[str, Any], unit: str) -> str:
    """What is lost, in words; `unit` counts it."""
    stands = max(loss["kept"], min(loss["stands"], loss["last"]))
    sure = f"{loss['kept']} {unit}までが確かです。" if loss["kept"] else "確かなものはありません。"
    told = f"{loss['last']} {unit}まで封印され、{sure}"
    if stands > loss["kept"]:
        told += f"{span(loss['kept'] + 1, stands)} {unit}は、残っていますが封印からは確かめられません。"
    return told + (f"{span(stands + 1, loss['last'])} {unit}は失われました。" if loss["last"] > stands else "")


def span(first: int, last: int) -> str:
    return f"{last}" if first == last else f"{first} から {last}"


# Events -------------------------------------------------------------------------------------------------


def check_chain(chain: str, events: Sequence[Mapping[str, Any]], seals: Seals) -> int:
    """The chain is whole, as recorded, and as sealed; gives how many of its events no checkpoint covers yet."""
    previous = START
    sealed, gone = seals.chains.get(chain, []), {seal[1:] for seal in seals.gone.get(chain, [])}
    erased = {(v["seq"], v["number"]): v for e in events if e["type"] == "values_erased" for v in e["facts"]["erased"]}
    for index, event in enumerate(events, start=1):
        where = f"連鎖「{chain}」の {event['seq']} 番目"
        if chain != SYSTEM and event["seq"] != index:
            raise Damaged(f"連鎖「{chain}」の {index} 番目がありません(削除、挿入、または入れ替え)。")
        if chain != SYSTEM and event["previous"] != previous:
            raise Damaged(f"{where}: 前の出来事とつながりません。")
        if sha256(canonical(without(event, "hash", "values"))) != event["hash"]:
            raise Damaged(f"{where}: 出来事の内容が変えられています。")
        if any(seq == event["seq"] and digest != event["hash"] for _, seq, digest in sealed):
            raise Damaged(f"{where}: 封印されたものと違います(連鎖の作り直し)。")
        if (event["seq"], event["hash"]) in gone:
            raise Damaged(f"{where}: 復元で失われたと記録されていますが、残っています。")
        check_values(where, event, erased)
        previous = event["hash"]
    last = max((seq for _, seq, _ in sealed), default=0)
    if chain != SYSTEM and last > len(events):
        raise Damaged(f"連鎖「{chain}」は {last} 番目まで封印されているのに、{len(events)} 番目までしかありません。")
    return sum(event["seq"] > last for event in events)


def check_values(where: str, event: Mapping[str, Any], erased: Mapping[tuple[int, int], Mapping[str, Any]]) -> None:
    """The values are those to which the event is committed; an erased one was erased by an event that says so."""
    values, commitments = event["values"], event["commitments"]
    if len(values) != len(commitments):
        raise Damaged(f"{where}: 値が足りないか、余っています。")
    for number, (value, committed) in enumerate(zip(values, commitments, strict=True)):
        told = erased.get((event["seq"], number))
        if value["value"] is None:
            if told is None or (told["kind"], told["name"]) != (value["kind"], value["name"]):
                raise Damaged(f"{where}: 「{value['name']}」の値が、消去の記録なしに消えています。")
        elif sha256(canonical([value["salt"], value["kind"], value["name"], value["value"]])) != committed:
            raise Damaged(f"{where}: 「{value['name']}」の値が変えられています。")


def check_readings(files: Mapping[str, bytes], case: str, sealed: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """The readings of the case are those that these checkpoints sealed; gives how many, and how many none has sealed.

    Checkpoints of the first format say nothing of readings.
    """
    readings = read_json(files, READINGS)["readings"] if READINGS in files else []
    covered: dict[int, int] = {}
    total = 0
    for checkpoint in sorted(sealed, key=lambda each: int(each["number"])):
        said = checkpoint.get("readings", {"since": None, "upto": 0, "cases": {}})
        own = said["cases"].get(case, {"count": 0, "hash": sha256(b""), "total": total})
        found = [each for each in readings if (said["since"] is None or each["id"] > said["since"])]
        found = [each for each in found if each["id"] <= said["upto"]]
        content = b"".join(canonical([each[name] for name in ("id", "person", "page", "at")]) for each in found)
        where = f"チェックポイント {checkpoint['number']} 番が封印した閲覧"
        if len(found) != own["count"]:
            raise Damaged(f"{where}は {own['count']} 件ですが、{len(found)} 件あります(削除または挿入)。")
        if sha256(content) != own["hash"]:
            raise Damaged(f"{where}の記録が、変えられています。")
        covered |= dict.fromkeys((each["id"] for each in found), checkpoint["number"])
        total = own["total"]
        if len(covered) != total:
            raise Damaged(f"{where}までに {total} 件あるはずですが、{len(covered)} 件だけが封印されています。")
    return len(readings), len(readings) - len(covered)


def check_definitions(files: Mapping[str, bytes], events: Sequence[Mapping[str, Any]]) -> int:
    """The process, decision and form files are those whose digest the events name; gives how many versions."""
    named = {event["definition"] for event in events if event["definition"] is not None}
    for digest in named:
        folder = f"{DEFINITIONS}{digest}/"
        own = {name.removeprefix(folder): content for name, content in files.items() if name.startswith(folder)}
        whole = hashlib.sha256()
        for name, content in sorted(own.items()):
            whole.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(content).digest())
        if whole.hexdigest() != digest:
            raise Damaged(f"定義 {digest} のファイルが、配備されたものと違います。")
    return len(named)


def verify(path: Path, key: str | None = None, held: Path | None = None) -> list[str]:
    """Everything in the package is as it was recorded; gives what was checked, in words. Raises Damaged, NotChecked."""
    files = read_package(path)
    try:
        return _verified(files, key, held)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as fault:
        raise Damaged(f"パッケージの形が正しくありません({type(fault).__name__}: {fault})。") from fault


def _verified(files: Mapping[str, bytes], key: str | None, held: Path | None) -> list[str]:
    manifest = check_files(files)
    found = check_checkpoints(files, key)
    if found and manifest["key"] != found[-1]["key"]:
        raise Damaged(f"{MANIFEST} は、チェックポイントと違う鍵で署名されています。")
    kept = [*found] if held is None else [*found, check_held(found, files, held)]
    chains = read_json(files, EVENTS)["chains"]
    seals = Seals(manifest["case"])
    for _, checkpoint in sorted({each["number"]: each for each in kept}.items()):
        seals.add(checkpoint)
    missing = {chain for chain, sealed in seals.chains.items() if sealed} - chains.keys()
    if missing:
        raise Damaged(f"封印されている連鎖「{sorted(missing)[0]}」が、丸ごとありません。")
    unsealed = sum(check_chain(chain, events, seals) for chain, events in chains.items())
    events = [event for chain in chains.values() for event in chain]
    versions = check_definitions(files, events)
    known = [each for each in seals.readings if found and each["number"] <= found[-1]["number"]]
    readings, unread = check_readings(files, manifest["case"], known)
    newest = f"{found[-1]['number']} 番、{found[-1]['at']}" if found else "なし"
    return [
        f"事案 {manifest['case']}、書き出し {manifest['at']} {manifest['by']}、目的: {manifest['purpose']}",
        f"ファイル {len(manifest['files'])} 件、出来事 {len(events)} 件(連鎖 {len(chains)} 本)、定義 {versions} 版。",
        f"封印: チェックポイント {len(found)} 件(最新 {newest})。まだ封印されていない出来事 {unsealed} 件。",
        f"閲覧 {readings} 件。まだ封印されていない閲覧 {unread} 件。",
        *seals.told,
        f"署名した公開鍵: {manifest['key']}"
        + ("(指定された鍵から確かめました)" if key else "(書き留めた鍵と見比べてください)"),
        "復元で失われたと記録されたもののほかは、" * seals.lost + "すべて記録どおりです。",
    ]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="証拠パッケージを、ネットワークなしで確かめます。")
    parser.add_argument("package", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", help="書き留めてある公開鍵(16 進数)")
    parser.add_argument("--checkpoint", type=Path, help="手元に保管してあるチェックポイントのファイル")
    given = parser.parse_args(arguments)
    try:
        told = verify(given.package, given.key, given.checkpoint)
    except Damaged as damage:
        print(f"記録どおりではありません: {damage}")
        return 1
    except NotChecked as reason:
        print(f"確かめられません: {reason}")
        return 2
    print("\n".join(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
