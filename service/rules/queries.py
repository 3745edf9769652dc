"""Questions about rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, or_, select, tuple_, union_all
from sqlalchemy.orm import joinedload

from service.db import db, insert_if_new, now, run, table_of
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.rules.models import Rule
from service.rules.policy import PERSON
from service.sites.queries import is_of

_C = table_of(Rule).c
_STANDS = or_(_C.until.is_(None), _C.until > bindparam("now", callable_=now))
"""The condition that a rule's end has not come."""
_HERE = select(_C.id, _C.kind, _C.effect, _C.value, _C.email_index, _C.created_at).where(
    _C.site_id == bindparam("site"), _STANDS
)
_MATCHING = union_all(
    _HERE.where(_C.value.in_(bindparam("values", expanding=True))), _HERE.where(_C.email_index == bindparam("index"))
)
"""Each half has its own index: a site may have thousands of rules."""


def matching(site_id: UUID, values: Collection[str], index: bytes | None) -> Sequence[Row[*tuple[Any, ...]]]:
    """The rules of a site about any of these values, of whatever kind, or about an address: what tells them apart."""
    rows = run(_MATCHING, site=site_id, values=sorted(values), index=index)
    return sorted({one.id: one for one in rows}.values(), key=lambda one: (one.created_at, one.id))


def some(rule_ids: Collection[UUID]) -> Sequence[Rule]:
    """Some rules, the oldest first."""
    found = db.session.scalars(select(Rule).where(Rule.id.in_(rule_ids)))
    return sorted(found, key=lambda one: (one.created_at, one.id))


def listed(site_ids: Sequence[UUID], kind: str | None, *, after: Position | None, limit: int) -> Rows[Rule]:
    """The rules of some sites that stand, the newest first, keyset-paged."""
    rows = select(Rule).where(Rule.site_id.in_(site_ids), _STANDS).options(joinedload(Rule.site))
    if kind:
        rows = rows.where(Rule.kind == kind)
    if after:
        rows = rows.where(tuple_(Rule.created_at, Rule.id) < (after.at, after.id))
    found = db.session.scalars(rows.order_by(Rule.created_at.desc(), Rule.id.desc()).limit(limit + 1)).all()
    return page_of(found, limit, lambda one: Position(one.created_at, one.id))


def rule(rule_id: UUID, sites: Collection[UUID] | None) -> Rule | None:
    """A rule of one of these sites that stands, locked."""
    one = select(Rule).where(Rule.id == rule_id, is_of(Rule.site_id, sites), _STANDS)
    return db.session.scalar(one.options(joinedload(Rule.site)).with_for_update(of=Rule))


def add(values: dict[str, Any]) -> bool:
    """Store a rule; False when there is one about the same with the same effect."""
    same = [getattr(Rule, name) == values[name] for name in ("site_id", "value", "kind", "effect")]
    ended = delete(Rule).where(*same, Rule.until <= now())
    db.session.execute(ended.execution_options(synchronize_session=False))
    return insert_if_new(Rule, values)


def forget_ended(moment: datetime, limit: int) -> int:
    """Delete up to `limit` rules that ended before a moment; how many."""
    old = select(Rule.id).where(Rule.until <= moment).limit(limit)
    gone = delete(Rule).where(Rule.id.in_(old)).execution_options(synchronize_session=False)
    return int(db.session.execute(gone).rowcount)  # type: ignore[attr-defined]


def about(site_id: UUID, author_id: UUID, comment_ids: Sequence[UUID]) -> Iterator[Rule]:
    """The rules about the holder of a token, and those that were made from some comments."""
    of_token = select(Rule).where(Rule.site_id == site_id, Rule.value == author_id.hex, Rule.kind == PERSON)
    yield from db.session.scalars(of_token)
    if comment_ids:
        yield from db.session.scalars(select(Rule).where(Rule.comment_id.in_(comment_ids)))
