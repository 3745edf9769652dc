"""Receivers and name servers that hang, drip, flood and lie: each delivery ends in time, with a sentence."""

from __future__ import annotations

import random
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from ssl import SSLContext
from typing import Any

import pytest

from service.outbound import transport
from service.outbound.addresses import Policy, read_target
from service.outbound.transport import Reply, post

from .certificates import Authority, Wanted, self_signed
from .receivers import HOSTILE, OK, Behave, Guest, Names, Receiver, answering, dripping, head, silent

POLICY = Policy((ip_network("127.0.0.2/32"),), http=True, timeout=1.0)
PATIENT = replace(POLICY, timeout=10.0)
MOST_SECONDS = 4.0
MOST_MEMORY = 4 * 2**20
HOST = "hooks.example.org"


@pytest.fixture(autouse=True)
def named(names: Names) -> None:
    names.say(HOST, ["127.0.0.2"])


def send(port: int, policy: Policy = POLICY, body: bytes = b"{}") -> Reply:
    return post(read_target(f"http://{HOST}:{port}/", policy), body, {}, policy)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_receiver_holds_a_delivery_or_fills_the_memory(name: str) -> None:
    behave, said = HOSTILE[name]
    policy = POLICY if "{" in said else PATIENT
    with Receiver(behave) as receiver:
        tracemalloc.start()
        start = time.monotonic()
        reply = send(receiver.port, policy)
        took, (_, peak) = time.monotonic() - start, tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert receiver.sent < 2**26
    assert reply.error == said.format(policy.timeout)
    assert took < policy.timeout + MOST_SECONDS and peak < MOST_MEMORY, (took, peak)
    assert len(reply.excerpt) <= 1_024 and not reply.is_blocked


def test_who_has_answered_has_got_it_even_if_the_answer_does_not_end() -> None:
    with Receiver(dripping(head(202), b"x")) as receiver:
        reply = send(receiver.port)
    assert reply.status == 202
    assert reply.error == "The receiver took longer than 1 s: the time was up while reading the answer."
    assert set(reply.excerpt) == {"x"}


def test_a_receiver_that_reads_nothing_is_given_up() -> None:
    with Receiver(silent) as receiver:
        reply = send(receiver.port, body=bytes(2**25))
    assert "time was up while sending" in str(reply.error)
    assert reply.milliseconds < MOST_SECONDS * 1_000


@pytest.fixture
def hanging_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    over = threading.Event()

    def ask(*_: Any, **__: Any) -> Any:
        over.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "too late")

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    yield
    over.set()


def test_a_name_server_that_hangs_is_given_up(hanging_names: None) -> None:
    reply = send(80)
    assert reply.error == "The receiver took longer than 1 s: the time was up while looking up its name."
    assert 1_000 <= reply.milliseconds < MOST_SECONDS * 1_000


def test_an_address_that_takes_no_connection_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(connecting: socket.socket, _place: Any) -> None:
        threading.Event().wait(connecting.gettimeout())
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", wait)
    assert "time was up while connecting" in str(send(80).error)


def test_no_answer_whatever_raises_anything() -> None:
    """Pieces of HTTP in any order, and bytes of none."""
    dice = random.Random(6)
    pieces = [
        b"HTTP/1.1 ", b"HTTP/9 ", b"200 OK\r\n", b"100\r\n", b"-1 X\r\n", b"\r\n", b"\n", b"\r", b":", b" ",
        b"\0", b"\xff", b"abc", b"-5\r\n", b" folded\r\n",
        b"Content-Length: 3\r\n", b"Content-Length: -3\r\n", b"Content-Length: x\r\n",
        b"Content-Length: " + b"9" * 5_000, b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
        b"Content-Type: multipart/x; boundary=a\r\n", b"--a\r\n\r\n--a--", b"Connection: keep-alive\r\n",
        b"3\r\nabc\r\n", b"0\r\n\r\n", b"ffffffffffffffffffff\r\n", b"Date: , 99 x\r\n", b"Retry-After: Sun\r\n",
        b"Set-Cookie: a=\xe9\r\n",
    ]  # fmt: skip
    answers = [b"".join(dice.choices(pieces, k=dice.randint(0, 9))) for _ in range(200)]
    answers += [b"HTTP/1.1 200 OK\r\n" + b"".join(dice.choices(pieces, k=9)) for _ in range(200)]
    said: list[bytes] = []

    def behave(guest: Guest) -> None:
        guest.request()
        said.append(answers[len(said)])
        guest.say(said[-1])

    with Receiver(behave) as receiver:
        replies = [send(receiver.port, PATIENT) for _ in answers]
    assert len(said) == len(replies)
    assert all(one.error or one.status for one in replies)
    assert {one.status for one in replies} >= {None, 200}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def trusting(authority: Authority) -> SSLContext:
    """The system's context, which trusts the authority of the tests, too."""
    context = transport._system_context.__wrapped__()
    context.load_verify_locations(cadata=authority.pem)
    return context


def secured(context: SSLContext, behave: Behave) -> Behave:
    """A receiver in TLS; one whose certificate is refused gets no request."""

    def secure(guest: Guest) -> None:
        with context.wrap_socket(guest.connected, server_side=True) as connected:
            behave(Guest(guest.receiver, connected))

    return secure


def send_secured(behave: Behave, context: SSLContext | None, host: str = HOST) -> tuple[Reply, list[bytes]]:
    with Receiver(behave) as receiver:
        target = read_target(f"https://{host}:{receiver.port}/hook", PATIENT)
        return post(target, b"{}", {}, PATIENT, context=context), receiver.requests


@pytest.mark.parametrize("host", [HOST, "127.0.0.2"])
def test_a_certificate_for_the_name_passes(
    authority: Authority, trusting: SSLContext, tmp_path: Path, host: str
) -> None:
    shown = authority.receiver(Wanted("x", (host,)), tmp_path)
    reply, requests = send_secured(secured(shown, OK), trusting, host)
    assert reply == Reply(200, reply.milliseconds, "Thanks")
    assert len(requests) == 1


def test_the_name_is_told_to_a_receiver_of_many(authority: Authority, trusting: SSLContext, tmp_path: Path) -> None:
    asked: list[str | None] = []
    shown = authority.receiver(Wanted("x", (HOST,)), tmp_path)
    shown.sni_callback = lambda _one, name, _context: asked.append(name)
    assert send_secured(secured(shown, OK), trusting)[0].status == 200
    assert asked == [HOST]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            Wanted("x", ("other.example.org",)),
            "Hostname mismatch, certificate is not valid for 'hooks.example.org'.",
        ),
        (Wanted("x", ("127.0.0.2",)), "Hostname mismatch"),
        (Wanted(HOST), "Hostname mismatch"),
        (Wanted("x", (HOST,), days=-1), "certificate has expired"),
        (Wanted("x", (HOST,), days=9), "certificate is not yet valid"),
    ],
    ids=["of another name", "of its address", "of a common name only", "of the past", "of the future"],
)
def test_a_certificate_that_does_not_fit_is_refused(
    authority: Authority, trusting: SSLContext, tmp_path: Path, wanted: Wanted, said: str
) -> None:
    reply, requests = send_secured(secured(authority.receiver(wanted, tmp_path), OK), trusting)
    assert f"certificate was not accepted: {said}" in str(reply.error)
    assert (reply.status, reply.is_blocked, requests) == (None, False, [])


def test_a_certificate_that_nobody_vouches_for_is_refused(
    authority: Authority, trusting: SSLContext, tmp_path: Path
) -> None:
    for shown, trusted, said in (
        (self_signed(HOST, tmp_path), trusting, "self-signed certificate"),
        (self_signed(HOST, tmp_path), None, "self-signed certificate"),
        (authority.receiver(Wanted("x", (HOST,)), tmp_path), None, "unable to get local issuer certificate"),
    ):
        reply, requests = send_secured(secured(shown, OK), trusted)
        assert reply.error == f"The receiver's certificate was not accepted: {said}."
        assert requests == []


def test_a_receiver_without_tls_gets_nothing() -> None:
    def plain(guest: Guest) -> None:
        guest.connected.recv(65_536)
        guest.say(head(400))

    reply, requests = send_secured(plain, None)
    assert str(reply.error).startswith("There was trouble with TLS while agreeing on TLS: ")
    assert "_" not in str(reply.error)
    assert requests == []


def test_tls_is_under_the_deadline_too(authority: Authority, trusting: SSLContext, tmp_path: Path) -> None:
    shown = authority.receiver(Wanted("x", (HOST,)), tmp_path)
    for behave, stage in (
        (silent, "agreeing on TLS"),
        (secured(shown, dripping(b"HTTP/1.1 ", b"0")), "waiting for the answer"),
        (secured(shown, dripping(head(), b"x")), "reading the answer"),
    ):
        with Receiver(behave) as receiver:
            target = read_target(f"https://{HOST}:{receiver.port}/", POLICY)
            reply = post(target, b"{}", {}, POLICY, context=trusting)
        assert f"time was up while {stage}" in str(reply.error)
        assert reply.milliseconds < MOST_SECONDS * 1_000


def test_a_receiver_that_breaks_off_tls_is_told(authority: Authority, trusting: SSLContext, tmp_path: Path) -> None:
    shown = authority.receiver(Wanted("x", (HOST,)), tmp_path)
    reply, _ = send_secured(secured(shown, answering(head(200, "Content-Length: 9") + b"almost")), trusting)
    assert (reply.status, reply.excerpt) == (200, "almost")
    assert "while reading the answer" in str(reply.error)
