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
FILES = ["text/css", "text/javascript", "application/xml", "image/svg+xml"]
PAGES = "text/html"


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

    Files are compressed, here or at set-up. So is a page that the browser says was asked for by one of ours or by the
    person. A page holds secrets: who could have it asked for at will from elsewhere, with a text of their choice in it,
    would learn them from its length in compressed form (BREACH).
    """
    app.config.update(
        COMPRESS_MIMETYPES=[*FILES, PAGES],
        COMPRESS_ALGORITHM=KINDS,
        COMPRESS_ALGORITHM_STREAMING=KINDS,
        COMPRESS_BR_LEVEL=5,
        COMPRESS_REGISTER=False,
    )
    compress = Compress(app)

    def pack(response: Response) -> Response:
        return response if response.mimetype == PAGES and not _asked_here() else compress.after_request(response)

    app.view_functions["static"] = _file
    app.after_request(pack)
    app.after_request(_secure)


def _asked_here() -> bool:
    """No other site caused this request; a page cannot set this header, and a browser without it is not trusted."""
    return request.headers.get("Sec-Fetch-Site") in ("same-origin", "none")


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
