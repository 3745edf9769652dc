"""Atom (RFC 4287) of published comments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.comments.rendering import text_of
from service.comments.shown.queries import PublicRow
from service.sites.models import Page, Site

_TITLE_LENGTH = 80


def atom(site: Site, page: Page | None, rows: Sequence[PublicRow], *, self_url: str) -> bytes:
    """The feed's bytes: the same rows give the same bytes, so that its ETag holds."""
    # lxml takes a while to load: only who reads a feed pays for it.
    from feedgen.feed import FeedGenerator

    feed = FeedGenerator()
    feed.id(self_url)
    feed.title(f"Comments: {(page and page.public_title) or site.name}")
    feed.link(href=self_url, rel="self")
    if page and page.url:
        feed.link(href=page.url, rel="alternate")
    feed.updated(max((_changed(row) for row in rows), default=(page or site).created_at))
    feed.generator("Greenroom")
    for row in rows:
        _entry(feed.add_entry(order="append"), row)
    xml: bytes = feed.atom_str(pretty=True)
    return xml


def _entry(entry: Any, row: PublicRow) -> None:
    entry.id(f"urn:uuid:{row.id}")
    entry.title(f"{row.name}: {text_of(row.html, _TITLE_LENGTH)}")
    entry.author({"name": row.name, **({"uri": row.website} if row.website else {})})
    entry.published(row.created_at)
    entry.updated(_changed(row))
    entry.content(row.html, type="html")
    if row.page_url:
        entry.link(href=f"{row.page_url}#comment-{row.id}", rel="alternate")


def _changed(row: PublicRow) -> datetime:
    return datetime.fromisoformat(row.edited_at or row.created_at)
