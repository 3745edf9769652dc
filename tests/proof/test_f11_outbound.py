"""No URL, name, answer or receiver leads a delivery to what is inside: decoys on the loopback count who comes.

A URL is tried in two ways: through the grammar that registers and delivers it, and past that, as if a row had come
into the database otherwise and a parser that takes anything had read it.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import build_opener

import pytest

from service.outbound.addresses import BadTarget, Policy, Target, read_target
from service.outbound.networks import Address
from service.outbound.transport import Reply, post
from tests.outbound.conftest import Decoys
from tests.outbound.conftest import decoys as decoys
from tests.outbound.conftest import names as names
from tests.outbound.receivers import HOSTILE, OK, Names, Receiver, answering, head

from .ledger import Proof

STRICT = Policy()
WIDE = Policy(http=True, ports=frozenset({80, 443}))
INSIDE = replace(WIDE, allowed=(ip_network("127.0.0.2/32"),), timeout=5.0)
HOST, BODY, HEADERS = "hooks.example.org", b'{"type":"ping"}', {"webhook-id": "msg_1"}
PUBLIC = "93.184.216.34"
STAGED = ("REDIRECT:", "DNS:", "PROXY:")


def rows(shared: Path, expect: str) -> list[str]:
    listed = json.loads((shared / "corpora/ssrf-generated/urls.json").read_text())
    return [one["url"] for one in listed if one["expect"] == expect]


def hostile(shared: Path) -> list[str]:
    """Our own list and those of others, each URL with http and https: it shall not be the scheme that saves us."""
    found = [one for one in rows(shared, "block") if not one.startswith(STAGED)]
    for name in ("payloadsallthethings/ssrf_urls", "payloadsallthethings/ssrf_cloud_metadata"):
        found += json.loads((shared / f"corpora/{name}.json").read_text())
    for host in json.loads((shared / "corpora/fuzzdb/localhost_ip.json").read_text()):
        found.append(f"http://[{host}]/" if ":" in host else f"http://{host}/")
    found += [one.replace("http://", "https://", 1) for one in found]
    return list(dict.fromkeys(found))


class Treacherous(Names):
    """Reads numbers as the system does, whatever their spelling. All names lead inside."""

    def __call__(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
        try:
            return super().__call__(host, port)
        except (OSError, ValueError):
            self.say(host, ["127.0.0.1", "::1"])
            return super().__call__(host, port)


@pytest.fixture
def treacherous(monkeypatch: pytest.MonkeyPatch, names: Names) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Treacherous())


def lax(url: str, port: int) -> Target | None:
    """What a parser that takes anything makes of a URL, on a port where a decoy listens; None without a host."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return Target("http", host, port, "/") if host else None


def send(target: Target, policy: Policy = INSIDE) -> Reply:
    return post(target, BODY, HEADERS, policy)


def unblocked(shared: Path, port: int) -> list[str]:
    """URLs that are not blocked past the grammar, when only the usual ports of the public may be reached."""
    targets = [lax(url, port) for url in hostile(shared)]
    return [target.host for target in targets if target and not send(target, WIDE).is_blocked]


@pytest.mark.figure("11", quick=1_200, full=1_200)
def test_no_hostile_url_is_read_or_else_it_is_blocked(
    proof: Proof, shared: Path, treacherous: None, decoys: Decoys
) -> None:
    for url in hostile(shared):
        for policy in (STRICT, WIDE):
            try:
                target = read_target(url, policy)
            except BadTarget:
                continue
            # Where a name is all that is left, it is sent to a port on which a decoy listens.
            if not send(replace(target, port=decoys.port), policy).is_blocked:
                proof.case(f"{url!r} is reached")
        proof.case()
    proof.case(*([f"{count} at the decoys"] if (count := decoys.visits()) else []))


@pytest.mark.figure("11", quick=1_200, full=1_200)
def test_no_hostile_url_that_came_past_the_grammar_is_reached(
    proof: Proof, shared: Path, treacherous: None, decoys: Decoys
) -> None:
    found = unblocked(shared, decoys.port)
    proof.cases(len(hostile(shared)), [f"{host!r} is reached" for host in found])
    proof.case(*([f"{count} at the decoys"] if (count := decoys.visits()) else []))


def redirected(url: str, decoys: Decoys) -> list[str]:
    _, status, place = url.replace("PORT", str(decoys.port)).split(":", 2)
    with Receiver(answering(head(int(status), f"Location: {place}", "Content-Length: 0"))) as receiver:
        reply = send(Target("http", "127.0.0.2", receiver.port, "/"))
    return [] if (reply.status, reply.error) == (int(status), None) else [f"{url}: {reply}"]


ANSWERS = {
    "DNS:mixed": [PUBLIC, "127.0.0.1"],
    "DNS:aaaa-private": [PUBLIC, "::1"],
    "DNS:cname-private": ["127.0.0.1", "::1"],
    "DNS:v4mapped-aaaa": ["::ffff:127.0.0.1"],
}


def looked_up(url: str, decoys: Decoys, names: Names) -> list[str]:
    if url == "DNS:public-then-private":
        return rebound(names, decoys)
    names.say(HOST, ANSWERS[url])
    reply = send(Target("http", HOST, decoys.port, "/"), replace(INSIDE, ports=frozenset({decoys.port})))
    return [] if reply.is_blocked else [f"{url}: {reply}"]


def rebound(names: Names, decoys: Decoys) -> list[str]:
    """Allowed when it is asked first, and inside whenever it is asked again. No test leaves the machine: the good
    answer is another address of the loopback, and the only one that is allowed."""
    names.say(HOST, ["127.0.0.2"], ["127.0.0.1"])
    with Receiver(OK, port=decoys.port) as receiver:
        replies = [send(Target("http", HOST, decoys.port, "/")) for _ in range(2)]
        fine = (replies[0].status, replies[1].is_blocked, receiver.visits()) == (200, True, 1)
    return [] if fine else [f"rebinding: {replies}"]


def unproxied(decoys: Decoys, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lead_astray(decoys, monkeypatch)
    with Receiver(OK) as receiver:
        reply = send(Target("http", "127.0.0.2", receiver.port, "/"))
    return [] if reply.status == 200 else [f"proxy: {reply}"]


def lead_astray(decoys: Decoys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        for spelled in (name, name.lower()):
            monkeypatch.setenv(spelled, f"http://127.0.0.1:{decoys.port}")
    monkeypatch.setenv("NO_PROXY", "nothing.example.org")
    monkeypatch.setenv("no_proxy", "nothing.example.org")


@pytest.mark.figure("11", quick=12, full=12)
def test_no_redirect_name_or_proxy_leads_inside(
    proof: Proof, shared: Path, names: Names, decoys: Decoys, monkeypatch: pytest.MonkeyPatch
) -> None:
    act: dict[str, Callable[[str], list[str]]] = {
        "REDIRECT": lambda url: redirected(url, decoys),
        "DNS": lambda url: looked_up(url, decoys, names),
        "PROXY": lambda _: unproxied(decoys, monkeypatch),
    }
    for url in rows(shared, "block"):
        if url.startswith(STAGED):
            proof.case(*act[url.partition(":")[0]](url))
    proof.case(*([f"{count} at the decoys"] if (count := decoys.visits()) else []))


@pytest.mark.full
@pytest.mark.figure("11", quick=0, full=len(HOSTILE))
def test_no_receiver_holds_a_delivery_beyond_its_deadline(proof: Proof) -> None:
    worst = 0.0
    for name, (behave, _) in HOSTILE.items():
        with Receiver(behave) as receiver:
            start = time.monotonic()
            reply = send(Target("http", "127.0.0.2", receiver.port, "/"), replace(INSIDE, timeout=1.0))
            took = time.monotonic() - start
        worst = max(worst, took)
        fine = took < 3.0 and reply.error and receiver.sent < 2**26
        proof.case(*([] if fine else [f"{name}: {took:.1f} s, {receiver.sent} bytes, {reply}"]))
    proof.note(f"the longest of {len(HOSTILE)} hostile receivers with a deadline of 1 s: {worst:.2f} s")


@pytest.mark.figure("11", quick=10, full=10)
def test_what_is_allowed_is_reached(proof: Proof, shared: Path, names: Names) -> None:
    for url in rows(shared, "allow"):
        proof.case(*([] if read_target(url, WIDE).address else [f"{url} is refused"]))
    with Receiver(OK) as receiver:
        names.say(HOST, ["127.0.0.2"])
        for host in (HOST, "127.0.0.2", HOST.upper(), f"a.{HOST}", "receiver"):
            names.say(host.lower(), ["127.0.0.2"])
            reply = send(read_target(f"http://{host}:{receiver.port}/hook", INSIDE))
            got = receiver.requests[-1] if receiver.requests else b""
            fine = reply.status == 200 and got.endswith(b"\r\n\r\n" + BODY) and b"webhook-id: msg_1\r\n" in got
            proof.case(*([] if fine else [f"{host}: {reply}"]))
        assert (receiver.visits(), len(receiver.requests)) == (5, 5)


@pytest.mark.control("11")
def test_a_transport_that_checks_no_address_reaches_the_decoys(
    shared: Path, treacherous: None, decoys: Decoys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Policy, "reason_against", lambda *_: None)
    assert len(unblocked(shared, decoys.port)) > 1_000
    assert decoys.visits() > 100


@pytest.mark.control("11")
def test_a_check_by_what_python_calls_private_lets_some_through(
    shared: Path, treacherous: None, decoys: Decoys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(_policy: Policy, ip: Address, _port: int) -> str | None:
        return "a private network" if ip.is_private else None

    monkeypatch.setattr(Policy, "reason_against", check)
    assert len(unblocked(shared, decoys.port)) > 100


@pytest.mark.control("11")
def test_an_ordinary_client_follows_redirects_and_asks_proxies(
    names: Names, decoys: Decoys, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    answer = head(302, f"Location: http://127.0.0.1:{decoys.port}/", "Content-Length: 0")
    with Receiver(answering(answer)) as receiver:
        url = f"http://127.0.0.2:{receiver.port}/"
        with pytest.raises(OSError):
            build_opener().open(url, timeout=5)
        assert (receiver.visits(), decoys.visits()) == (1, 1)
        lead_astray(decoys, monkeypatch)
        with pytest.raises(OSError):
            build_opener().open(url, timeout=5)
        assert (receiver.visits(), decoys.visits()) == (1, 2)
