"""Somebody else's web site, on an origin of this machine, with the style sheets and frameworks that npm installed."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import listening
from tests.processes import free_port

INSTALLED = Path(__file__).parent / "node_modules"

FAR = '<div style="height: 6000px"></div>'
"""What keeps whatever follows it from being near."""

_PROSE = """
<p>There is a scene, nineteen minutes into the first episode, in which a woman adds up a column of figures.
<a href="/elsewhere">Nobody speaks.</a></p>
"""


@dataclass
class Elsewhere:
    """Its pages by their paths, as HTML and headers; what npm installed is below `/npm/`."""

    origin: str
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def put(self, path: str, html: str, **headers: str) -> str:
        """Publish a page; its address."""
        self.pages[path] = html, {name.replace("_", "-"): value for name, value in headers.items()}
        return self.origin + path

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        body, headers = _installed(path) if path.startswith("/npm/") else self._page(path)
        start("200 OK" if body else "404 Not Found", list(headers.items()))
        return [body]

    def _page(self, path: str) -> tuple[bytes, dict[str, str]]:
        html, headers = self.pages.get(path, ("", {}))
        return html.encode(), {"Content-Type": "text/html; charset=utf-8"} | headers


def _installed(path: str) -> tuple[bytes, dict[str, str]]:
    file = INSTALLED / path.removeprefix("/npm/")
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return (file.read_bytes() if file.is_file() else b""), {"Content-Type": kind}


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """The web site, while the block lasts."""
    site = Elsewhere(f"http://127.0.0.1:{free_port()}")
    with listening(site.origin, site):
        yield site


def installed(*parts: str) -> str:
    """The path of a file that npm installed, on any page here."""
    if not (INSTALLED / ".installed").exists():
        pytest.skip("npm's packages are missing; run `make tests/widget/node_modules/.installed`")
    path = "/".join(parts)
    assert (INSTALLED / path).is_file(), path
    return f"/npm/{path}"


def script(service: str, **attributes: str) -> str:
    """The tag that loads the widget."""
    return f'<script type="module" src="{service}/widget.js"{_written(attributes)}></script>'


def tag(service: str, page: str, name: str = "greenroom-thread", site: str = "demo", **attributes: str) -> str:
    """An element of the widget as the manual has it, with the link that leads to the comments without it."""
    told = _written({"site": site, "page": page} | attributes)
    link = f'<a href="{service}/embed/{site}?page={escape(page)}">Read the comments</a>'
    return f"<{name}{told}>{link if name == 'greenroom-thread' else ''}</{name}>"


def _written(attributes: dict[str, str]) -> str:
    return "".join(f' {name.replace("_", "-")}="{escape(value)}"' for name, value in attributes.items())


def article(*parts: str, head: str = "", root: str = 'lang="en"', body: str = "") -> str:
    """A page with a heading, some words, and then these parts."""
    return f"""<!doctype html>
<html {root}><head><meta charset="utf-8"><title>The Salt Ledger</title>
<meta name="viewport" content="width=device-width">{head}</head>
<body {body}><main class="container"><h1>The Salt Ledger</h1>{_PROSE}{"".join(parts)}</main></body></html>"""
