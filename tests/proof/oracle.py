"""The oracle: what is stored, judged by the journal of those who wrote it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing

from sqlalchemy import func, select

from service.audit.models import AuditEntry
from service.audit.operations import verify
from service.comments.events import EVENT_OF
from service.comments.models import Comment
from service.comments.status import DECISIONS, PENDING
from service.db import db
from service.idempotency.models import IdempotencyKey
from service.sites.models import Page
from service.webhooks.models import Event
from tests.proof.journal import Journal
from tests.transfer.balance import imbalance

Deeds = Counter[tuple[str, str]]
"""(comment, what was done to it) → how often."""


def judge(journal: Journal) -> Iterator[str]:
    """What is wrong with the database of the app whose context is pushed. Nobody may be writing to it."""
    db.session.rollback()
    db.session.expire_all()
    comments = {str(one.id): one for one in db.session.scalars(select(Comment))}
    keys = {id_: one.body.partition(":")[0] for id_, one in comments.items()}
    yield from _stored(journal, keys)
    yield from _decided(journal, comments)
    yield from _released()
    yield from unsound()


def unsound() -> Iterator[str]:
    """What does not agree with itself, whoever wrote it: events, audit, keys, counters, the database's own check."""
    comments = {str(one.id): one for one in db.session.scalars(select(Comment))}
    done = _deeds(comments)
    yield from _compared("event", done | _opened(), Counter(_told()))
    yield from _compared("audit row", done, Counter(_written()))
    yield from _once_each(len(comments) + sum(one.status != PENDING for one in comments.values()))
    yield from (f"audit: {one.head.chain} {one.broken}" for one in verify() if one.broken)
    yield from imbalance()
    yield from _whole()


def _stored(journal: Journal, keys: dict[str, str]) -> Iterator[str]:
    """Accepted ⊆ stored ⊆ accepted and unknown; one row for each key; and under the id that was told."""
    rows = Counter(keys.values())
    said = {key for key, asked in journal.asked.items() if not asked.about}
    accepted = said & set(journal.accepted)
    yield from (f"lost: {key}" for key in sorted(accepted - set(rows)))
    yield from (f"nobody said: {key}" for key in sorted(set(rows) - accepted - (said & set(journal.unknown))))
    yield from (f"doubled: {key}, {number} rows" for key, number in rows.items() if number > 1)
    refused = said & {key for key, status in journal.unknown.items() if status}
    yield from (f"told that nothing was changed, but stored: {key}" for key in sorted(refused & set(rows)))
    for key in accepted & set(rows):
        told = journal.accepted[key].body["id"]
        if told and keys.get(told) != key:
            yield f"{key} was told {told}, which is not its id"


def _decided(journal: Journal, comments: dict[str, Comment]) -> Iterator[str]:
    """What was decided is so, and nothing else is."""
    decisions = {asked.about: asked for asked in journal.asked.values() if asked.about}
    for id_, comment in comments.items():
        asked = decisions.get(id_)
        wanted = DECISIONS[asked.body["decision"]] if asked else PENDING
        may_be = {wanted} if not asked or asked.key in journal.accepted else {wanted, PENDING}
        if comment.status not in may_be:
            yield f"{asked.key if asked else id_} is {comment.status}, not {wanted}"


def _deeds(comments: dict[str, Comment]) -> Deeds:
    """What must have been told and written of these comments."""
    done = Counter((id_, "comment.created") for id_ in comments)
    done.update((id_, EVENT_OF[one.status]) for id_, one in comments.items() if one.status != PENDING)
    return done


def _opened() -> Deeds:
    return Counter((str(one), "thread.opened") for one in db.session.scalars(select(Page.id)))


_BY_THE_CLOCK = "flood.started"
"""Clients that write as fast as they can are a flood; a worker announces it at the next minute, whoever is judging."""


def _told() -> Iterator[tuple[str, str]]:
    rows = select(Event.subject_id, Event.type).where(Event.type != _BY_THE_CLOCK)
    for subject, type_ in db.session.execute(rows):
        yield str(subject), type_


def _written() -> Iterator[tuple[str, str]]:
    rows = select(AuditEntry.subject_id, AuditEntry.action).where(AuditEntry.action.startswith("comment."))
    for subject, action in db.session.execute(rows):
        yield str(subject), action


def _compared(what: str, wanted: Deeds, found: Deeds) -> Iterator[str]:
    yield from (f"{what} missing: {action} of {id_}" for id_, action in wanted - found)
    yield from (f"{what} too many: {action} of {id_}" for id_, action in found - wanted)


def _released() -> Iterator[str]:
    """Each event was given its place, and no place is empty."""
    may_wait = Event.seq.is_(None) & (Event.type == _BY_THE_CLOCK)
    seqs = Counter(db.session.scalars(select(Event.seq).where(~may_wait)))
    wanted = Counter(range(1, seqs.total() + 1))
    if seqs != wanted:
        yield f"{seqs.total()} events have places too many {[*(seqs - wanted)]}, and too few {[*(wanted - seqs)]}"


def _once_each(done: int) -> Iterator[str]:
    kept = db.session.scalar(select(func.count()).select_from(IdempotencyKey))
    if kept != done:
        yield f"{kept} keys are kept of {done} requests that were done"


def unreleased() -> int:
    """Events that nobody is told yet."""
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Event.seq.is_(None))) or 0


def _whole() -> Iterator[str]:
    """The database's own check of itself. (PostgreSQL's needs an extension that its wheel does not have.)"""
    if db.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(db.engine.url.database or "")) as connection:
            found: Iterable[tuple[object, ...]] = connection.execute("PRAGMA integrity_check")
            yield from (f"integrity: {row[0]}" for row in found if row[0] != "ok")
            yield from (f"foreign key: {row}" for row in connection.execute("PRAGMA foreign_key_check"))
