"""The widget's files: our sources without their comments, at addresses that change when anything in them does."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from urllib.parse import quote

import brotli
import rcssmin
import rjsmin
from flask import Blueprint, Response, request

from service.doors import conditional
from service.errors import NotFound
from service.readcache import IDENTITY, coding_of

_SOURCES = Path(__file__).parent / "widget"
_ENTRY = "widget.js"
_PARTS = b'PARTS="./"'
"""Where the entry says from where the other files come."""
_JOINED = {
    "kit.js": ("dom.js", "words.js", "api.js", "avatar.js"),
    "thread.js": ("looks.js", "thread.js"),
    "living.js": ("store.js", "living.js"),
}
"""Files as they are served, and the sources in each. What is always loaded together is one request and packs better."""
_STYLED = {"thread.js": "thread.css", "living.js": "print.css", "dress.js": "living.css"}
_STYLE = 'STYLE="";'
"""Where a source has its style sheet: drawn without it, nothing could be used."""
_IMPORT = re.compile(r'import\{([\w,]+)\}from"\./(\w+\.js)";')
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_PACKERS = {"br": brotli.compress, "gzip": lambda content: gzip.compress(content, 9, mtime=0)}
"""As small as they can be made: each file is packed once for all who load it."""
_FOREVER = "public, max-age=31536000, immutable"

bp = Blueprint("widget", __name__)


@dataclass(frozen=True)
class Release:
    """The widget as it is served: the entry, and by their paths all other files."""

    entry: bytes
    files: dict[str, bytes]
    digest: str
    """Of the other files."""

    @property
    def entry_digest(self) -> str:
        return _digest(self.entry)

    @property
    def integrity(self) -> str:
        """Of the entry, as a page may ask for it (W3C Subresource Integrity)."""
        return "sha384-" + base64.b64encode(hashlib.sha384(self.entry).digest()).decode()


@cache
def release() -> Release:
    """The present one."""
    paths = sorted(path for path in _SOURCES.rglob("*") if path.suffix in _TYPES)
    files = _joined({path.relative_to(_SOURCES).as_posix(): _stripped(path) for path in paths})
    entry = files.pop(_ENTRY)
    digest = _digest(b"\0".join(part for name, content in files.items() for part in (name.encode(), content)))
    assert entry.count(_PARTS) == 1
    return Release(entry.replace(_PARTS, f'PARTS="./widget/{digest}/"'.encode()), files, digest)


def _stripped(path: Path) -> str:
    strip = rjsmin.jsmin if path.suffix == ".js" else rcssmin.cssmin
    text: str = strip(path.read_text(encoding="utf-8"))
    return text


def _joined(sources: dict[str, str]) -> dict[str, bytes]:
    for name, sheet in _STYLED.items():
        style = sources.pop(sheet)
        assert sources[name].count(_STYLE) == 1 and not set(style) & set("`\\$")
        sources[name] = sources[name].replace(_STYLE, f"STYLE=`{style}`;")
    homes = {part: name for name, parts in _JOINED.items() for part in parts}
    texts = {name: "\n".join(sources.pop(part) for part in parts) for name, parts in _JOINED.items()}
    return {name: _linked(name, text, homes).encode() for name, text in sorted((sources | texts).items())}


def _linked(name: str, text: str, homes: dict[str, str]) -> str:
    """A file that imports what it needs from where it now is, and nothing from itself."""
    wanted: dict[str, set[str]] = {}
    for names, source in _IMPORT.findall(text):
        wanted.setdefault(homes.get(source, source), set()).update(names.split(","))
    wanted.pop(name, None)
    heads = [f'import{{{",".join(sorted(names))}}}from"./{source}";' for source, names in sorted(wanted.items())]
    return "".join(heads) + _IMPORT.sub("", text)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def tag(base: str, site: str, page: str | None, *, pinned: bool = False) -> str:
    """The HTML to paste: the script, and a thread with a link to the comments for browsers that do not run it.

    `base` is where browsers reach Greenroom. Without a `page` it fits every page, and has no link.
    """
    attributes = {"type": "module", "src": f"{base}/{_ENTRY}"}
    if pinned:
        address = f"{base}/widget.{release().entry_digest}.js"
        attributes |= {"src": address, "integrity": release().integrity, "crossorigin": "anonymous"}
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    script = f"<script{written}></script>"
    if not page:
        return f'{script}\n<greenroom-thread site="{site}"></greenroom-thread>'
    link = f'<a href="{base}/embed/{site}?page={quote(page, safe="/:")}">Read the comments</a>'
    return f'{script}\n<greenroom-thread site="{site}" page="{escape(page)}">{link}</greenroom-thread>'


@bp.route("/widget.js")
def entry() -> Response:
    """The entry of whatever release this server has."""
    return conditional(_file(_ENTRY, release().entry))


@bp.route("/widget.<digest>.js")
def pinned_entry(digest: str) -> Response:
    """The same, also for pages that were written for an older release: what they hold it to is theirs to say.

    Under its own address it never changes; under that of an older one it is asked for anew each time.
    """
    response = entry()
    if digest == release().entry_digest:
        response.headers["Cache-Control"] = _FOREVER
    return response


@bp.route("/widget/<digest>/<path:name>")
def part(digest: str, name: str) -> Response:
    """A file that the entry loads. There are none of other releases: files of two would not fit together."""
    if digest != release().digest or name not in release().files:
        raise NotFound()
    response = _file(name, release().files[name])
    response.headers["Cache-Control"] = _FOREVER
    return response


def _file(name: str, content: bytes) -> Response:
    """Any page may load it: a module script is always asked for with CORS, and there is nothing private in it."""
    coding = coding_of(request.headers.get("Accept-Encoding", "").encode("latin-1"), (*_PACKERS, IDENTITY))
    response = Response(_packed(content, coding), content_type=_TYPES[Path(name).suffix])
    response.vary.add("Accept-Encoding")
    if coding != IDENTITY:
        response.content_encoding = coding
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@cache
def _packed(content: bytes, coding: str) -> bytes:
    packed: bytes = _PACKERS[coding](content) if coding != IDENTITY else content
    return packed
