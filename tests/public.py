"""Holds every transaction to this: whatever the public is told otherwise since, the database has noted as changed.

What is kept ready stands on these notes. Here all that is public is read row by row, and compared.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from flask import Flask
from sqlalchemy import Connection, inspect, select

from service.comments.models import Author, Comment, CommentTally
from service.db import Base, db
from service.readcache.models import PublicChange
from service.sites.models import Page, PageAddress, RatingCount, Site


def columns(table: type[Base], *more: str) -> list[str]:
    """The columns of a table that are labelled public, and some that shape what is told."""
    return [one.name for one in inspect(table).columns if one.info.get("public") or one.name in more]


class Watch:
    """`check` is called after each transaction; what was forgotten is in `forgotten`, too: a thread may have died."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen, self._noted = self._look()
        self.forgotten: list[str] = []

    def check(self) -> None:
        with self._lock:
            seen, noted = self._look()
            changed = {one for one in self._seen.keys() & seen.keys() if self._seen[one] != seen[one]}
            changed |= self._seen.keys() - seen.keys()
            places = {place for _, place in noted - self._noted}
            self.forgotten += [f"{kind} {place}" for kind, place in changed if place not in places]
            self._seen, self._noted = seen, noted
        assert not self.forgotten

    def _look(self) -> tuple[dict[tuple[str, object], str], set[tuple[int, object]]]:
        """A digest of what is public about each page and site, and the notes, at one moment."""
        with db.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            found = {key: hashlib.sha256(repr(told).encode()).hexdigest() for key, told in _told(connection).items()}
            noted = connection.execute(select(PublicChange.seq, PublicChange.place))
            return found, {(seq, place) for seq, place in noted}


def _told(connection: Connection) -> dict[tuple[str, object], list[object]]:
    told: dict[tuple[str, object], list[object]] = defaultdict(list)
    comment, tally, author = Comment.__table__, CommentTally.__table__, Author.__table__
    shown = [comment.c[name] for name in columns(Comment, "status", "page_id")]
    rows = (
        select(comment.c.page_id, *shown, tally.c.replies, tally.c.votes, author.c.avatar)
        .join(author, author.c.id == comment.c.author_id)
        .outerjoin(tally, tally.c.comment_id == comment.c.id)
        .where(comment.c.shown)
        .order_by(comment.c.id)
    )
    for page_id, *row in connection.execute(rows):
        told["page", page_id].append(row)
    page = Page.__table__
    for row in connection.execute(
        select(page.c.id, *(page.c[name] for name in columns(Page, "closed_at", "reopened_at")))
    ):
        told["page", row[0]].append(list(row))
    for page_id, *row in connection.execute(
        select(RatingCount.page_id, RatingCount.scale, RatingCount.value, RatingCount.count)
        .where(RatingCount.count > 0)
        .order_by(RatingCount.scale, RatingCount.value)
    ):
        told["page", page_id].append(row)
    for page_id, *row in connection.execute(
        select(PageAddress.page_id, PageAddress.key).order_by(PageAddress.site_id, PageAddress.key)
    ):
        told["page", page_id].append(row)
    site = Site.__table__
    for row in connection.execute(
        select(site.c.id, *(site.c[name] for name in columns(Site, "origins", "close_after_days")))
    ):
        told["site", row[0]].append(list(row))
    return told


@contextmanager
def watched(app: Flask) -> Iterator[None]:
    """Watch over the transactions of an app."""
    watch = Watch()
    steps = app.extensions["greenroom_on_commit"]
    steps.append(watch.check)
    try:
        yield
    finally:
        steps.remove(watch.check)
    assert not watch.forgotten
