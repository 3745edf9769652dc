"""Share the queue out: what one moderator takes, no other is handed meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from service.accounts.principal import Principal
from service.comments.models import Comment
from service.comments.status import PENDING
from service.db import now
from service.moderation import queries
from service.moderation.queries import LEASE, Filter
from service.sites import queries as sites


def take(wanted: Filter, sort: str, number: int, who: Principal) -> tuple[list[Comment], datetime]:
    """The next so many waiting comments that a filter matches and nobody else has, taken; and until when.

    What the moderator has taken already counts, and is kept for them anew.
    """
    sites.lock_sites(wanted.site_ids)
    until = now() + LEASE
    free = replace(wanted, status=PENDING, free_for=who.moderator_id)
    found = queries.listed(free, sort=sort, after=None, limit=number).rows
    return [one for one in found if queries.claim(one.id, who.moderator_id, who.name, until)], until


def give_back(who: Principal) -> int:
    """Let others have what somebody has taken; how many."""
    return queries.drop_claims(moderator_id=who.moderator_id)
