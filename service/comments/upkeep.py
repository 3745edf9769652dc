"""What the worker keeps up: html by the present renderer, retention, and whether addresses take mail."""

from __future__ import annotations

from uuid import UUID

from service.comments import queries
from service.comments.likeness import likeness
from service.comments.rendering import RENDER_VERSION, render
from service.db import now
from service.webhooks.outbox import forget_addresses


def render_anew(limit: int) -> int:
    """Render up to `limit` comments whose html an older renderer made; how many there were."""
    rows = queries.rendered_before(RENDER_VERSION, limit)
    for row in rows:
        html = render(row.body, row.body_format)
        host, text = likeness(html)
        queries.set_html(row.id, RENDER_VERSION, html=html, alike_host=host, alike_text=text)
    return len(rows)


def purge(limit: int = 1_000) -> int:
    """Forget addresses and networks past their site's retention time; how many comments."""
    ids = queries.past_retention(now(), limit)
    queries.forget_private(ids)
    forget_addresses(ids)
    return len(ids)


def note_deliverability(comment_id: UUID, takes_mail: bool | None) -> None:
    """Note that an address was asked about; a moderator is told when its domain takes no mail."""
    comment = queries.get_for_update(comment_id)
    if comment is None or comment.erased_at:
        return
    queries.mark_checked(comment_id, now())
    if takes_mail is False:
        queries.add_reason(comment, "email-undeliverable", "The domain of the e-mail address takes no mail.")
