"""Questions to the audit log."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, delete, select, tuple_, update

from service.audit.models import AuditDetail, AuditEntry, AuditHead
from service.db import db, insert_if_new, insert_rows, run, table_of
from service.pagination import Page, Position, page_of

_MOST_TOLD = 100
_HEADS = table_of(AuditHead)
_HEAD = select(_HEADS.c.n, _HEADS.c.digest).where(_HEADS.c.chain == bindparam("of")).with_for_update()
_SET_HEAD = update(_HEADS).where(_HEADS.c.chain == bindparam("of"))
Link = tuple[AuditEntry, AuditDetail | None]


def locked_head(chain: str) -> Row[int, bytes]:
    """Number and digest of a chain's last link, locked until the commit: 0 and zeros when it begins."""
    found = run(_HEAD, of=chain).first()
    if found is None:
        insert_if_new(AuditHead, {"chain": chain, "n": 0, "digest": bytes(32)})
        found = run(_HEAD, of=chain).one()
    return found


def append(chain: str, links: Sequence[Mapping[str, Any]], details: Sequence[Mapping[str, Any]]) -> None:
    """Put links at the end of a chain, whose head is locked, with their details beside them."""
    insert_rows(AuditEntry, links)
    insert_rows(AuditDetail, details)
    run(_SET_HEAD, of=chain, n=links[-1]["n"], digest=links[-1]["digest"])


def chains() -> Sequence[str]:
    """Every chain that has a link, whether it has a head or not."""
    return db.session.scalars(select(AuditEntry.chain).distinct()).all()


def heads() -> Sequence[AuditHead]:
    return db.session.scalars(select(AuditHead).order_by(AuditHead.chain)).all()


def links(chain: str, length: int) -> Generator[Link, None, None]:
    """The first `length` links of a chain in order, streamed: others may add to it meanwhile."""
    rows = (
        select(AuditEntry, AuditDetail)
        .outerjoin(AuditDetail, AuditDetail.entry_id == AuditEntry.id)
        .where(AuditEntry.chain == chain, AuditEntry.n <= length)
        .order_by(AuditEntry.n)
    )
    with db.session.execute(rows.execution_options(yield_per=500)) as streamed:
        for link in streamed:
            yield link[0], link[1]


def erase_details(subject_ids: Sequence[UUID]) -> None:
    """Delete the words beside the links about some subjects."""
    about = select(AuditEntry.id).where(AuditEntry.subject_id.in_(subject_ids))
    words = delete(AuditDetail).where(AuditDetail.entry_id.in_(about))
    db.session.execute(words.execution_options(synchronize_session=False))


@dataclass(frozen=True)
class Asked:
    """Which links: what must hold of them."""

    subject_id: UUID | None = None
    action: str | None = None
    actors: Sequence[str] | Select[Any] | None = None
    """Names of actors, or a question after them."""
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""
    noted: bool = False
    """Only those with a moderator's note."""


def listed(chains: Sequence[str], asked: Asked, *, after: Position | None, limit: int) -> Page[Link]:
    """The newest links of some chains first, keyset-paged."""
    rows = (
        select(AuditEntry, AuditDetail)
        .outerjoin(AuditDetail, AuditDetail.entry_id == AuditEntry.id)
        .where(AuditEntry.chain.in_(chains), *_conditions(asked))
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(limit + 1)
    )
    if after:
        rows = rows.where(tuple_(AuditEntry.at, AuditEntry.id) < (after.at, after.id))
    found = [(entry, detail) for entry, detail in db.session.execute(rows)]
    return page_of(found, limit, lambda link: Position(link[0].at, link[0].id))


def history_of(site_id: UUID, subject_id: UUID) -> tuple[list[Link], list[Link]]:
    """The last of what was done to something, and the last that was noted about it, which may be longer ago."""
    asked = (Asked(subject_id=subject_id), Asked(subject_id=subject_id, noted=True))
    deeds, notes = (listed([str(site_id)], one, after=None, limit=_MOST_TOLD).rows for one in asked)
    return deeds, notes


def _conditions(asked: Asked) -> Iterator[Any]:
    if asked.subject_id:
        yield AuditEntry.subject_id == asked.subject_id
    if asked.action:
        yield AuditEntry.action == asked.action
    if asked.actors is not None:
        yield AuditEntry.actor.in_(asked.actors)
    if asked.since:
        yield AuditEntry.at >= asked.since
    if asked.until:
        yield AuditEntry.at < asked.until
    if asked.noted:
        yield AuditDetail.details["note"].as_string().is_not(None)
