"""Where a site's events are sent, and what became of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import request

from service.accounts.guard import guarded, principal
from service.comments.schemas import timestamp
from service.db import transaction
from service.doors import GuardedDoor, tells
from service.idempotency.operations import Answer, Asked, once
from service.moderation import webhook_schemas as schemas
from service.moderation import webhooks
from service.moderation.scope import site_of, sites_of
from service.pagination import Position, read_cursor, write_cursor
from service.sites import queries as sites
from service.webhooks import catalogue, queries
from service.webhooks.models import Attempt, Delivery, Endpoint
from service.webhooks.operations import Issued, Wanted

bp = GuardedDoor("webhooks", __name__, url_prefix="/v1", description="Where events are sent, and what became of each.")


@bp.route("/webhooks/endpoints")
@guarded("manage")
@bp.arguments(schemas.EndpointsQuery, location="query")
@bp.response(200, schemas.Endpoints)
def read_endpoints(query: dict[str, Any]) -> dict[str, Any]:
    """The endpoints of the sites that you manage, the newest first."""
    among = list(sites_of(query["site"], "manage"))
    owner = ("endpoints", query["site"])
    found = webhooks.listed(among, read_cursor(query["cursor"], *owner), query["limit"])
    return {"endpoints": [endpoint(one) for one in found.rows], "next": write_cursor(found.next, *owner)}


def endpoint(one: Endpoint) -> dict[str, Any]:
    """An endpoint as whoever manages its site sees it."""
    site = sites.site_by_id(one.site_id)
    assert site
    return {
        "id": one.id,
        "site": site.key,
        "url": one.url,
        "events": one.events,
        "note": one.note,
        "format": one.format,
        "include_email": one.include_email,
        "enabled": one.disabled_at is None,
        "disabled_at": timestamp(one.disabled_at),
        "disabled_because": one.disabled_because,
        "failing_since": timestamp(one.failing_since),
        "old_secret_until": timestamp(one.old_secret_until),
        "created_at": timestamp(one.created_at),
    }


@bp.route("/webhooks/endpoints", methods=["POST"])
@guarded("manage")
@bp.arguments(schemas.NewEndpoint)
@bp.response(201, schemas.IssuedEndpoint)
@tells(409, headers=("Idempotency-Key",))
def add_endpoint(values: dict[str, Any]) -> tuple[Any, int]:
    """Send a site's events somewhere, from now on. The secret that signs them is told once."""

    def act() -> Answer:
        wanted = {name: value for name, value in values.items() if name != "site"}
        wanted |= {"events": tuple(values["events"]), "note": values["note"] or ""}
        return _issued(webhooks.add(site_of(values["site"], "manage"), Wanted(**wanted), principal()), 201)

    return _once("endpoints", values, act)


def _issued(made: Issued, status: int) -> Answer:
    told = endpoint(made.endpoint) | {"secret": made.secret}
    return Answer(status, schemas.IssuedEndpoint().dump(told), secrets=("secret",))


def _once(door: str, body: Any, act: Callable[[], Answer]) -> tuple[Any, int]:
    asked = Asked(
        by=principal().actor,
        door=f"webhooks.{door}",
        key=request.headers.get("Idempotency-Key"),
        body=json.loads(json.dumps(body, default=str)),
    )
    with transaction():
        done = once(asked, act)
    return done.body, done.status


@bp.route("/webhooks/endpoints/<uuid:endpoint_id>")
@guarded("manage")
@bp.response(200, schemas.EndpointView)
def read_endpoint(endpoint_id: UUID) -> dict[str, Any]:
    """One endpoint. Its secret is told to nobody any more."""
    return endpoint(webhooks.find(endpoint_id, principal(), to_change=False))


@bp.route("/webhooks/endpoints/<uuid:endpoint_id>", methods=["PATCH"])
@guarded("manage")
@bp.arguments(schemas.ChangeEndpoint)
@bp.response(200, schemas.EndpointView)
def change_endpoint(values: dict[str, Any], endpoint_id: UUID) -> dict[str, Any]:
    """Change where it is, what is sent there, and how."""
    if "note" in values:
        values["note"] = values["note"] or ""
    with transaction():
        return endpoint(webhooks.change(endpoint_id, values, principal()))


@bp.route("/webhooks/endpoints/<uuid:endpoint_id>", methods=["DELETE"])
@guarded("manage")
@bp.response(204)
def remove_endpoint(endpoint_id: UUID) -> None:
    """Send nothing there any more, and forget its log."""
    with transaction():
        webhooks.remove(endpoint_id, principal())


@bp.route("/webhooks/endpoints/<uuid:endpoint_id>/rotate", methods=["POST"])
@guarded("manage")
@bp.response(200, schemas.IssuedEndpoint)
@tells(409, headers=("Idempotency-Key",))
def rotate_secret(endpoint_id: UUID) -> tuple[Any, int]:
    """A new secret, told once. For a day the old one signs beside it."""
    return _once("rotate", str(endpoint_id), lambda: _issued(webhooks.rotate(endpoint_id, principal()), 200))


@bp.route("/webhooks/endpoints/<uuid:endpoint_id>/test", methods=["POST"])
@guarded("manage")
@bp.response(202, schemas.EndpointView)
@tells(409, headers=("Idempotency-Key",))
def test_endpoint(endpoint_id: UUID) -> tuple[Any, int]:
    """Send it a `ping`. Its deliveries tell what became of it."""

    def act() -> Answer:
        return Answer(202, schemas.EndpointView().dump(endpoint(webhooks.test(endpoint_id, principal()))))

    return _once("test", str(endpoint_id), act)


@bp.route("/webhooks/endpoints/<uuid:endpoint_id>/enable", methods=["POST"])
@guarded("manage")
@bp.response(200, schemas.EndpointView)
@tells(headers=("Idempotency-Key",))
def enable_endpoint(endpoint_id: UUID) -> tuple[Any, int]:
    """Take it up again after it was disabled. What it missed is sent by `recover`."""

    def act() -> Answer:
        return Answer(200, schemas.EndpointView().dump(endpoint(webhooks.enable(endpoint_id, principal()))))

    return _once("enable", str(endpoint_id), act)


@bp.route("/webhooks/endpoints/<uuid:endpoint_id>/recover", methods=["POST"])
@guarded("manage")
@bp.arguments(schemas.RecoverQuery, location="query")
@bp.response(202, schemas.Recovered)
@tells(409, headers=("Idempotency-Key",))
def recover_events(query: dict[str, Any], endpoint_id: UUID) -> tuple[Any, int]:
    """Send whatever happened since a time and did not get there, each under its own id."""

    def part(number: int, after: int) -> dict[str, Any]:
        def act() -> Answer:
            return Answer(202, webhooks.recover(endpoint_id, query["since"], after, principal()))

        done: dict[str, Any] = _once(f"recover.{number}", {"endpoint": str(endpoint_id)} | query, act)[0]
        return done

    return {"events": webhooks.recover_all(part)}, 202


@bp.route("/webhooks/endpoints/<uuid:endpoint_id>/deliveries")
@guarded("manage")
@bp.arguments(schemas.DeliveriesQuery, location="query")
@bp.response(200, schemas.Deliveries)
def read_deliveries(query: dict[str, Any], endpoint_id: UUID) -> dict[str, Any]:
    """What is, or was, on its way to an endpoint, the newest first. `state=failed`: what was given up."""
    one = webhooks.find(endpoint_id, principal(), to_change=False)
    owner = ("deliveries", str(endpoint_id), query["state"])
    after = read_cursor(query["cursor"], *owner)
    found = queries.deliveries(one.id, query["state"], after.id if after else None, query["limit"])
    shown = found[: query["limit"]]
    more = Position(shown[-1].created_at, shown[-1].id) if len(found) > len(shown) else None
    return {"deliveries": deliveries(shown), "next": write_cursor(more, *owner)}


def deliveries(rows: Sequence[Delivery]) -> list[dict[str, Any]]:
    """Deliveries with every try."""
    tried: dict[UUID, list[Attempt]] = {}
    for one in queries.attempts([row.id for row in rows]):
        tried.setdefault(one.delivery_id, []).append(one)
    return [_delivery(row, tried.get(row.id, [])) for row in rows]


def _delivery(row: Delivery, tried: list[Attempt]) -> dict[str, Any]:
    return {
        "id": row.id,
        "endpoint": row.endpoint_id,
        "event": row.event_id,
        "type": row.event.type,
        "state": row.state,
        "replay": row.is_replay,
        "next_at": timestamp(row.next_at),
        "done_at": timestamp(row.done_at),
        "created_at": timestamp(row.created_at),
        "attempts": [
            {
                "at": timestamp(one.at),
                "milliseconds": one.milliseconds,
                "status": one.status,
                "error": one.error,
                "excerpt": one.excerpt,
            }
            for one in tried
        ],
    }


@bp.route("/webhooks/deliveries/<uuid:delivery_id>")
@guarded("manage")
@bp.response(200, schemas.DeliveryView)
def read_delivery(delivery_id: UUID) -> dict[str, Any]:
    """One delivery with every try."""
    return deliveries([webhooks.delivery(delivery_id, principal())])[0]


@bp.route("/webhooks/deliveries/<uuid:delivery_id>/redeliver", methods=["POST"])
@guarded("manage")
@bp.response(202, schemas.DeliveryView)
@tells(409, headers=("Idempotency-Key",))
def redeliver(delivery_id: UUID) -> tuple[Any, int]:
    """Send the same event once more, under the same id."""

    def act() -> Answer:
        made = webhooks.redeliver(delivery_id, principal())
        return Answer(202, schemas.DeliveryView().dump(deliveries([made])[0]))

    return _once("redeliver", str(delivery_id), act)


@bp.route("/events/schema")
@guarded("read")
@bp.response(200)
def read_event_schemas() -> dict[str, Any]:
    """JSON Schemas (2020-12) of every event."""
    return catalogue.schemas()
