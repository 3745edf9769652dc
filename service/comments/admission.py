"""What a comment has to be for its page to take it."""

from __future__ import annotations

from uuid import UUID

from service.comments import queries
from service.comments.queries import Before
from service.comments.schemas import timestamp
from service.errors import Duplicate, Invalid, ThreadClosed
from service.sites.models import Page, Site
from service.sites.operations import scale_of


def check_open(page: Page) -> None:
    since = page.closed_since()
    if since:
        raise ThreadClosed(f"Comments on this page closed on {since:%-d %B %Y}.", closed_at=timestamp(since))


def check_parent(page: Page, parent_id: UUID | None) -> None:
    if parent_id is None:
        return
    if not queries.is_published_on(page.id, parent_id):
        raise Invalid.field("parent_id", "parent", "The comment you answer is not on this page (any more).")


def check_rating(site: Site, rating: float | None) -> None:
    scale = scale_of(site)
    if rating is None:
        return
    if scale is None:
        raise Invalid.field("rating", "no-scale", "This site takes no ratings.")
    if not scale.has(rating):
        steps = "in halves" if scale.halves else "in whole steps"
        text = f"Rate from {scale.step:g} to {scale.maximum:g}, {steps}."
        raise Invalid.field("rating", "off-scale", text)


def check_first(before: Before) -> None:
    """Refuse what a proven author, or a network, said already. An address alone proves nothing."""
    if before.said_by_author or before.said_by_network:
        raise Duplicate()
    if before.rated_by_author:
        raise Duplicate("You have rated this page already.")
