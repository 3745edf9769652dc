"""Times, outcomes and deeds in words for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import format_date, gettext, ngettext
from flask_babel import lazy_gettext as _

from service.accounts import queries as accounts
from service.comments import status as states
from service.comments.schemas import timestamp
from service.db import now
from service.desk.languages import moment as full
from service.desk.languages import said
from service.moderation.operations import OTHERS
from service.sites.weburl import host_of

LABELS = {
    "approve": _("Approve"), "reject": _("Reject"), "spam": _("Spam"), "delete": _("Delete"), "restore": _("Restore"),
}  # fmt: skip
"""What the button of a decision says."""

STATES = {
    states.PENDING: _("waiting"),
    states.APPROVED: _("approved"),
    states.REJECTED: _("rejected"),
    states.SPAM: _("spam"),
    states.DELETED: _("deleted"),
}

OUTCOMES = {
    states.PENDING: _("Back in the queue."),
    states.APPROVED: _("Approved."),
    states.REJECTED: _("Rejected."),
    states.SPAM: _("Marked as spam."),
    states.DELETED: _("Deleted."),
}
"""What became of a comment."""

_DID: dict[str, Callable[[int], str]] = {
    "approve": lambda n: ngettext("%(num)s approved", "%(num)s approved", n),
    "reject": lambda n: ngettext("%(num)s rejected", "%(num)s rejected", n),
    "spam": lambda n: ngettext("%(num)s marked as spam", "%(num)s marked as spam", n),
    "delete": lambda n: ngettext("%(num)s deleted", "%(num)s deleted", n),
    "restore": lambda n: ngettext("%(num)s put back in the queue", "%(num)s put back in the queue", n),
}
MODES = {
    "pre": _("Every comment waits"),
    "first_timers": _("Comments of people without an approved one wait"),
    "post": _("Comments are published at once"),
}
"""A site's policies."""

ROLES = {"viewer": _("Viewer"), "moderator": _("Moderator"), "owner": _("Owner")}
"""What somebody is on a site."""

SCOPES = {"read": _("Read"), "moderate": _("Moderate"), "manage": _("Manage")}
"""What a token may do."""

_REASONS = {
    "blocked": _("Blocked by a rule"),
    "shadowed": _("In shadow mode by a rule"),
    "held-by-rule": _("Held by a rule"),
    "honeypot": _("A hidden field was filled in"),
    "too-fast": _("Sent too fast"),
    "no-form-token": _("No fresh time token"),
    "null-origin": _("From a page that is not told"),
    "email-flood": _("Many with this e-mail address"),
    "email-duplicate": _("The same text with this e-mail address"),
    "second-rating": _("A second rating"),
    "links": _("Several links"),
    "spam-word": _("A word that is spam here"),
    "held-word": _("A word that holds comments here"),
    "pre-moderation": _("Every comment waits"),
    "first-timer": _("First comment of somebody"),
    "email-undeliverable": _("The address takes no mail"),
    "imported": _("Came with an import"),
    "reported": _("Reported by readers"),
}
"""What a comment can be held for, in few words."""
_RECENT = timedelta(days=30)


def moment(at: datetime) -> dict[str, str]:
    """A time for machines, in full, and as its age."""
    return {
        "iso": timestamp(at) or "",
        "full": full(at),
        "age": age(at),
    }


def age(at: datetime) -> str:
    """`just now`, `5 minutes ago`; the date when it is longer ago than a month."""
    passed = max(now() - at, timedelta())
    if passed >= _RECENT:
        return format_date(at, "long")
    if days := passed // timedelta(days=1):
        return ngettext("%(num)s day ago", "%(num)s days ago", days)
    if hours := passed // timedelta(hours=1):
        return ngettext("%(num)s hour ago", "%(num)s hours ago", hours)
    if minutes := passed // timedelta(minutes=1):
        return ngettext("%(num)s minute ago", "%(num)s minutes ago", minutes)
    return gettext("just now")


def did(decision: str, number: int) -> str:
    """`41 approved`."""
    return _DID[decision](number)


def brought_back(number: int, total: int) -> str:
    """`41 are as they were before`, of as many as had been decided."""
    if not total:
        return gettext("Stopped before anything was decided")
    return ngettext("%(num)s is as it was before", "%(num)s are as they were before", number)


def came_before(name: str | None, number: int) -> str:
    """Why some of many were not decided: `2 were decided by Ada meanwhile`. An empty name is the reader's own."""
    if name is None:
        return ngettext("%(num)s has changed meanwhile", "%(num)s have changed meanwhile", number)
    if not name:
        return ngettext("%(num)s was decided by you before", "%(num)s were decided by you before", number)
    return ngettext(
        "%(num)s was decided by %(name)s meanwhile",
        "%(num)s were decided by %(name)s meanwhile",
        number,
        name=said(name),
    )


def without_reason(number: int) -> str:
    """Why some of many were not rejected: the reason is one of another site."""
    return ngettext("%(num)s is of a site without this reason", "%(num)s are of a site without this reason", number)


def span(seconds: int) -> str:
    """How long something takes: `3 days`, `20 hours`, `5 minutes`; days from the second on, likewise hours."""
    if seconds >= 2 * 86_400:
        return ngettext("%(num)s day", "%(num)s days", seconds // 86_400)
    if seconds >= 2 * 3_600:
        return ngettext("%(num)s hour", "%(num)s hours", seconds // 3_600)
    return ngettext("%(num)s minute", "%(num)s minutes", seconds // 60)


def reason(code: str) -> str:
    """What held a comment, by its code; a new one says its name."""
    return str(_REASONS.get(code, code))


def actor(text: str) -> str:
    """Who an actor of the audit log is: `moderator:<id>` → the name."""
    kind, _, id_ = text.partition(":")
    if kind == "moderator":
        found = accounts.moderator_by_id(UUID(id_))
        return found.name if found else gettext("a former moderator")
    if kind == "token":
        token = accounts.token_by_id(UUID(id_))
        return gettext("the token “%(name)s”", name=token.name) if token else gettext("a former token")
    return said(OTHERS.get(kind, text))


def host(url: str) -> str:
    """The host that a URL really leads to, in ASCII: a look-alike in other letters shows as `xn--…`."""
    return host_of(url) or ""
