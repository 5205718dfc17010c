"""Files on their way in: what cannot be read is refused with its reason, an archive cannot escape or flood."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine import bundle_files, deployments
from engine.errors import FileRefused

BUNDLE = Path(__file__).parent.parent / "webapp" / "bundle"


def archive(files: Mapping[str, bytes], **options: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = options.get("external_attr", 0)
            opened.writestr(entry, content)
    return written.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return deployments.read_folder(BUNDLE)


def test_every_file_of_the_bundle_can_be_read(files: dict[str, bytes]) -> None:
    for name, content in deployments.read_folder(*deployments.BUNDLED).items():
        bundle_files.check(name, content)


def test_an_archive_gives_back_every_byte(files: dict[str, bytes]) -> None:
    strange = {**files, "絵/図.svg": b"\x00\xff\r\n", "readme.txt": b"as it is\r\n"}

    assert bundle_files.unpack(bundle_files.pack(strange)) == strange
    assert bundle_files.pack(strange) == bundle_files.pack(dict(reversed(list(strange.items()))))


def test_one_folder_around_known_files_is_left_out(files: dict[str, bytes]) -> None:
    wrapped = archive({f"my bundle/{name}": content for name, content in files.items()})

    assert bundle_files.unpack(wrapped, files) == files
    assert set(bundle_files.unpack(wrapped)) == {f"my bundle/{name}" for name in files}


@pytest.mark.parametrize(
    "name",
    [
        "../up.txt",
        "a/../../up.txt",
        "/etc/up.txt",
        "C:\\up.txt",
        "a\\..\\up.txt",
        "a//b.txt",
        "./a.txt",
        "a\u202eb.txt",
    ],
)
def test_a_name_that_leads_out_of_the_folder_is_refused(name: str) -> None:
    with pytest.raises(FileRefused):
        bundle_files.unpack(archive({"good.txt": b"x", name: b"x"}))


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_fills_the_memory() -> None:
    bomb = archive({"zeros.txt": bytes(bundle_files.MAX_FILE + 1)})
    assert len(bomb) < 10_000

    with pytest.raises(FileRefused, match="ひろげると大きすぎます"):
        bundle_files.unpack(bomb)


def test_many_files_that_are_too_much_together_are_refused() -> None:
    part = bytes(bundle_files.MAX_FILE)
    with pytest.raises(FileRefused, match="ひろげると大きすぎます"):
        bundle_files.unpack(archive({f"{number}.txt": part for number in range(9)}))


def test_too_many_files_are_refused() -> None:
    with pytest.raises(FileRefused, match="多すぎます"):
        bundle_files.unpack(archive({f"{number}.txt": b"x" for number in range(bundle_files.MAX_FILES + 1)}))


def test_links_and_doubled_names_are_refused() -> None:
    with pytest.raises(FileRefused, match="リンク"):
        bundle_files.unpack(archive({"link": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16))
    with pytest.raises(FileRefused, match="同じ名前"):
        bundle_files.unpack(archive({"a.txt": b"x", "A.txt": b"y"}))


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with pytest.raises(FileRefused, match="zip"):
        bundle_files.unpack(content)


def test_an_archive_with_a_wrong_checksum_is_refused() -> None:
    good = archive({"a.txt": b"hello hello hello"})
    broken = good.replace(
        zipfile.ZipFile(io.BytesIO(good)).infolist()[0].CRC.to_bytes(4, "little"), b"\x01\x02\x03\x04"
    )

    with pytest.raises(FileRefused, match="zip として読めません"):
        bundle_files.unpack(broken)
