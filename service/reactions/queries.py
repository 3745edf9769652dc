"""Questions about what readers did about comments."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from service.comments.models import Comment
from service.comments.status import APPROVED
from service.db import db
from service.reactions.models import Vote
from service.sites.models import Site

Kind = type[Vote]


def is_published(site_id: UUID, comment_id: UUID) -> bool:
    here = select(Comment.id).where(Comment.id == comment_id, Comment.site_id == site_id, Comment.status == APPROVED)
    return db.session.scalar(here) is not None


def vote_of(comment_id: UUID, digest: bytes) -> Vote | None:
    """The vote of a device for a comment."""
    return db.session.scalar(select(Vote).where(Vote.comment_id == comment_id, Vote.device_digest == digest))


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
