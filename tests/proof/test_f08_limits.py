"""Limits: whoever forges headers, moves within a network or comes by another door or process stays one client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from ipaddress import ip_address

import pytest
from flask import Flask, Request

from service import doors
from service.accounts import security
from service.app import create_app
from service.comments import routes
from service.config import Settings
from service.db import db, transaction
from service.embed import routes as embed
from service.sites import operations as sites
from service.sites.queries import site_of
from service.sites.schemas import SiteSettings
from tests.comments.test_submitting import set_site
from tests.conftest import add_site
from tests.support import FULL, post

from .doors import DOORS
from .fleet import fronted, posted, proxied
from .knocking import LIMIT, LIMITED, LIMITED_BY_SITE, ORIGIN, Knocker, beyond, only, taken
from .ledger import Proof

pytestmark = pytest.mark.one_database

KNOCKS = 1_000 if FULL else 9
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


@pytest.mark.figure("8", quick=30, full=3_000)
@pytest.mark.parametrize("network", ["2001:db8:7:8"])
def test_the_addresses_of_one_ipv6_network_are_one_client(knocker: Knocker, proof: Proof, network: str) -> None:
    """Each of them asks once at the doors that count addresses; the last 64 bits are as odd as they may be."""
    for limit in ("limit_submit", "limit_preview", "limit_signin_address"):
        only(knocker.client.application, limit)
        accepted = 0
        for n in range(1_000 if FULL else 10):
            knocker.peer = str(ip_address(int(ip_address(f"{network}::")) + (n * 0x9E3779B97F4A7C15 & 2**64 - 1)))
            accepted += LIMITED[limit](knocker, n)
            proof.case()
        proof.cases(0, beyond(accepted))


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


@pytest.mark.control("8")
def test_an_app_that_counts_whole_ipv6_addresses_is_seen(knocker: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    for door in (doors, embed, routes, security):
        monkeypatch.setattr(door, "rate_key", str)
    only(knocker.client.application, "limit_submit")
    accepted = 0
    for n in range(12):
        knocker.peer = f"2001:db8:7:9::{n:x}"
        accepted += LIMITED["limit_submit"](knocker, n)
    assert beyond(accepted) == ["12 were accepted, 5 should have been"]
