"""Questions about what readers did about comments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from service.comments.models import Comment
from service.comments.status import APPROVED
from service.db import db
from service.reactions.models import Report, Vote
from service.sites.models import Site

Kind = type[Vote] | type[Report]
MOST_SHOWN = 100
"""Reports of one comment that moderators see."""


def is_published(site_id: UUID, comment_id: UUID) -> bool:
    here = select(Comment.id).where(Comment.id == comment_id, Comment.site_id == site_id, Comment.status == APPROVED)
    return db.session.scalar(here) is not None


def vote_of(comment_id: UUID, digest: bytes) -> Vote | None:
    """The vote of a device for a comment."""
    return db.session.scalar(select(Vote).where(Vote.comment_id == comment_id, Vote.device_digest == digest))


def reports(comment_id: UUID) -> Sequence[Report]:
    """What readers reported of a comment, the newest first."""
    rows = select(Report).where(Report.comment_id == comment_id).order_by(Report.created_at.desc(), Report.id.desc())
    return db.session.scalars(rows.limit(MOST_SHOWN)).all()


def count_reports(comment_id: UUID, *, since: datetime | None) -> int:
    """How many reports a comment has, or has got since a moment."""
    rows = select(func.count()).select_from(Report).where(Report.comment_id == comment_id)
    return db.session.scalar(rows.where(Report.created_at > since) if since else rows) or 0


def add_risk(comment_id: UUID, by: int) -> None:
    """Let a comment come earlier in the queue without touching its version."""
    table = Comment.__table__
    change = update(table).where(table.c.id == comment_id)  # type: ignore[arg-type]
    db.session.execute(change.values(risk=table.c.risk + by))


def forget_notes(comment_ids: Sequence[UUID]) -> None:
    """Take their words off the reports of some comments."""
    change = update(Report).where(Report.comment_id.in_(comment_ids)).values(note=None)
    db.session.execute(change.execution_options(synchronize_session=False))


def forget_networks(kind: Kind, moment: datetime, limit: int) -> int:
    """Take up to `limit` labels of each site off what is older than the site keeps them; how many."""
    gone = 0
    for site_id, days in db.session.execute(select(Site.id, Site.retention_days)).all():
        old = select(kind.id).where(
            kind.site_id == site_id, kind.network_label.is_not(None), kind.created_at < moment - timedelta(days=days)
        )
        change = update(kind).where(kind.id.in_(old.limit(limit))).values(network_label=None)
        gone += db.session.execute(change.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
    return gone
