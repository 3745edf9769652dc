"""Rows as moderators see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from service.accounts.principal import Principal
from service.audit.queries import Link
from service.authors import queries as authors
from service.authors.queries import HELD, REFUSED
from service.comments.models import Comment, CommentRevision
from service.comments.rendering import text_of
from service.comments.schemas import timestamp
from service.comments.status import STATUSES
from service.moderation import operations, policies, queries
from service.moderation.decisions import queries as decisions
from service.moderation.diff import differences
from service.moderation.people import Person
from service.moderation.policies import Changed, Trial
from service.moderation.queries import SeenRow
from service.reactions import queries as reactions
from service.rules.models import Rule
from service.rules.policy import PERSON
from service.sites.models import Page, Site
from service.sites.schemas import SiteSettings
from service.webhooks.models import Event
from service.webhooks.outbox import envelope

_EXCERPT = 200
"""Characters that are shown of a comment of which only that much matters."""


class Around(NamedTuple):
    """What is shown with a comment that is not its own."""

    site: str
    page: dict[str, Any]
    avatar: str
    reasons: Sequence[Any]


def listed(rows: Sequence[Comment], who: Principal) -> list[dict[str, Any]]:
    return _told(rows, [_around(one) for one in rows], who)


def _around(one: Comment) -> Around:
    return Around(one.site.key, page(one.page), one.author.avatar, one.reasons)


def listed_rows(rows: Sequence[SeenRow], who: Principal) -> list[dict[str, Any]]:
    """The same of what `queries.listed_rows` found."""
    pages, reasons = queries.pages_of({one.page_id for one in rows}), queries.reasons_of([one.id for one in rows])
    shown = {id_: (one.site.key, page(one)) for id_, one in pages.items()}
    rows = [one for one in rows if one.page_id in shown]  # gone with its import, say
    around = [Around(*shown[one.page_id], one.avatar, reasons.get(one.id, ())) for one in rows]
    return _told(rows, around, who)


def _told(rows: Sequence[Any], around: Sequence[Around], who: Principal) -> list[dict[str, Any]]:
    ids = [str(one.id) for one in rows]
    claims = queries.claims_of(ids)
    undoable = decisions.undoable([id_ for id_, one in zip(ids, rows, strict=True) if one.decision_id])
    return [
        _comment(one, more, claims.get(id_), who, id_ in undoable)
        for id_, one, more in zip(ids, rows, around, strict=True)
    ]


def decided(one: Comment, who: Principal) -> dict[str, Any]:
    """A comment on which `who` has just decided: nobody keeps it any more, and the decision can be undone."""
    return _comment(one, _around(one), None, who, undoable=True)


def comment(one: Comment, who: Principal) -> dict[str, Any]:
    return listed([one], who)[0]


def _comment(one: Any, around: Around, claim: SeenRow | None, who: Principal, undoable: bool) -> dict[str, Any]:
    """A comment, or a row of one."""
    return {
        "id": one.id,
        "site": around.site,
        "page": around.page,
        "parent_id": one.parent_id,
        "status": one.status,
        "author": {
            "name": one.name,
            "website": one.website,
            "avatar": around.avatar,
            "is_moderator": one.is_moderator,
        },
        "email": operations.masked_email(one),
        "network": one.network_label,
        "text": one.body,
        "body_format": one.body_format,
        "html": one.html,
        "rating": one.rating,
        "rating_scale": one.rating_scale,
        "pinned": one.pinned_at is not None,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in around.reasons],
        "risk": one.risk,
        "alike": [f"{kind}:{value}" for kind, value in queries.common(one)],
        "created_at": timestamp(one.created_at),
        "edited_at": timestamp(one.edited_at),
        "erased_at": timestamp(one.erased_at),
        "decided_at": timestamp(one.decided_at),
        "decided_by": operations.decider(one),
        "reason": one.reason,
        "reason_code": one.reason_code,
        "decision_id": one.decision_id if undoable else None,
        "claim": claim
        and {"by": claim.name, "mine": claim.moderator_id == who.moderator_id, "until": timestamp(claim.until)},
        "source": one.source,
        "version": one.version,
    }


def whole(one: Comment, history: list[Link], noted: list[Link], who: Principal) -> dict[str, Any]:
    """A comment with its history, notes, revisions, reports and the person's record."""
    record = authors.records_of([one])[one.id]
    reports = [
        {"reason": row.reason, "note": row.note, "at": timestamp(row.created_at)} for row in reactions.reports(one.id)
    ]
    return comment(one, who) | {
        "notes": [_note(link) for link in reversed(noted)],
        "history": [entry(link) for link in history],
        "revisions": [_revision(row, differs) for row, differs in revisions(one)],
        "reports": reports,
        "person": record | {"first_seen": timestamp(record["first_seen"])},
    }


def _note(link: Link) -> dict[str, Any]:
    """What a moderator noted, with a decision or by itself."""
    row, detail = link
    return {"note": detail and detail.details["note"], "by": row.actor, "at": timestamp(row.at)}


def revisions(one: Comment) -> list[tuple[CommentRevision, list[list[str]]]]:
    """The other texts of a comment, the oldest first, each with what differs.

    Of an earlier text: from the next one, which took its place. Of a change that waits, or was refused: from the text
    that it was to take the place of.
    """
    found: list[tuple[CommentRevision, list[list[str]]]] = []
    following = one.body
    for row in reversed(queries.revisions(one.id)):
        if row.state == HELD:
            found.append((row, differences(one.body, row.body)))
        elif row.state == REFUSED:
            found.append((row, differences(following, row.body)))
        else:
            found.append((row, differences(row.body, following)))
            following = row.body
    return found[::-1]


def _revision(row: CommentRevision, differs: list[list[str]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "text": row.body,
        "by": row.by,
        "created_at": timestamp(row.created_at),
        "diff": differs,
    }


def entry(link: Link) -> dict[str, Any]:
    row, detail = link
    return {
        "id": row.id,
        "n": row.n,
        "chain": row.chain,
        "at": timestamp(row.at),
        "actor": row.actor,
        "action": row.action,
        "subject_id": row.subject_id,
        "details": detail.details if detail else None,
    }


def page(one: Page) -> dict[str, Any]:
    state = "closed" if one.closed_since() else "open"
    return {"id": one.id, "url": one.url, "title": one.title, "state": state}


def whole_page(one: Page) -> dict[str, Any]:
    more = {"site": one.site.key, "comment_count": one.comment_count, "created_at": timestamp(one.created_at)}
    return page(one) | more


def site(one: Site, who: Principal) -> dict[str, Any]:
    settings = {name: getattr(one, name) for name in SiteSettings().fields}
    return settings | {"key": one.key, "role": who.role_on(one.id), "version": one.version}


def trial(found: Trial) -> dict[str, Any]:
    """What a policy would have done, with the sentences that say what is not known."""
    none = {"approved": 0, "pending": 0, "spam": 0}
    return {
        "judged": found.judged,
        "now": none | found.now,
        "then": none | found.then,
        "changed": found.changed,
        "first": [_would_change(one) for one in found.first],
        "not_known": list(policies.NOT_KNOWN),
    }


def _would_change(one: Changed) -> dict[str, Any]:
    return {
        "id": one.comment.id,
        "author": one.comment.name,
        "text": text_of(one.comment.html, _EXCERPT),
        "now": one.now,
        "then": one.then,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in one.findings],
    }


def rule(one: Rule) -> dict[str, Any]:
    """A rule; a person's by the comment from which it was made, never by what tells them again."""
    return {
        "id": one.id,
        "site": one.site.key,
        "kind": one.kind,
        "effect": one.effect,
        "value": None if one.kind == PERSON else one.value,
        "comment": one.comment_id,
        "note": one.note,
        "until": timestamp(one.until),
        "created_at": timestamp(one.created_at),
        "by": one.created_name,
    }


def person(one: Person) -> dict[str, Any]:
    """What is known of a person, as any of their comments leads to it."""
    return {
        "id": one.comment.id,
        "site": one.comment.site.key,
        "names": list(one.names),
        "email": operations.masked_email(one.comment),
        "networks": list(one.networks),
        "first_seen": timestamp(one.first_seen),
        "last_seen": timestamp(one.last_seen),
        "counts": {status: one.counts.get(status, 0) for status in STATUSES},
        "rules": [rule(row) for row in one.rules],
    }


def event(one: Event) -> dict[str, Any]:
    return {"id": one.id, "seq": one.seq} | envelope(one)
