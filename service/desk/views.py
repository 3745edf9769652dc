"""Comments as the templates draw them: what the API tells moderators, and words for it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from markupsafe import Markup

from service.accounts.guard import Principal
from service.audit.queries import Link
from service.comments.models import Comment
from service.comments.rendering import text_of
from service.comments.status import DECISIONS, MOVES
from service.desk import words
from service.moderation import operations, queries, views
from service.reactions import queries as reactions
from service.reactions.policy import REASONS

EXCERPT = 200
"""Characters of a parent that are shown above its reply."""


def item(one: Comment, who: Principal) -> dict[str, Any]:
    """A comment in a list."""
    told = views.comment(one)
    said = told.pop("html")
    return told | {
        # The one place of the desk where a text becomes markup: it is the sanitiser's own output.
        "said": Markup(said),  # noqa: S704 - see above
        "etag": operations.etag(one),
        "site_name": one.site.name,
        "created": words.moment(one.created_at),
        "edited": words.moment(one.edited_at) if one.edited_at else None,
        "decided": words.moment(one.decided_at) if one.decided_at else None,
        "website_host": words.host(one.website or ""),
        "page_link": _page_link(one),
        "link_hosts": link_hosts(said),
        "parent": _parent(one),
        "outcome": outcome(one, who),
        "choices": _choices(one) if who.may(one.site_id, "moderate") else [],
    }


def _choices(one: Comment) -> list[tuple[str, str]]:
    """The decisions that the comment's state allows, each with its button's words."""
    return [(name, words.LABELS[name]) for name, to in DECISIONS.items() if to in MOVES[one.status]]


def outcome(one: Comment, who: Principal) -> str | None:
    """`Approved. By you, just now.`; None when nobody has decided yet."""
    if one.decided_at is None:
        return None
    by = "you" if one.decided_by == who.actor else one.decided_name or words.actor(one.decided_by or "system")
    return f"{words.OUTCOMES[one.status]} By {by}, {words.age(one.decided_at)}."


def _page_link(one: Comment) -> str | None:
    """The page's address where a browser can go; an import may have brought something else."""
    url = one.page.url or ""
    return url if url.startswith(("https://", "http://")) else None


def _parent(one: Comment) -> dict[str, Any] | None:
    found = one.parent
    if found is None:
        return None
    return {"id": found.id, "name": found.name, "status": found.status, "text": text_of(found.html, EXCERPT)}


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if (tag, name) == ("a", "href") and value]


def link_hosts(said: str) -> list[str]:
    """Where the links of a comment really lead, each host once: the words of a link may say anything."""
    reader = _Links()
    reader.feed(said)
    return list(dict.fromkeys(words.host(url) or url for url in reader.found))


def whole(one: Comment, who: Principal, history: list[Link]) -> dict[str, Any]:
    """A comment with all that stands behind it."""
    record = queries.record_of(one)
    return item(one, who) | {
        "person": record | {"first_seen": words.moment(record["first_seen"])},
        "revisions": [
            {"by": words.actor(row.by), "at": words.moment(row.created_at), "text": row.body, "state": row.state}
            for row in queries.revisions(one.id)
        ],
        "reports": [
            {"at": words.moment(row.created_at), "reason": REASONS[row.reason], "note": row.note}
            for row in reactions.reports(one.id)
        ],
        "history": [_entry(link) for link in history],
        "body_format": one.body_format,
    }


def _entry(link: Link) -> dict[str, Any]:
    row, detail = link
    told = detail.details if detail else {}
    return {
        "at": words.moment(row.at),
        "by": words.actor(row.actor),
        "what": words.deed(row.action),
        "reason": told.get("reason"),
        "note": told.get("note"),
    }
