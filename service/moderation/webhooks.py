"""Endpoints of a site, for whoever may manage it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from service.accounts.principal import Principal
from service.doors import settings
from service.errors import Invalid
from service.outbound.addresses import BadTarget, policy_of, read_target
from service.pagination import Page as Rows
from service.pagination import Position
from service.sites.models import Site
from service.webhooks import operations, queries
from service.webhooks.models import Delivery, Endpoint
from service.webhooks.operations import Issued, Wanted


def listed(sites: list[Site], after: Position | None, limit: int) -> Rows[Endpoint]:
    return queries.endpoints([one.id for one in sites], after, limit)


def add(site: Site, wanted: Wanted, who: Principal) -> Issued:
    """Invalid when the URL is none that webhooks may be sent to."""
    _check(wanted.url)
    return operations.add(site.id, wanted, actor=who.actor)


def _check(url: str) -> None:
    try:
        read_target(url, policy_of(settings()))
    except BadTarget as error:
        raise Invalid.field("url", "url", str(error)) from error


def find(endpoint_id: UUID, who: Principal, *, to_change: bool = True) -> Endpoint:
    """An endpoint of a site that `who` manages, locked when it is to be changed. NotFound where they have no role."""
    one = operations.find(endpoint_id, who.sites, to_change=to_change)
    who.require(one.site_id, "manage")
    return one


def change(endpoint_id: UUID, values: dict[str, Any], who: Principal) -> Endpoint:
    one = find(endpoint_id, who)
    if "url" in values:
        _check(values["url"])
    operations.change(one, values, actor=who.actor)
    return one


def remove(endpoint_id: UUID, who: Principal) -> None:
    operations.remove(find(endpoint_id, who), actor=who.actor)


def rotate(endpoint_id: UUID, who: Principal) -> Issued:
    return operations.rotate(find(endpoint_id, who), actor=who.actor)


def enable(endpoint_id: UUID, who: Principal) -> Endpoint:
    one = find(endpoint_id, who)
    operations.enable(one, actor=who.actor)
    return one


def test(endpoint_id: UUID, who: Principal) -> Endpoint:
    one = find(endpoint_id, who)
    operations.test(one, actor=who.actor)
    return one


def recover(endpoint_id: UUID, since: datetime, after: int, who: Principal) -> dict[str, Any]:
    """One part of what is sent again: `events`, and `after`."""
    return asdict(operations.recover(find(endpoint_id, who), since, after, actor=who.actor))


def recover_all(recover_part: Callable[[int, int], dict[str, Any]]) -> int:
    """Have every part sent again; how many events. Given the number of a part, and after which `seq` it begins.

    Each in a transaction of its own: a month of a busy site is long. Where one fails, those before it are under way.
    """
    total, number = 0, 0
    after: int | None = 0
    while after is not None:
        done = recover_part(number, after)
        total, number, after = total + done["events"], number + 1, done["after"]
    return total


def delivery(delivery_id: UUID, who: Principal) -> Delivery:
    one = operations.delivery(delivery_id, who.sites)
    who.require(one.endpoint.site_id, "manage")
    return one


def redeliver(delivery_id: UUID, who: Principal) -> Delivery:
    return operations.redeliver(delivery(delivery_id, who), actor=who.actor)
