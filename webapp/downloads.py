"""Files to take away."""

from __future__ import annotations

import io
from collections.abc import Mapping

from flask import abort, send_file
from werkzeug.wrappers import Response

from engine import bundle_files


def one(files: Mapping[str, bytes], name: str) -> Response:
    """The file of this name, byte by byte; not found if there is none."""
    if name not in files:
        abort(404)
    return _sent(files[name], name.rpartition("/")[2], "application/octet-stream")


def archive(files: Mapping[str, bytes], name: str) -> Response:
    """All of them as a zip archive of this name."""
    return _sent(bundle_files.pack(files), name, "application/zip")


def _sent(content: bytes, name: str, kind: str) -> Response:
    return send_file(io.BytesIO(content), mimetype=kind, as_attachment=True, download_name=name)
