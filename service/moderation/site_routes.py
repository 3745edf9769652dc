"""What a site's people manage by API: sites, pages, the audit log, and the pull feed of events."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Response, current_app, request

from service.accounts.guard import guarded, principal
from service.audit import queries as audit
from service.comments.schemas import ListQuery
from service.db import Busy, transaction
from service.doors import LIST_BODY, GuardedDoor, takes, tells
from service.idempotency.operations import Answer, Asked, once
from service.moderation import operations as moderation
from service.moderation import policies, views
from service.moderation import site_schemas as schemas
from service.moderation.exports import exported
from service.moderation.scope import address_of, chains_of, links_of, page_of, site_of, sites_of
from service.pagination import read_cursor, write_cursor
from service.sites import operations, reasons
from service.sites import queries as sites
from service.sites.models import Site
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


@bp.route("/sites/<site>/reasons")
@guarded("read")
@bp.response(200, schemas.Reasons)
def read_reasons(site: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Why comments of the site may be rejected, in the order in which moderators are offered it."""
    return _reasons(site_of(site, "read"))


def _reasons(site: Site) -> tuple[dict[str, Any], int, dict[str, str]]:
    found = sites.reasons_of([site.id])[site.id]
    return {"reasons": reasons.told(found)}, 200, {"ETag": reasons.etag(found)}


@bp.route("/sites/<site>/reasons", methods=["PUT"])
@guarded("manage")
@bp.arguments(schemas.Reasons)
@bp.response(200, schemas.Reasons)
@tells(412, headers=("If-Match",))
def replace_reasons(values: dict[str, Any], site: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Put another list in its place. What is not on it is offered no more; who was told it still reads it."""
    with transaction():
        found = site_of(site, "manage")
        wanted = [reasons.Wanted(**one) for one in values["reasons"]]
        reasons.replace(found, wanted, actor=principal().actor, if_match=request.headers.get("If-Match"))
        return _reasons(found)


@bp.route("/sites/<site>")
@guarded("read")
@bp.response(200, schemas.Settings)
def read_site(site: str) -> tuple[Any, int, dict[str, str]]:
    """One site with all its settings. The ETag is their version."""
    return _site(site_of(site, "read"))


def _site(one: Site) -> tuple[Any, int, dict[str, str]]:
    return views.site(one, principal()), 200, {"ETag": policies.etag(one)}


@bp.route("/sites/<site>", methods=["PATCH"])
@takes(LIST_BODY)
@guarded("manage")
@bp.arguments(schemas.ChangeSite)
@bp.response(200, schemas.Settings)
@tells(409, 412, 428, headers=("If-Match",))
def change_site(values: dict[str, Any], site: str) -> tuple[Any, int, dict[str, str]]:
    """Change some of a site's settings. Needs If-Match."""
    with transaction():
        found = site_of(site, "manage")
        return _site(policies.change_settings(found, values, principal(), request.headers.get("If-Match")))


@bp.route("/sites/<site>/policy-preview", methods=["POST"])
@takes(LIST_BODY)
@guarded("manage")
@bp.arguments(schemas.ChangeSite)
@bp.response(200, schemas.TrialView)
def preview_policy(values: dict[str, Any], site: str) -> dict[str, Any]:
    """What other settings would have made of the last 500 comments. Nothing is changed."""
    return views.trial(policies.try_policy(site_of(site, "manage"), values))


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


@bp.route("/people/lookup", methods=["POST"])
@guarded("moderate")
@bp.arguments(schemas.LookUp)
@bp.response(200, schemas.Found)
def look_up(values: dict[str, Any]) -> dict[str, Any]:
    """Who writes with an address on a site, by the whole address. That you asked is written down."""
    with transaction():
        found = moderation.person_with(site_of(values["site"], "moderate"), values["email"], principal())
    return {"person": found}


_IN_THREE_FORMS = {
    "description": "Pages of JSON, or all there is, by `format`.",
    "content": {
        "application/json": {"schema": schemas.Audit},
        "text/csv": {"schema": {"type": "string"}},
        "application/jsonl": {"schema": {"type": "string"}},
    },
}


@bp.route("/audit")
@guarded("moderate")
@bp.arguments(schemas.AuditQuery, location="query")
@bp.response(200, schemas.Audit)
@bp.doc(responses={"200": _IN_THREE_FORMS})
def read_audit(query: dict[str, Any]) -> Response | dict[str, Any]:
    """Who did what, when and why, newest first. The install's own chain is for its admins."""
    keys, asked = chains_of(query["site"]), links_of(query)
    if query["format"] != "json":
        return _exported(keys, asked, query["format"])
    names = ("site", "subject", "action", "moderator", "since", "until")
    owner = ("audit", *(str(query[name]) for name in names))
    found = audit.listed(list(keys), asked, after=read_cursor(query["cursor"], *owner), limit=query["limit"])
    return {"entries": [views.entry(one) for one in found.rows], "next": write_cursor(found.next, *owner)}


def _exported(keys: dict[str, str], asked: audit.Asked, form: str) -> Response:
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the file outlives this request
    kind = {"csv": "text/csv", "jsonl": "application/jsonl"}[form]
    answer = Response(exported(app, form, keys, asked), content_type=f"{kind}; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    return answer


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
