"""Limits: whoever forges headers, moves within a network or comes by another door or process stays one client."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from flask import Flask, Request

from service import doors
from service.app import create_app
from service.comments import routes
from service.config import Settings
from service.db import db, transaction
from service.privacy.seal import rate_key
from service.sites import operations as sites
from service.sites.queries import site_of
from service.sites.schemas import SiteSettings
from tests.comments.test_submitting import set_site
from tests.conftest import add_site
from tests.support import FULL, post

from .doors import DOORS
from .fleet import fronted, posted, proxied
from .knocking import BY_ADDRESS, LIMIT, LIMITED, LIMITED_BY_SITE, ORIGIN, Knocker, beyond, only, taken, within
from .ledger import Proof

pytestmark = pytest.mark.one_database

KNOCKS = 1_000 if FULL else 9
MOVES = 1_000 if FULL else 12
_PEERS = {name: f"10.{number}.0.1" for number, name in enumerate(LIMITED)}

UNCOUNTED = {
    "POST /desk/sign-in/code": "counted for each account, once its password was right (tests/desk)",
    "POST /v1/sites/<site>/counts": "a question that is too long for a URL; it writes nothing",
    "POST /desk/sign-out": "does nothing to whoever is not signed in",
}


@pytest.fixture(scope="module")
def limited(migrated: Flask) -> Iterator[Flask]:
    """The app on the same database, with its limits switched on."""
    settings: Settings = migrated.extensions["greenroom_settings"]
    made = create_app(replace(settings, limits_enabled=True))
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def knocker(app: Flask, limited: Flask) -> Knocker:
    """Somebody before an empty site that publishes at once; its page has another name too."""
    next(iter(limited.extensions["limiter"])).reset()
    made = add_site("blog", [ORIGIN], mode="post")
    with transaction():
        page = sites.open_page(made, routes.address_of(made, "/one"), "One", actor="test")
        sites.add_alias(page, routes.address_of(made, "/alias"), actor="test")
    return Knocker(limited.test_client(), "192.0.2.7", said=post(app.test_client(), page="/said").json["id"])


def test_every_limit_of_the_settings_is_tried() -> None:
    assert set(LIMITED) == {one.name for one in fields(Settings) if one.name.startswith("limit_")}
    assert set(LIMITED_BY_SITE) == {name for name in SiteSettings().fields if name.startswith("limit_")}


@pytest.mark.figure("8", quick=9, full=1_000)
@pytest.mark.parametrize("limit", LIMITED)
def test_a_limit_lets_exactly_its_number_through(knocker: Knocker, proof: Proof, limit: str) -> None:
    only(knocker.client.application, limit)
    knocker.peer = _PEERS[limit]
    proof.cases(KNOCKS, beyond(sum(LIMITED[limit](knocker, n) for n in range(KNOCKS))))


@pytest.mark.figure("8", quick=9, full=1_000)
@pytest.mark.parametrize("limit", LIMITED_BY_SITE)
def test_a_limit_of_the_site_lets_exactly_its_number_through(knocker: Knocker, proof: Proof, limit: str) -> None:
    """The install's limit, of this kind as of all others, would let them all through."""
    only(knocker.client.application, "limit_signin")
    made = site_of("blog")
    assert made
    set_site(made, **{limit: f"{LIMIT}/year"})
    knocker.peer = _PEERS[limit]
    proof.cases(KNOCKS, beyond(sum(LIMITED_BY_SITE[limit](knocker, n) for n in range(KNOCKS))))


def moving(knocker: Knocker, limit: str, number: int) -> int:
    """Knock each time from another address of one IPv6 network; how often somebody was let in."""
    accepted = 0
    for n in range(number):
        knocker.peer = within("2001:db8:7:8", n)
        accepted += LIMITED[limit](knocker, n)
    return accepted


@pytest.mark.figure("8", quick=12, full=1_000)
@pytest.mark.parametrize("limit", BY_ADDRESS)
def test_the_addresses_of_one_ipv6_network_are_one_client(knocker: Knocker, proof: Proof, limit: str) -> None:
    """Each of them asks once, at all the doors that count by this limit in turn."""
    only(knocker.client.application, limit)
    proof.cases(MOVES, beyond(moving(knocker, limit, MOVES)))


@pytest.mark.figure("8", quick=12, full=1_000)
def test_the_addresses_of_one_ipv6_network_are_one_client_by_a_sites_own_limit(knocker: Knocker, proof: Proof) -> None:
    only(knocker.client.application, "limit_signin")
    made = site_of("blog")
    assert made
    set_site(made, limit_submit=f"{LIMIT}/year")
    proof.cases(MOVES, beyond(moving(knocker, "limit_submit", MOVES)))


@pytest.mark.figure("8", quick=30, full=1_000)
def test_behind_a_proxy_that_appends_forged_entries_count_for_nothing(
    knocker: Knocker, limited: Flask, proof: Proof
) -> None:
    """A real proxy before the real front door; the client has written entries before the proxy's own."""
    only(limited, "limit_submit", trusted_proxies=["127.0.0.9"])
    with fronted(limited) as port, proxied(port, "127.0.0.9") as proxy:
        for peer in ("127.1.7.1", "127.2.7.1"):  # of different networks, for they say the same
            number = 500 if FULL else 15
            proof.cases(number, beyond(taken(posted(proxy, n, peer) for n in range(number))))


def test_every_open_door_that_writes_is_counted(knocker: Knocker) -> None:
    for limit, knock in LIMITED.items():
        only(knocker.client.application, limit)
        knocker.peer = _PEERS[limit]
        for n in range(LIMIT + 3):
            knock(knocker, n)
    open_doors = {door.name for door in DOORS if door.changes and not door.is_guarded}
    assert knocker.refused == open_doors - set(UNCOUNTED)
    assert set(UNCOUNTED) < open_doors


@pytest.mark.control("8")
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP"])
def test_an_app_that_believes_a_header_is_seen(knocker: Knocker, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    def believes(asked: Request, _trusted: object) -> str:
        said = asked.headers.get(header, asked.remote_addr or "").split(",")[0].strip()
        return said.rpartition(":")[0].strip("[]") if ":" in said else said

    monkeypatch.setattr(doors, "client_ip", believes)
    only(knocker.client.application, "limit_submit")
    assert beyond(sum(LIMITED["limit_submit"](knocker, n) for n in range(12))) == [
        "12 were accepted, 5 should have been"
    ]


COUNTING = {
    "service.doors": ("limit_preview", "limit_vote", "limit_report", "limit_mine"),
    "service.comments.routes": ("limit_submit",),
    "service.embed.routes": ("limit_preview",),
    "service.embed.mine": ("limit_mine",),
    "service.accounts.security": ("limit_signin", "limit_signin_address"),
}
"""Where clients are told apart by their addresses, and for which limits: there are two places for some."""


def test_every_place_that_counts_addresses_is_broken_below() -> None:
    places = {name for name, one in sys.modules.items() if name.startswith("service.") and hasattr(one, "rate_key")}
    assert places - {rate_key.__module__} == set(COUNTING)
    assert {limit for limits in COUNTING.values() for limit in limits} == set(BY_ADDRESS)


@pytest.mark.control("8")
@pytest.mark.parametrize(("place", "limit"), [(place, limit) for place, some in COUNTING.items() for limit in some])
def test_one_place_that_counts_whole_ipv6_addresses_is_seen(
    knocker: Knocker, monkeypatch: pytest.MonkeyPatch, place: str, limit: str
) -> None:
    monkeypatch.setattr(sys.modules[place], "rate_key", str)
    only(knocker.client.application, limit)
    assert beyond(moving(knocker, limit, 12))
