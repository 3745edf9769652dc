"""Webhooks at the desk: where the events of a site are sent, what became of each, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, request, url_for
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnprocessableEntity

from service import errors
from service.accounts.guard import guarded, principal
from service.db import new_id, now, transaction
from service.desk import endpoints
from service.desk import webhook_schemas as schemas
from service.desk.once import once_by_form
from service.desk.pages import draw
from service.desk.ui import away, bp, parser
from service.errors import Conflict, Invalid, NotFound, Problem
from service.idempotency.operations import Answer
from service.moderation import webhooks as operations
from service.moderation.scope import site_of, sites_of
from service.pagination import Position, page_of, read_cursor, write_cursor
from service.webhooks import queries
from service.webhooks.models import Endpoint
from service.webhooks.operations import Issued, Wanted
from service.webhooks.policy import STANDARD

LISTED, SHOWN = 20, 20
"""Endpoints, and deliveries of one of them, that are shown at a time."""
_A_DAY, _A_WHILE = timedelta(days=1), timedelta(hours=1)
_DONE = {
    "removed": _("Nothing is sent there any more, and its log is forgotten."),
    "changed": _("Saved."),
    "tested": _("A test is on its way. It stands first in the list below, with what became of it."),
    "enabled": _("It is on again. What it missed meanwhile is sent if you ask for it, below."),
    "again": _("It is sent once more, under the same id. It stands first in the list of all."),
}


@bp.route("/webhooks")
@guarded("manage")
def webhooks() -> Response:
    """The endpoints of my sites, the newest first."""
    return _list(parser.parse(schemas.Webhooks(), location="query"))


def _list(asked: dict[str, Any], problem: Problem | None = None) -> Response:
    mine = sites_of(None, "manage")
    among = list(sites_of(asked["site"], "manage"))
    owner = ("desk.webhooks", asked["site"])
    found = operations.listed(among, read_cursor(asked["cursor"], *owner), LISTED)
    following = write_cursor(found.next, *owner)
    typed = _typed(request.form)
    return draw(
        "webhooks.html",
        problem.status if problem else 200,
        rows=endpoints.listed(found.rows),
        off=endpoints.switched_off([one.id for one in among]),
        sites=mine,
        site=asked["site"],
        done=_DONE.get(asked["done"]),
        next=url_for("desk.webhooks", site=asked["site"], cursor=following) if following else None,
        problem=problem,
        wrong=_wrong(problem),
        typed=typed,
        choices=endpoints.choices(typed["events"]),
        formats=endpoints.FORMATS,
        key=new_id(),
    )


def _typed(form: MultiDict[str, str]) -> dict[str, Any]:
    """What stands in the form of an endpoint; of a new one, nothing yet."""
    return {
        "site": form.get("site", ""),
        "url": form.get("url", ""),
        "events": form.getlist("events"),
        "format": form.get("format", STANDARD),
        "note": form.get("note", ""),
        "include_email": bool(form.get("include_email")),
    }


def _wrong(problem: Problem | None) -> dict[str, list[str]]:
    """What is wrong with each field."""
    found: dict[str, list[str]] = {}
    for path, texts in ((problem and problem.errors) or {}).items():
        found.setdefault(path.partition(".")[0], []).extend(text["detail"] for text in texts)
    return {name: list(dict.fromkeys(told)) for name, told in found.items()}


@bp.route("/webhooks", methods=["POST"])
@guarded("manage")
def add_webhook() -> Response:
    """A new endpoint. Its page is shown at once and not after a redirect: the secret is told once."""
    try:
        values = parser.parse(schemas.NewWebhook(), location="form")
        return _issued("add", values, lambda: _add(values))
    except (Conflict, Invalid, UnprocessableEntity) as refused:
        return _list(schemas.Webhooks().load({}), _problem(refused))


def _add(values: dict[str, Any]) -> Issued:
    return operations.add(site_of(values["site"], "manage"), Wanted(**_wanted(values)), principal())


def _wanted(values: dict[str, Any]) -> dict[str, Any]:
    names = ("url", "note", "format", "include_email")
    return {name: values[name] for name in names} | {"events": tuple(values["events"])}


def _problem(refused: Problem | UnprocessableEntity) -> Problem:
    return refused if isinstance(refused, Problem) else errors.of_http(refused)


def _issued(door: str, values: dict[str, Any], act: Callable[[], Issued], *said: Any) -> Response:
    """The page of an endpoint with its new secret. Where the same form came before, the secret was told then."""

    def told() -> Answer:
        made = act()
        return Answer(200, {"id": str(made.endpoint.id), "secret": made.secret}, secrets=("secret",))

    done = _once(door, values, told, *said)
    return _page(_found(UUID(done["id"])), secret=done["secret"], is_issued=True)


def _once(door: str, values: dict[str, Any], act: Callable[[], Answer], *said: Any) -> dict[str, Any]:
    with transaction():
        plain = {name: value for name, value in values.items() if name != "key"}
        return once_by_form(f"webhooks.{door}", values["key"], [*said, plain], act)


def _found(endpoint_id: UUID) -> Endpoint:
    return operations.find(endpoint_id, principal(), to_change=False)


@bp.route("/webhooks/<uuid:endpoint_id>")
@guarded("manage")
def webhook(endpoint_id: UUID) -> Response:
    """One endpoint, what is or was on its way there, and what can be done about it."""
    return _page(_found(endpoint_id), parser.parse(schemas.Webhook(), location="query"))


def _page(one: Endpoint, asked: dict[str, Any] | None = None, problem: Problem | None = None, **told: Any) -> Response:
    asked, drawn = asked or schemas.Webhook().load({}), endpoints.endpoint(one)
    typed = _typed(request.form) if told.get("deed") == "change" else drawn
    return draw(
        "webhook.html",
        problem.status if problem else 200,
        one=drawn,
        health=endpoints.health_of([one.id])[one.id],
        problem=problem,
        wrong=_wrong(problem),
        typed=typed,
        choices=endpoints.choices(typed["events"]),
        formats=endpoints.FORMATS,
        states=endpoints.STATES,
        state=asked["state"],
        since=request.form.get("since") or _as_typed(asked["since"] or _missed_since(one) or now() - _A_DAY),
        key=new_id(),
        **{"done": _DONE.get(asked["done"])} | _log(one, asked) | told,
    )


def _missed_since(one: Endpoint) -> datetime | None:
    """What did not get there happened some time before it failed. What got there is not sent again anyway."""
    return one.failing_since - _A_WHILE if one.failing_since else None


def _as_typed(at: datetime) -> str:
    """A time as `datetime-local` holds it."""
    return f"{at:%Y-%m-%dT%H:%M}"


def _log(one: Endpoint, asked: dict[str, Any]) -> dict[str, Any]:
    """Deliveries, the newest first, and where the older ones are."""
    owner = ("desk.webhook", str(one.id), asked["state"])
    after = read_cursor(asked["cursor"], *owner)
    rows = queries.deliveries(one.id, asked["state"], after.id if after else None, SHOWN)
    found = page_of(rows, SHOWN, lambda row: Position(row.created_at, row.id))
    following = write_cursor(found.next, *owner)
    there = {"endpoint_id": one.id, "state": asked["state"]}
    return {
        "rows": endpoints.deliveries(found.rows),
        "first": url_for("desk.webhook", **there) if after else None,
        "next": url_for("desk.webhook", **there, cursor=following) if following else None,
    }


@bp.route("/webhooks/<uuid:endpoint_id>", methods=["POST"])
@guarded("manage")
def act_on_webhook(endpoint_id: UUID) -> Response:
    """Do what a form of the page asks."""
    deed = parser.parse(schemas.Deed(), location="form")["deed"]
    if deed not in _DEEDS:
        raise Invalid.field("deed", "unknown", gettext("There is no form of this name."))
    shape, do = _DEEDS[deed]
    try:
        return do(endpoint_id, parser.parse(shape(), location="form"))
    except (Conflict, Invalid, UnprocessableEntity) as refused:
        return _page(_found(endpoint_id), problem=_problem(refused), deed=deed)


def _done(endpoint_id: UUID, what: str, **more: Any) -> Response:
    return away(url_for("desk.webhook", endpoint_id=endpoint_id, done=what, **more))


def _change(endpoint_id: UUID, values: dict[str, Any]) -> Response:
    with transaction():
        operations.change(endpoint_id, _wanted(values) | {"events": values["events"]}, principal())
    return _done(endpoint_id, "changed")


def _test(endpoint_id: UUID, values: dict[str, Any]) -> Response:
    def act() -> Answer:
        operations.test(endpoint_id, principal())
        return Answer(200, {})

    _once("test", values, act, endpoint_id)
    return _done(endpoint_id, "tested")


def _rotate(endpoint_id: UUID, values: dict[str, Any]) -> Response:
    return _issued("rotate", values, lambda: operations.rotate(endpoint_id, principal()), endpoint_id)


def _enable(endpoint_id: UUID, _values: dict[str, Any]) -> Response:
    """Since when it fails is forgotten by it, and goes along: what was missed since then is wanted next."""
    with transaction():
        since = _missed_since(operations.find(endpoint_id, principal()))
        operations.enable(endpoint_id, principal())
    return _done(endpoint_id, "enabled", since=_as_typed(since) if since else None)


def _remove(endpoint_id: UUID, _values: dict[str, Any]) -> Response:
    with transaction():
        operations.remove(endpoint_id, principal())
    return away(url_for("desk.webhooks", done="removed"))


def _recover(endpoint_id: UUID, values: dict[str, Any]) -> Response:
    """Told at once and not after a redirect: nobody else can say how many there were."""

    def part(number: int, after: int) -> dict[str, Any]:
        def act() -> Answer:
            return Answer(200, operations.recover(endpoint_id, values["since"], after, principal()))

        return _once(f"recover.{number}", values, act, endpoint_id)

    number = operations.recover_all(part)
    told = ngettext("%(num)s event is sent again.", "%(num)s events are sent again.", number)
    return _page(_found(endpoint_id), done=told)


def _again(endpoint_id: UUID, values: dict[str, Any]) -> Response:
    def act() -> Answer:
        if operations.delivery(values["id"], principal()).endpoint_id != endpoint_id:
            raise NotFound("There is no delivery by that id.")
        operations.redeliver(values["id"], principal())
        return Answer(200, {})

    _once("again", values, act, endpoint_id)
    return _done(endpoint_id, "again", state=values["state"])


_DEEDS: dict[str, tuple[type[ma.Schema], Callable[[UUID, dict[str, Any]], Response]]] = {
    "change": (schemas.Wanted, _change),
    "test": (schemas.Pressed, _test),
    "rotate": (schemas.Pressed, _rotate),
    "enable": (schemas.Pressed, _enable),
    "remove": (schemas.Pressed, _remove),
    "recover": (schemas.Recover, _recover),
    "again": (schemas.Again, _again),
}
