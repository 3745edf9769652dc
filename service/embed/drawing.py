"""Templates to answers: every page says by its own policy what it may load, where it posts, who may frame it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response, current_app, render_template, url_for

from service.embed import avatars, ratings, words
from service.errors import NotFound
from service.sites.terms import several

_STATIC = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".woff2": "font/woff2"}
_FOREVER = "public, max-age=31536000, immutable"
_SHORT = "public, max-age=300"


def draw(template: str, *, origins: Sequence[str] = (), status: int = 200, **values: Any) -> Response:
    """A page that the `origins` may frame, and to which its form may lead back."""
    text = render_template(f"embed/{template}", **WORDS, **values)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = policy(origins)
    return response


def policy(origins: Sequence[str]) -> str:
    """Style sheets of our own and nothing else. Chromium holds a form's redirect to form-action too."""
    rules = (
        "default-src 'none'",
        "style-src 'self'",
        " ".join(["form-action 'self'", *origins]),
        " ".join(["frame-ancestors", *(origins or ["'none'"])]),
        "base-uri 'none'",
    )
    return "; ".join(rules)


def private(response: Response) -> Response:
    """For a page that belongs to one person."""
    response.headers["Cache-Control"] = "no-store"
    return response


def asset_path(name: str) -> str:
    """The path of a style sheet; it changes whenever one of our files does."""
    return url_for("embed.asset", digest=_assets()[1], name=name)


def own_url(path: str) -> str:
    """A path of ours as pages elsewhere need it."""
    return f"{current_app.config['PUBLIC_URL']}{path}"


def asset(asked: str, name: str) -> Response:
    """A file that pages load. Pages that were stored long ago ask for it by an old digest: they get the present one."""
    files, present = _assets()
    if name not in files:
        raise NotFound()
    response = Response(files[name], content_type=_TYPES[Path(name).suffix])
    response.headers["Cache-Control"] = _FOREVER if asked == present else _SHORT
    return response


@cache
def _assets() -> tuple[dict[str, bytes], str]:
    files = {path.name: path.read_bytes() for path in sorted(_STATIC.iterdir()) if path.suffix in _TYPES}
    return files, digest(b"".join(files.values()))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


WORDS = {
    "asset": asset_path,
    "avatar": avatars.draw,
    "bars": ratings.bars,
    "choices": ratings.choices,
    "moment": words.moment,
    "several": several,
    "own_url": own_url,
    "stars": ratings.stars,
    "wait": words.wait,
}
"""What every template may call."""
