"""Submit, change and restore comments. `transition` is the one way to change a state."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from service.audit.operations import Deed, record
from service.comments import queries
from service.comments.events import EVENT_OF, comment_data
from service.comments.models import Author, Comment, CommentRevision, HoldReason
from service.comments.rendering import RENDER_VERSION, render
from service.comments.schemas import timestamp
from service.comments.status import APPROVED
from service.db import db, new_id, now
from service.errors import Duplicate, Invalid, ThreadClosed
from service.privacy.seal import email_index, network_label, seal
from service.sites.addresses import Address
from service.sites.models import Page, Site
from service.sites.operations import open_page, scale_of
from service.sites.queries import count_comment, count_rating, lock_page
from service.spam.rules import Facts
from service.spam.verdict import Verdict, judge
from service.webhooks.outbox import announce

TOKEN_PREFIX = "gra_"  # noqa: S105 - how tokens begin, not one
_SAME_TEXT = timedelta(days=1)


@dataclass(frozen=True)
class Submission:
    """What a visitor typed, already cleaned by the schema."""

    page: Address
    name: str
    email: str
    body: str
    page_title: str = ""
    parent_id: UUID | None = None
    website: str | None = None
    rating: float | None = None
    notify: bool = False


@dataclass(frozen=True)
class Sender:
    """Where a submission came from, and what the door noticed about it."""

    ip: str
    author_token: str | None = None
    signs: dict[str, Any] = field(default_factory=dict)
    """Facts that only the door knows (see spam.rules.Facts): honeypot, form_age, is_form, …"""


@dataclass(frozen=True)
class Submitted:
    """A stored comment; `token` is its author's, when it is a new one."""

    comment: Comment
    token: str | None


@dataclass(frozen=True)
class Change:
    """Who moves a comment to another state, and why. `event` None: nobody is told."""

    actor: str
    event: str | None
    name: str | None = None
    reason: str | None = None
    note: str | None = None
    not_before: datetime | None = None


def submit(site: Site, what: Submission, sender: Sender) -> Submitted:
    """Judge, seal and store a submission.

    Raises ThreadClosed, Invalid (parent, rating) and Duplicate (same words by the same token or network).
    """
    author, token = _author(site, sender.author_token)
    page = open_page(site, what.page, what.page_title, actor=f"author:{author.id}")
    lock_page(page.id)  # now, so that of two who say the same at once the second is seen to repeat it
    _check_open(page)
    _check_parent(page, what.parent_id)
    _check_rating(site, what.rating)
    index, label = email_index(site.id, what.email), network_label(site.id, sender.ip)
    _check_first(page, what, author, label)
    by_email = queries.by_email(site.id, index)
    facts = Facts(
        body=what.body,
        mode=site.mode,
        known_author=token is None and queries.is_known(author.id),
        same_text_by_email=queries.said_before(page.id, what.body, since=now() - _SAME_TEXT, by=by_email),
        rated_by_email=what.rating is not None and queries.rated_before(page.id, by_email),
        **sender.signs,
    )
    verdict = judge(facts)
    comment = Comment(
        id=new_id(), site=site, page=page, author=author, parent_id=what.parent_id, name=what.name,
        website=what.website, email_sealed=seal(what.email), email_index=index, network_label=label,
        rating=what.rating, rating_scale=site.rating_max if what.rating is not None else None,
        notify=what.notify, notify_consent_at=now() if what.notify else None,
        risk=verdict.risk, reasons=_reasons(verdict),
    )  # fmt: skip
    write(comment, what.body, "md")
    transition(comment, verdict.status, Change(f"author:{author.id}", "comment.created"))
    return Submitted(comment, token)


def _reasons(verdict: Verdict) -> list[HoldReason]:
    return [HoldReason(n=n, code=one.code, detail=one.detail) for n, one in enumerate(verdict.findings)]


def _check_open(page: Page) -> None:
    since = page.closed_since()
    if since:
        raise ThreadClosed(f"Comments on this page closed on {since:%-d %B %Y}.", closed_at=timestamp(since))


def _check_parent(page: Page, parent_id: UUID | None) -> None:
    if parent_id is None:
        return
    if not queries.is_published_on(page.id, parent_id):
        raise Invalid.field("parent_id", "parent", "The comment you answer is not on this page (any more).")


def _check_rating(site: Site, rating: float | None) -> None:
    scale = scale_of(site)
    if rating is None:
        return
    if scale is None:
        raise Invalid.field("rating", "no-scale", "This site takes no ratings.")
    if not scale.has(rating):
        steps = "in halves" if scale.halves else "in whole steps"
        text = f"Rate from {scale.step:g} to {scale.maximum:g}, {steps}."
        raise Invalid.field("rating", "off-scale", text)


def _check_first(page: Page, what: Submission, author: Author, label: str) -> None:
    """Refuse what a proven author, or a network, said already. An address alone proves nothing."""
    since = now() - _SAME_TEXT
    for who in (queries.by_author(author.id), queries.by_network(page.site_id, label)):
        if queries.said_before(page.id, what.body, since=since, by=who):
            raise Duplicate()
    if what.rating is not None and queries.rated_before(page.id, queries.by_author(author.id)):
        raise Duplicate("You have rated this page already.")


def _author(site: Site, token: str | None) -> tuple[Author, str | None]:
    """The holder of the token, or a new author and the token to hand out."""
    known = queries.author_of_token(site.id, token_digest(token)) if token else None
    if known:
        return known, None
    fresh = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return new_author(site, token_digest(fresh)), fresh


def new_author(site: Site, digest: bytes | None = None) -> Author:
    author = Author(id=new_id(), site_id=site.id, token_digest=digest, avatar=secrets.token_hex(8))
    db.session.add(author)
    return author


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def write(comment: Comment, body: str, body_format: str) -> None:
    """Set a text and its html: the one path from words to html, for every way to write."""
    comment.body, comment.body_format = body, body_format
    comment.html, comment.render_version = render(body, body_format), RENDER_VERSION


def transition(comment: Comment, to: str, change: Change) -> None:
    """Move a comment to a state; counters, audit and event follow in the same transaction.

    `comment` is new on a locked page, or locked by `queries.get_for_update`. Raises IllegalTransition.
    """
    before = cast("str | None", comment.status)  # a new comment has none
    comment.status = to
    if before is not None:
        comment.decided_at, comment.decided_by = now(), change.actor
        comment.decided_name, comment.reason = change.name, change.reason
    db.session.add(comment)
    db.session.flush()
    if before is None:
        queries.index_words(comment)
    _recount(comment, before)
    details = {"from": before, "to": to, "reason": change.reason, "note": change.note}
    action = "comment.created" if before is None else EVENT_OF[to]
    if change.event:
        record(Deed(action, change.actor, comment.site_id, comment.id, details))
        told = {"actor": change.actor, "reason": change.reason, "previous_status": before}
        data = comment_data(comment, **told)
        announce(change.event, comment.site_id, comment.id, data, not_before=change.not_before)


def _recount(comment: Comment, before: str | None) -> None:
    """Keep the page's count, its histogram, the parent's tally and what is shown in step with the state."""
    by = int(comment.status == APPROVED) - int(before == APPROVED)
    if by:
        count_comment(comment.page_id, by)
        if comment.parent_id:
            queries.tally(comment.parent_id).replies += by
    if comment.rating is not None and comment.rating_scale is not None:
        count_rating(comment.page_id, comment.rating_scale, comment.rating, by)  # 0 too: the scale is in use
    reshow(comment.id, comment.parent_id, comment.status)
    db.session.flush()


def reshow(comment_id: UUID, parent_id: UUID | None, status: str) -> None:
    """Show what is approved or carries something shown; go up only as long as that changes anything."""
    is_shown = queries.place_of(comment_id).shown
    should = status == APPROVED or queries.tally(comment_id).shown_replies > 0
    while is_shown != should:
        queries.set_shown(comment_id, should)
        if parent_id is None:
            return
        parent = queries.place_of(parent_id)
        tally = queries.tally(parent_id)
        tally.shown_replies += 1 if should else -1
        db.session.flush()
        comment_id, parent_id, is_shown = parent_id, parent.parent_id, parent.shown
        should = parent.status == APPROVED or tally.shown_replies > 0


def revise(comment: Comment, body: str, *, actor: str, hold: bool = False) -> None:
    """Give a comment (locked) another text; the old one is kept.

    `hold`: a published comment keeps its text until a moderator takes the new one.
    """
    if hold and comment.status == APPROVED:
        _keep(comment, "held", body, "md", actor)
        record(Deed("comment.revision-held", actor, comment.site_id, comment.id))
        return
    _keep(comment, "published", comment.body, comment.body_format, actor)
    write(comment, body, "md")
    comment.edited_at = now()
    db.session.flush()
    queries.index_words(comment)
    record(Deed("comment.edited", actor, comment.site_id, comment.id))
    data = comment_data(comment, actor=actor)
    announce("comment.edited", comment.site_id, comment.id, data)


def _keep(comment: Comment, state: str, body: str, body_format: str, actor: str) -> None:
    row = CommentRevision(
        id=new_id(), comment_id=comment.id, state=state, body=body, body_format=body_format, by=actor, created_at=now()
    )
    db.session.add(row)


def render_anew(limit: int) -> int:
    """Render up to `limit` comments whose html an older renderer made; how many there were."""
    rows = queries.rendered_before(RENDER_VERSION, limit)
    for row in rows:
        queries.set_html(row.id, render(row.body, row.body_format), RENDER_VERSION)
    return len(rows)


def purge(limit: int = 1_000) -> int:
    """Forget addresses and networks past their site's retention time; how many comments."""
    ids = queries.past_retention(now(), limit)
    queries.forget_private(ids)
    return len(ids)


def note_deliverability(comment_id: UUID, takes_mail: bool | None) -> None:
    """Note that an address was asked about; a moderator is told when its domain takes no mail."""
    comment = queries.get_for_update(comment_id)
    if comment is None:
        return
    queries.mark_checked(comment_id, now())
    if takes_mail is False:
        detail = "The domain of the e-mail address takes no mail."
        comment.reasons.append(HoldReason(n=len(comment.reasons), code="email-undeliverable", detail=detail))
        db.session.flush()
