"""What a site's people manage by API: sites, pages, the audit log, and the pull feed of events."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import request

from service.accounts.guard import guarded, principal
from service.audit import queries as audit
from service.audit.models import INSTALL
from service.comments.schemas import ListQuery
from service.db import Busy, transaction
from service.doors import GuardedDoor, tells
from service.idempotency.operations import Answer, Asked, once
from service.moderation import schemas, views
from service.moderation.scope import address_of, page_of, site_of, sites_of
from service.pagination import read_cursor, write_cursor
from service.sites import operations
from service.sites import queries as sites
from service.webhooks import outbox
from service.webhooks import queries as events

bp = GuardedDoor("management", __name__, url_prefix="/v1", description="Sites, pages, audit, events.")


@bp.route("/sites")
@guarded("read")
@bp.arguments(ListQuery, location="query")
@bp.response(200, schemas.Sites)
def read_sites(query: dict[str, Any]) -> dict[str, Any]:
    """The sites on which you have a role, the oldest first."""
    who = principal()
    found = sites.listed(who.site_ids("read"), read_cursor(query["cursor"], "sites"), query["limit"])
    rows = [
        {"key": one.key, "name": one.name, "origins": one.origins, "mode": one.mode, "role": who.role_on(one.id)}
        for one in found.rows
    ]
    return {"sites": rows, "next": write_cursor(found.next, "sites")}


@bp.route("/pages")
@guarded("read")
@bp.arguments(schemas.PagesQuery, location="query")
@bp.response(200, schemas.Pages)
def read_pages(query: dict[str, Any]) -> dict[str, Any]:
    """Pages that have a thread, newest first."""
    ids = [site.id for site in sites_of(query["site"], "read")]
    owner = ("pages", query["site"])
    found = sites.pages(ids, read_cursor(query["cursor"], *owner), query["limit"])
    return {"pages": [views.whole_page(one) for one in found.rows], "next": write_cursor(found.next, *owner)}


@bp.route("/pages", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.NewPage)
@bp.response(201, schemas.PageFull)
@tells(headers=("Idempotency-Key",))
def open_page(values: dict[str, Any]) -> tuple[Any, int]:
    """Open the thread of a page before anybody writes on it. The same page twice is one."""

    def act() -> Answer:
        site = site_of(values["site"], "moderate")
        actor = principal().actor
        page = operations.open_page(site, address_of(site, values["page"]), values["title"], actor=actor)
        operations.change_page(page, actor=actor, title=values["title"] or None)
        return Answer(201, schemas.PageFull().dump(views.whole_page(page)))

    with transaction():
        done = once(_asked("pages", values), act)
    return done.body, done.status


def _asked(door: str, body: Any) -> Asked:
    return Asked(by=principal().actor, door=f"management.{door}", key=request.headers.get("Idempotency-Key"), body=body)


@bp.route("/pages/<uuid:page_id>", methods=["PATCH"])
@guarded("moderate")
@bp.arguments(schemas.ChangePage)
@bp.response(200, schemas.PageFull)
def change_page(values: dict[str, Any], page_id: UUID) -> dict[str, Any]:
    """Rename, close or reopen a page."""
    with transaction():
        page = page_of(page_id, "moderate")
        operations.change_page(page, actor=principal().actor, **values)
        return views.whole_page(page)


@bp.route("/pages/<uuid:page_id>/aliases", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.NewAlias)
@bp.response(201, schemas.PageFull)
@tells(409, headers=("Idempotency-Key",))
def add_alias(values: dict[str, Any], page_id: UUID) -> tuple[Any, int]:
    """Let another address lead to the page."""

    def act() -> Answer:
        page = page_of(page_id, "moderate")
        operations.add_alias(page, address_of(page.site, values["page"]), actor=principal().actor)
        return Answer(201, schemas.PageFull().dump(views.whole_page(page)))

    with transaction():
        done = once(_asked("aliases", values | {"id": str(page_id)}), act)
    return done.body, done.status


@bp.route("/audit")
@guarded("moderate")
@bp.arguments(schemas.AuditQuery, location="query")
@bp.response(200, schemas.Audit)
def read_audit(query: dict[str, Any]) -> dict[str, Any]:
    """Who did what, when and why, newest first. The install's own chain is for its admins."""
    chains = [str(site.id) for site in sites_of(query["site"], "moderate")]
    if principal().is_admin and not query["site"]:
        chains.append(INSTALL)
    owner = ("audit", query["site"], query["subject"], query["action"])
    after = read_cursor(query["cursor"], *owner)
    found = audit.listed(chains, subject_id=query["subject"], action=query["action"], after=after, limit=query["limit"])
    return {"entries": [views.entry(one) for one in found.rows], "next": write_cursor(found.next, *owner)}


@bp.route("/events")
@guarded("read")
@bp.arguments(schemas.EventsQuery, location="query")
@bp.response(200, schemas.Events)
def read_events(query: dict[str, Any]) -> dict[str, Any]:
    """Every event of your sites in order: send `next` as `after` and you miss none, and get none twice."""
    ids = [site.id for site in sites_of(query["site"], "read")]
    _release_due()
    found = events.released(ids, after=query["after"], types=query["types"], limit=query["limit"])
    return {"events": [views.event(one) for one in found], "next": found[-1].seq if found else query["after"]}


def _release_due() -> None:
    """Release what is due, so as to tell it now. A reader waits for no writer, and fails for none."""
    if not outbox.any_due():
        return
    with suppress(Busy), transaction(patience=0):
        outbox.release_due(wait=False)
