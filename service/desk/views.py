"""Comments as the templates draw them: what the API tells moderators, and words for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup

from service.accounts.guard import Principal
from service.audit.queries import Link
from service.authors import queries as authors
from service.authors.queries import HELD
from service.comments.models import Comment, CommentRevision
from service.comments.rendering import text_of
from service.comments.status import APPROVED, DECISIONS, MOVES, PENDING, SPAM
from service.db import new_id, now
from service.desk import deeds, words
from service.desk.languages import said
from service.desk.links import link_hosts, links_as_text
from service.moderation import operations, people, queries, views
from service.moderation.people import Person
from service.moderation.policies import NOT_KNOWN, Trial
from service.numbers.operations import Late
from service.reactions import queries as reactions
from service.reactions.policy import REASONS
from service.rules.models import Rule
from service.sites import queries as sites
from service.sites.addresses import BadPage, ForeignPage, canonical
from service.sites.models import RejectReason

FILTERS = {
    "has_link": (_("Links"), {"true": _("With links"), "false": _("Without links")}),
    "first_timer": (_("Who"), {"true": _("First-timers"), "false": _("Approved before")}),
    "claimed": (_("Taken"), {"me": _("Taken by me"), "free": _("Not taken by others")}),
}
"""Filters that are a choice: what each is about, and its values in words."""
_JUDGED = (APPROVED, PENDING, SPAM)
EXCERPT = 200
"""Characters of a parent that are shown above its reply."""


def items(rows: Sequence[Comment], who: Principal) -> list[dict[str, Any]]:
    """Comments in a list, each with what is known of its person and who has taken it."""
    told, records = views.listed(rows, who), authors.records_of(rows)
    reasons = sites.reasons_of({one.site_id for one in rows})
    return [
        _item(one, more | {"rejections": reasons[one.site_id]}, records[one.id], who)
        for one, more in zip(rows, told, strict=True)
    ]


GROUPED = 3
"""As many that have something in common are shown as one line."""


def entries(rows: Sequence[Comment], groups: Mapping[str, int], who: Principal) -> list[dict[str, Any]]:
    """A list as it is drawn: comments, and in the place of those that are alike one line for all of them."""
    of_each = {one.id: group for one in rows if (group := _group(one, groups))}
    alone = iter(items([one for one in rows if one.id not in of_each], who))
    found: dict[Any, dict[str, Any]] = {}
    for one in rows:
        group = of_each.get(one.id)
        if group is None:
            found[one.id] = next(alone)
        elif group not in found:
            told = {"group": group, "count": groups[group], "shared": shared(group)}
            found[group] = brief(one.id, one) | told | {"choices": who.may(one.site_id, "moderate")}
    return list(found.values())


def _group(one: Comment, groups: Mapping[str, int]) -> str | None:
    """The largest group that a comment is of; links to the site itself make none."""
    own = {words.host(origin).removeprefix("www.") for origin in one.site.origins}
    keys = [f"{kind}:{value}" for kind, value in queries.common(one) if value not in own]
    large = [key for key in keys if groups.get(key, 0) >= GROUPED]
    return max(large, key=lambda key: groups[key], default=None)


def shared(alike: str) -> str:
    """What comments have in common, in words."""
    kind, _kind, value = alike.partition(":")
    return gettext("links to %(host)s", host=value) if kind == "host" else gettext("nearly the same words")


def rejections(drawn: Sequence[Mapping[str, Any]], site_ids: Collection[UUID]) -> list[RejectReason]:
    """The reasons of all sites of a list, each code once; before its first comments, of all that they may come from."""
    found = [one for entry in drawn for one in entry.get("rejections", ())]
    return list({one.code: one for one in found or chain(*sites.reasons_of(site_ids).values())}.values())


def item(one: Comment, who: Principal) -> dict[str, Any]:
    return items([one], who)[0]


def _item(one: Comment, told: dict[str, Any], record: dict[str, Any], who: Principal) -> dict[str, Any]:
    said = told.pop("html")
    told["author"]["name"] = _name(one)
    return told | {
        # The one place of the desk where a text becomes markup: it is the sanitiser's own output.
        "said": Markup(links_as_text(said)),  # noqa: S704 - see above
        "etag": operations.etag(one),
        "key": new_id(),
        "state": words.STATES[one.status],
        "site_name": one.site.name,
        "created": words.moment(one.created_at),
        "edited": words.moment(one.edited_at) if one.edited_at else None,
        "decided": words.moment(one.decided_at) if one.decided_at else None,
        "website_host": words.host(one.website or ""),
        "page_link": _page_link(one),
        "page_named": _page_named(one),
        "link_hosts": link_hosts(said),
        "parent": _parent(one),
        "outcome": outcome(one, who),
        "record": record | {"first_seen": words.moment(record["first_seen"])},
        "choices": _choices(one) if who.may(one.site_id, "moderate") else [],
    }


def holders(found: list[tuple[UUID, str, int, datetime]], who: Principal) -> list[dict[str, Any]]:
    """Who has taken how many comments of the queue."""
    return [
        {"name": name, "mine": moderator_id == who.moderator_id, "count": number, "until": words.moment(until)}
        for moderator_id, name, number, until in found
    ]


def brief(comment_id: UUID, one: Comment | None) -> dict[str, Any]:
    """A comment in a line; what is gone has no words."""
    if one is None:
        return {"id": comment_id, "name": "", "text": "", "status": None}
    return {"id": one.id, "name": _name(one), "text": text_of(one.html, EXCERPT), "status": one.status}


def trial(found: Trial) -> dict[str, Any]:
    """What a policy would have done, in words."""
    counts = [(words.STATES[name], found.now.get(name, 0), found.then.get(name, 0)) for name in _JUDGED]
    first = [
        {
            "id": one.comment.id,
            "name": _name(one.comment),
            "text": text_of(one.comment.html, EXCERPT),
            "now": words.STATES[one.now],
            "then": words.STATES[one.then],
            "reasons": [reason.detail for reason in one.findings],
        }
        for one in found.first
    ]
    return {
        "judged": found.judged,
        "counts": counts,
        "changed": found.changed,
        "first": first,
        "not_known": NOT_KNOWN,
    }


def late(queues: Sequence[Late]) -> list[dict[str, Any]]:
    """Queues that wait longer than their sites want, in words."""
    return [
        {
            "name": one.site.name,
            "age": words.span(int((now() - one.oldest_at).total_seconds())),
            "target": words.span(one.minutes * 60),
        }
        for one in queues
    ]


def _choices(one: Comment) -> list[tuple[str, LazyString]]:
    """The decisions that the comment's state allows, each with its button's words; none where all was erased."""
    if one.erased_at:
        return []
    return [(name, words.LABELS[name]) for name, to in DECISIONS.items() if to in MOVES[one.status]]


def outcome(one: Comment, who: Principal) -> str | None:
    """`Approved. By you, just now.`; None when nobody has decided yet."""
    if one.decided_at is None:
        return None
    told = {"outcome": words.OUTCOMES[one.status], "age": words.age(one.decided_at)}
    if one.decided_by == who.actor:
        return gettext("%(outcome)s By you, %(age)s.", **told)
    by = one.decided_name or words.actor(one.decided_by or "system")
    return gettext("%(outcome)s By %(who)s, %(age)s.", who=by, **told)


def _name(one: Comment) -> str:
    return one.name or gettext("Erased author")


def _page_link(one: Comment) -> str | None:
    """The page's address where a browser can go; an import may have brought something else."""
    url = one.page.url or ""
    return url if url.startswith(("https://", "http://")) else None


def _page_named(one: Comment) -> str | None:
    """The page as a filter names it; None when its address is on no origin of the site any more."""
    named = one.page.url or one.page.key.removeprefix("id:")
    try:
        return named if canonical(named, origins=one.site.origins) else None
    except (BadPage, ForeignPage):
        return None


def _parent(one: Comment) -> dict[str, Any] | None:
    found = one.parent
    if found is None:
        return None
    return {
        "id": found.id,
        "name": _name(found),
        "status": found.status,
        "state": words.STATES[found.status],
        "text": text_of(found.html, EXCERPT),
    }


def whole(one: Comment, who: Principal, history: list[Link]) -> dict[str, Any]:
    """A comment with all that stands behind it."""
    revisions = [_revision(row) | {"diff": differs} for row, differs in views.revisions(one)]
    return item(one, who) | {
        "revisions": [row for row in revisions if row["state"] != HELD],
        "changes": [row for row in revisions if row["state"] == HELD],
        "reports": [
            {"at": words.moment(row.created_at), "reason": said(REASONS[row.reason]), "note": row.note}
            for row in reactions.reports(one.id)
        ],
        "history": [_entry(link) for link in history],
        "body_format": one.body_format,
    }


def person(one: Person, who: Principal) -> dict[str, Any]:
    """What is known of a person, and who may decide about them."""
    return {
        "id": one.comment.id,
        "name": _name(one.comment),
        "site": one.comment.site,
        "names": one.names,
        "email": operations.masked_email(one.comment),
        "networks": one.networks,
        "network": one.comment.network_label,
        "first_seen": words.moment(one.first_seen),
        "last_seen": words.moment(one.last_seen),
        "counts": [(status, words.STATES[status], number) for status, number in one.counts.items()],
        "rules": rules(one.rules, who),
        "may": who.may(one.comment.site_id, "moderate"),
    }


def rules(found: Sequence[Rule], who: Principal) -> list[dict[str, Any]]:
    """Rules with the names of the people whom they are about."""
    names = authors.names_by_id([one.comment_id for one in found if one.comment_id])
    return [
        views.rule(one)
        | {
            "name": names.get(one.comment_id) if one.comment_id else None,
            "until": words.moment(one.until) if one.until else None,
            "created": words.moment(one.created_at),
            "site_name": one.site.name,
            "may": who.may(one.site_id, people.scope_of(one)),
        }
        for one in found
    ]


def _revision(row: CommentRevision) -> dict[str, Any]:
    return {
        "id": row.id,
        "by": words.actor(row.by),
        "at": words.moment(row.created_at),
        "state": row.state,
    }


def _entry(link: Link) -> dict[str, Any]:
    row, detail = link
    told = detail.details if detail else {}
    return {
        "at": words.moment(row.at),
        "by": words.actor(row.actor),
        "what": deeds.deed(row.action),
        "reason": told.get("reason"),
        "note": told.get("note"),
    }
