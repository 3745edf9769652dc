"""The audit log at the desk: every change by anyone on my sites, newest first, and as a file."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, url_for
from flask_babel import gettext

from service.accounts import queries as accounts
from service.accounts.guard import guarded, principal
from service.audit import queries as audit
from service.audit.queries import Link
from service.desk import deeds, schemas, words
from service.desk.pages import draw
from service.desk.ui import bp, parser
from service.errors import Forbidden
from service.moderation.scope import chains_of, links_of, sites_of
from service.pagination import read_cursor, write_cursor

FILTERS = ("site", "moderator", "action", "subject", "since", "until")


@bp.route("/audit")
@guarded("moderate")
def audit_log() -> Response:
    """Who did what, when and why. What belongs to no site is for admins of the install."""
    query = parser.parse(schemas.Audit(), location="query")
    cursor, limit = query.pop("cursor"), query.pop("limit")
    owner = ("desk.audit", *(str(query[name]) for name in FILTERS))
    exact = query | {"since": _begin(query["since"]), "until": _end(query["until"])}
    keys = chains_of(query["site"])
    if not keys:
        raise Forbidden("Your role on this site, or your token, does not allow to moderate.")
    found = audit.listed(list(keys), links_of(exact), after=read_cursor(cursor, *owner), limit=limit)
    kept = {name: str(query[name]) for name in FILTERS if query[name] is not None}
    following = write_cursor(found.next, *owner)
    entries = [_entry(link, keys) for link in found.rows]
    return draw(
        "audit.html",
        entries=entries,
        query=query,
        sites=sites_of(None, "moderate"),
        people=_people(query["moderator"], entries),
        actions=deeds.deeds(),
        files=[(form, _file(exact, form)) for form in ("csv", "jsonl")],
        first=_list(kept) if cursor else None,
        next=_list(kept | {"cursor": following}) if following else None,
        without_subject=_list(kept | {"subject": None}),
        is_filtered=bool(kept),
        about=lambda subject: _list({"subject": subject}),
        all_by=lambda moderator_id: _list({"moderator": moderator_id}),
    )


def _list(query: dict[str, Any]) -> str:
    """An address of this list."""
    said = urlencode({name: one for name, one in query.items() if one is not None})
    return url_for("desk.audit_log") + (f"?{said}" if said else "")


def _begin(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


def _end(day: date | None) -> datetime | None:
    """The end of a day, which people count in."""
    return datetime.combine(day + timedelta(days=1), time(), UTC) if day else None


def _file(exact: dict[str, Any], form: str) -> str:
    """Where the API hands the same list out as a file."""
    said = {name: exact[name] for name in FILTERS if exact[name] is not None}
    told = {name: one.isoformat() if isinstance(one, datetime) else str(one) for name, one in said.items()}
    return url_for("management.read_audit") + f"?{urlencode(told | {'format': form})}"


def _people(chosen: UUID | None, entries: list[dict[str, Any]]) -> list[tuple[UUID, str]]:
    """Whoever may change something on my sites, for an admin everybody; and who is asked for, though they left."""
    if principal().is_admin:
        found = {one.id: one.name for one in accounts.moderators()}
    else:
        found = {one.id: one.name for site in sites_of(None, "moderate") for one, _ in accounts.people_of(site.id)}
    if chosen and chosen not in found:  # named only where my own log names them
        found[chosen] = next((one["by"] for one in entries if one["is_in_person"]), gettext("a former moderator"))
    return sorted(found.items(), key=lambda one: one[1])


def _moderator_of(actor: str) -> UUID | None:
    """Whose deed it was, in person or by a token."""
    kind, _, id_ = actor.partition(":")
    if kind == "token":
        token = accounts.token_by_id(UUID(id_))
        return token.moderator_id if token else None
    return UUID(id_) if kind == "moderator" else None


def _entry(link: Link, keys: dict[str, str]) -> dict[str, Any]:
    row, detail = link
    is_comment = row.subject_id is not None and row.action.startswith("comment.")
    return {
        "at": words.moment(row.at),
        "by": words.actor(row.actor),
        "by_id": _moderator_of(row.actor),
        "is_in_person": row.actor.startswith("moderator:"),
        "what": deeds.deed(row.action),
        "site": keys[row.chain],
        "subject": row.subject_id,
        "comment": url_for("desk.comment", comment_id=row.subject_id) if is_comment else None,
        "told": _told(detail.details) if detail else [],
        "is_erased": detail is None,
        "n": row.n,
    }


def _told(details: dict[str, Any]) -> list[tuple[str | None, str, str]]:
    """The details: what each is called (None where only programs have a name for it), that name, and the value.

    Of a change, each setting that differs, before and after.
    """
    before, after = details.get("before"), details.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        return [(None, name, f"{_value(before.get(name))} → {_value(after[name])}") for name in after]
    return [(deeds.detail(name), name, _value(one)) for name, one in details.items() if one not in (None, "")]


def _value(value: Any) -> str:
    if value in (None, "", []):
        return "–"
    if isinstance(value, str):
        return str((words.STATES | words.ROLES).get(value, value))
    return json.dumps(value, ensure_ascii=False)
