"""Write the tables of the manual from the code: `python docs/tables.py`. A test compares them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from service.config import Settings, variable
from service.embed.widget import release
from service.sites.models import Site
from service.sites.schemas import SiteSettings

PAGES = [Path(__file__).parent / name for name in ("settings.md", "widget.md")]
_ENGLISH = Path(__file__).parents[1] / "service/embed/widget/lang"


def settings() -> Iterator[str]:
    """Every setting of the install."""
    yield "| Setting | Default | What it does |"
    yield "|---|---|---|"
    for one in fields(Settings):
        yield f"| `{variable(one)}` | {_shown(one.metadata['default'])} | {one.metadata['help']} |"


def site_settings() -> Iterator[str]:
    """Every setting of a site."""
    yield "| Setting | Default | What it does |"
    yield "|---|---|---|"
    for name, field in SiteSettings().fields.items():
        default = getattr(Site.__table__.c, name).default
        value = default.arg if default is not None else None
        yield f"| `{name}` | {_shown(value)} | {field.metadata['description']} |"


def pinned() -> Iterator[str]:
    """Where the widget of this version is, and what it is held to."""
    yield "| | This version |"
    yield "|---|---|"
    yield f"| address | `/widget.{release().entry_digest}.js` |"
    yield f"| `integrity` | `{release().integrity}` |"


def sentences() -> Iterator[str]:
    """Every sentence of the widget, in English; a plural with all its forms."""
    yield "| Key | In English |"
    yield "|---|---|"
    for part in ("read", "write"):
        text = (_ENGLISH / part / "en.js").read_text(encoding="utf-8")
        for key, value in re.findall(r"^  (\w+): (.+),$", text, re.MULTILINE):
            forms = re.findall(r'"((?:[^"\\]|\\.)*)"', value)
            yield f"| `{key}` | {'<br>'.join(_as_it_is(one) for one in forms)} |"


def _as_it_is(sentence: str) -> str:
    """A sentence as a table of Markdown holds it, so that its own Markdown is seen and not obeyed."""
    return re.sub(r"([*`>\\|])", r"\\\1", sentence)


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return ""
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{text}`"


TABLES = {
    "settings": settings,
    "site settings": site_settings,
    "pinned widget": pinned,
    "sentences of the widget": sentences,
}


def written(page: str) -> str:
    """The page with each table made anew between its marks."""
    for name, rows in TABLES.items():
        marks = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        lines = "\n".join(rows())
        page = marks.sub(lambda found, lines=lines: f"{found[1]}\n{lines}\n\n{found[2]}", page)
    return page


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written(page.read_text(encoding="utf-8")), encoding="utf-8")
