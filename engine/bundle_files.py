"""The files of a bundle on their way in and out: what can be read at all, safe names, and zip archives.

A file is kept byte by byte or not at all: what no editor could open is refused, with the reason; what an editor can
open may have faults, which the inspection tells.
"""

from __future__ import annotations

import io
import json
import stat
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from lxml import etree

from engine import dmn, translations
from engine.catalogue import load_yaml
from engine.errors import FileRefused, FileUnreadable

MAX_FILE = 4 * 1024 * 1024
MAX_BUNDLE = 32 * 1024 * 1024
MAX_FILES = 1_000
MAX_NAME = 200
"""Bytes of one file and of all of them together, their number, and the characters of a name."""

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
REFERENCES = ("sourceRef", "targetRef", "attachedToRef", "default")
_CHUNK = 64 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)
_IGNORED = ("__MACOSX/", ".DS_Store", "Thumbs.db")


def check_name(name: str) -> str:
    """The name in its one Unicode form (NFC); raises FileRefused for one that could lead anywhere else."""
    name = unicodedata.normalize("NFC", name)
    shown = name[:MAX_NAME]
    if not name or len(name) > MAX_NAME:
        raise FileRefused(shown, f"ファイル名は、1〜{MAX_NAME} 文字にしてください。")
    if any(unicodedata.category(sign).startswith("C") for sign in name) or any(sign in '\\:*?"<>|' for sign in name):
        raise FileRefused(shown, "ファイル名に使えない文字があります。")
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise FileRefused(shown, "フォルダの外や、場所のはっきりしないところを指す名前です。")
    return name


def check(name: str, content: bytes) -> None:
    """Returns if an editor can open the file; raises FileRefused."""
    check_name(name)
    if len(content) > MAX_FILE:
        raise FileRefused(name, f"大きすぎます({len(content):,} バイト)。{MAX_FILE:,} バイトまでにしてください。")
    if not content.strip():
        raise FileRefused(name, "中身がありません。")
    match name.rpartition(".")[2]:
        case "bpmn":
            _check_bpmn(name, content)
        case "dmn":
            _check_dmn(name, content)
        case "form":
            _check_form(name, content)
        case "yaml" | "yml":
            _check_text(name, content)
            _told(name, load_yaml, content)
        case "po":
            _check_text(name, content)
            _told(name, translations.read, content)


def _told(name: str, read: Callable[[bytes, str], object], content: bytes) -> None:
    try:
        read(content, name)
    except FileUnreadable as fault:
        raise FileRefused(name, str(fault)) from fault


def _check_text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise FileRefused(name, f"文字コードが UTF-8 ではありません({fault.start + 1} バイト目)。") from fault


def _xml(name: str, content: bytes) -> etree._Element:
    try:
        return dmn.parse_xml(content, limit=MAX_FILE)
    except dmn.XmlRefused as fault:
        raise FileRefused(name, str(fault)) from fault


def _check_bpmn(name: str, content: bytes) -> None:
    root = _xml(name, content)
    if root.tag != f"{{{BPMN}}}definitions":
        raise FileRefused(name, f"BPMN 2.0 のファイルではありません(最初の要素は {root.tag!s} です)。")
    known = _check_ids(name, root)
    for element in root.iter(f"{{{BPMN}}}*"):
        for attribute in REFERENCES:
            target = element.get(attribute)
            if target is not None and target not in known:
                shown = element.get("name") or element.get("id") or etree.QName(element).localname
                raise FileRefused(name, f"「{shown}」の {attribute} が指す「{target}」がありません。")


def _check_dmn(name: str, content: bytes) -> None:
    root = _xml(name, content)
    _check_ids(name, root)
    try:
        dmn.read(content, lenient=True)
    except (dmn.DmnInvalid, dmn.XmlRefused) as fault:
        raise FileRefused(name, str(fault)) from fault


def _check_ids(name: str, root: etree._Element) -> set[str]:
    """Every id of the document; raises FileRefused for one that stands twice."""
    counted = Counter(element.get("id") for element in root.iter(etree.Element) if element.get("id"))
    for id_, times in counted.items():
        if times > 1:
            raise FileRefused(
                name, f"ID「{id_}」が {times} 回使われています。ID はファイルの中でひとつだけにしてください。"
            )
    return {str(id_) for id_ in counted}


def _check_form(name: str, content: bytes) -> None:
    text = _check_text(name, content)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise FileRefused(name, f"JSON として読めません({fault})。") from fault
    if not isinstance(found, dict) or not isinstance(found.get("components"), list):
        raise FileRefused(name, "フォームのファイルではありません(components がありません)。")


def place(name: str, known: Mapping[str, bytes]) -> str:
    """Where a file of this name, without a folder, belongs: where one of that name is, else beside its kind."""
    name = check_name(name)
    same = [one for one in known if one.rpartition("/")[2] == name]
    if len(same) == 1:
        return same[0]
    kind = name.rpartition(".")[2]
    folders = Counter(one.rpartition("/")[0] for one in known if one.rpartition(".")[2] == kind)
    folder = folders.most_common(1)[0][0] if folders else ""
    return f"{folder}/{name}" if folder else name


# Archives -----------------------------------------------------------------------------------------------


def unpack(archive: bytes, known: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The files of a zip archive, each checked; raises FileRefused, whatever the archive claims of itself.

    One folder around everything is left out where the names then are those of `known` files.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            found = dict(_members(opened))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as fault:
        raise FileRefused("zip", f"zip として読めません({fault})。") from fault
    if not found:
        raise FileRefused("zip", "ファイルが一つも入っていません。")
    found = _unwrapped(found, known or {})
    for name, content in found.items():
        check(name, content)
    return found


def _members(opened: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    entries = [entry for entry in opened.infolist() if not entry.is_dir() and not _is_ignored(entry.filename)]
    if len(entries) > MAX_FILES:
        raise FileRefused("zip", f"ファイルが多すぎます({len(entries)} 個)。{MAX_FILES} 個までにしてください。")
    left, seen = MAX_BUNDLE, set()
    for entry in entries:
        name = check_name(entry.orig_filename)
        if name.casefold() in seen:
            raise FileRefused(name, "同じ名前のファイルが二つ入っています。")
        seen.add(name.casefold())
        if stat.S_ISLNK(entry.external_attr >> 16) or entry.flag_bits & 1:
            raise FileRefused(name, "リンクや、暗号化されたファイルは読み込めません。")
        content = _content(opened, entry, name, min(MAX_FILE, left))
        left -= len(content)
        yield name, content


def _is_ignored(name: str) -> bool:
    return name.startswith(_IGNORED[0]) or name.rpartition("/")[2] in _IGNORED[1:]


def _content(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limit: int) -> bytes:
    """What the entry unpacks to; stops at the limit, so that no claimed size is believed."""
    content = bytearray()
    with opened.open(entry) as source:
        while chunk := source.read(_CHUNK):
            content += chunk
            if len(content) > limit:
                raise FileRefused(name, f"ひろげると大きすぎます({limit:,} バイトまで)。")
    return bytes(content)


def _unwrapped(found: Mapping[str, bytes], known: Mapping[str, bytes]) -> dict[str, bytes]:
    tops = {name.partition("/")[0] for name in found}
    if len(tops) != 1 or not all("/" in name for name in found) or not known or found.keys() & known.keys():
        return dict(found)
    inner = {name.partition("/")[2]: content for name, content in found.items()}
    return inner if inner.keys() & known.keys() else dict(found)


def pack(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of the files; the same files always give the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return written.getvalue()
