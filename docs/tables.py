"""Write the manual's tables of settings from the code: `python docs/tables.py`. A test compares them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from service.config import Settings, variable
from service.sites.models import Site
from service.sites.schemas import SiteSettings

PAGE = Path(__file__).parent / "settings.md"


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


def _shown(value: Any) -> str:
    if value in (None, "", []):
        return ""
    text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{text}`"


TABLES = {"settings": settings, "site settings": site_settings}


def written(page: str) -> str:
    """The page with each table made anew between its marks."""
    for name, rows in TABLES.items():
        marks = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        lines = "\n".join(rows())
        page = marks.sub(lambda found, lines=lines: f"{found[1]}\n{lines}\n\n{found[2]}", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
