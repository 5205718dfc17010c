"""What every response carries so that a browser trusts nothing but our own pages, and how files travel."""

from __future__ import annotations

import secrets
from mimetypes import guess_type
from pathlib import Path

from flask import Flask, Response, current_app, g, request, send_from_directory
from flask_compress import Compress
from werkzeug.security import safe_join

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

KINDS = ["br", "gzip"]
COMPRESSED = ["text/css", "text/javascript", "application/xml", "image/svg+xml"]


def allow_own_styles() -> str:
    """This response lets in the styles that an editor makes, if they carry the nonce that is given back."""
    g.style_nonce = secrets.token_urlsafe(16)
    nonce: str = g.style_nonce
    return nonce


def _policy() -> str:
    nonce = g.get("style_nonce")
    if nonce is None:
        return CONTENT_SECURITY_POLICY
    own = f"style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; font-src 'self'"
    return CONTENT_SECURITY_POLICY.replace("style-src 'self'", own)


def init_app(app: Flask) -> None:
    """Every response has the security headers, and no page of a person is kept by a cache.

    Files are compressed, here or at set-up. Pages are not: a page holds a secret beside text that others chose, and
    its length in compressed form would tell of the secret (BREACH).
    """
    app.config.update(
        COMPRESS_MIMETYPES=COMPRESSED, COMPRESS_ALGORITHM=KINDS, COMPRESS_ALGORITHM_STREAMING=KINDS, COMPRESS_BR_LEVEL=6
    )
    Compress(app)
    app.view_functions["static"] = _file
    app.after_request(_secure)


def _file(filename: str) -> Response:
    """The static file, as set-up compressed it where that was done and the browser takes it."""
    folder, packed = str(current_app.static_folder), f"{filename}.br"
    found = safe_join(folder, packed) if request.accept_encodings["br"] else None
    if found is None or not Path(found).is_file():
        return current_app.send_static_file(filename)
    file = send_from_directory(folder, packed, mimetype=guess_type(filename)[0])
    file.headers["Content-Encoding"] = "br"
    file.vary.add("Accept-Encoding")
    return file


def _secure(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = _policy()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    if request.endpoint != "static":
        headers["Cache-Control"] = "no-store"
    if close := getattr(response.response, "close", None):  # what compresses a file does not close it
        response.call_on_close(close)
    return response
