"""Deliveries over real connections on the loopback: what is sent, where it goes, and what is told of it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from service.outbound import transport
from service.outbound.addresses import Policy, Target, read_target
from service.outbound.transport import Reply, post

from .conftest import Decoys
from .receivers import OK, Names, Receiver, answering, closing, connect_inside, hanging, head

POLICY = Policy((ip_network("127.0.0.2/32"), ip_network("127.0.0.3/32")), http=True, timeout=5.0)
HOST = "hooks.example.org"
BODY = '{"type":"ping","data":{"name":"Grüße"}}'.encode()
HEADERS = {"content-type": "application/json", "user-agent": "Greenroom", "webhook-id": "msg_1"}


def send(port: int, policy: Policy = POLICY, path: str = "/hook?a=b", host: str = HOST) -> Reply:
    return post(read_target(f"http://{host}:{port}{path}", policy), BODY, HEADERS, policy)


@contextmanager
def receiving(names: Names, answer: bytes, host: str = "127.0.0.2") -> Iterator[Receiver]:
    """A receiver under the name of all."""
    names.say(HOST, [host])
    with Receiver(answering(answer), host) as receiver:
        yield receiver


def test_a_receiver_that_is_allowed_gets_exactly_what_was_sent(names: Names) -> None:
    with receiving(names, head(202, "Content-Length: 6") + b"Thanks") as receiver:
        reply = send(receiver.port)
    assert reply == Reply(202, reply.milliseconds, "Thanks")
    [request] = receiver.requests
    sent, _, body = request.partition(b"\r\n\r\n")
    first, *lines = sent.decode().split("\r\n")
    assert (first, body) == ("POST /hook?a=b HTTP/1.1", BODY)
    assert sorted(lines) == sorted(
        [f"{name}: {value}" for name, value in HEADERS.items()]
        + [f"Host: {HOST}:{receiver.port}", f"Content-Length: {len(BODY)}"]
        + ["Accept-Encoding: identity", "Connection: close"]
    )


@pytest.mark.parametrize("host", ["127.0.0.2", "[::1]"])
def test_an_address_needs_no_name(names: Names, host: str) -> None:
    policy = replace(POLICY, allowed=(*POLICY.allowed, ip_network("::1/128")))
    with Receiver(OK, host.strip("[]")) as receiver:
        assert send(receiver.port, policy, host=host).status == 200
    assert f"\r\nHost: {host}:{receiver.port}\r\n".encode() in receiver.requests[0]
    assert names.asked == []


@pytest.mark.parametrize("status", [200, 204, 299, 400, 404, 410, 429, 500, 503, 999])
def test_every_status_is_told_as_it_is(names: Names, status: int) -> None:
    with receiving(names, head(status, "Content-Length: 0")) as receiver:
        reply = send(receiver.port)
    assert reply == Reply(status, reply.milliseconds)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_status_and_is_followed_nowhere(names: Names, decoys: Decoys, status: int) -> None:
    for place in (f"http://127.0.0.1:{decoys.port}/", f"http://[::1]:{decoys.port}/", "/again"):
        with receiving(names, head(status, f"Location: {place}", "Content-Length: 0")) as receiver:
            reply = send(receiver.port)
            assert receiver.visits() == 1
        assert reply == Reply(status, reply.milliseconds)
    assert decoys.visits() == 0


def test_what_is_above_the_beginning_of_an_answer_is_not_kept(names: Names) -> None:
    with receiving(names, head(500) + b"\x1b[2J" + b"x" * 5_000) as receiver:
        reply = send(receiver.port)
    assert (reply.status, reply.error, reply.excerpt) == (500, None, "␛[2J" + "x" * 1_020)


def test_an_answer_of_64_kb_is_read_whole(names: Names) -> None:
    room = 65_536 - len(head(200, "Content-Length: 65000"))
    for size, said in ((room, None), (room + 1, "The answer is longer than 64 kB. The rest was not read.")):
        with receiving(names, head(200, f"Content-Length: {size}") + b"x" * size) as receiver:
            reply = send(receiver.port)
        assert (reply.status, reply.error) == (200, said)


def test_chunks_are_put_together(names: Names) -> None:
    answer = head(200, "Transfer-Encoding: chunked") + b"3\r\nTha\r\n3;x=y\r\nnks\r\n0\r\nTrailer: a\r\n\r\n"
    with receiving(names, answer) as receiver:
        reply = send(receiver.port)
    assert (reply.excerpt, reply.error) == ("Thanks", None)


def test_what_is_packed_stays_packed(names: Names) -> None:
    with receiving(names, head(200, "Content-Encoding: gzip", "Content-Length: 9") + b"no gzip!!") as receiver:
        reply = send(receiver.port)
    assert (reply.status, reply.excerpt, reply.error) == (200, "no gzip!!", None)


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        (["Retry-After: 120"], 120.0),
        (["Date: Sun, 29 Nov 2026 10:00:00 GMT", "Retry-After: Sun, 29 Nov 2026 10:02:00 GMT"], 120.0),
        ([], None),
    ],
)
def test_a_receiver_says_how_long_to_wait(names: Names, lines: list[str], seconds: float | None) -> None:
    with receiving(names, head(503, *lines, "Content-Length: 0")) as receiver:
        assert send(receiver.port).retry_after == seconds


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"])
def test_no_proxy_is_asked(names: Names, decoys: Decoys, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{decoys.port}")
    monkeypatch.setenv("no_proxy", "")
    with receiving(names, head(200, "Content-Length: 0")) as receiver:
        assert send(receiver.port).status == 200
    assert (len(receiver.requests), decoys.visits()) == (1, 0)


ANSWERS = {
    "the machine itself": [["127.0.0.1"], ["::1"], ["0.0.0.0"], ["::"], ["127.0.0.2", "127.0.0.1"],
                           ["127.0.0.2", "::1"], ["93.184.216.34", "127.0.0.1"], ["93.184.216.34", "::1"]],
    "an IPv4 address inside IPv6": [["::ffff:127.0.0.1"], ["127.0.0.2", "::ffff:127.0.0.1"], ["::ffff:127.0.0.2"],
                                    ["64:ff9b::7f00:1"], ["2002:7f00:1::1"]],
    "a private network": [["10.0.0.1"], ["127.0.0.2", "192.168.0.1"], ["fd00:ec2::254"]],
    "a carrier's own network": [["100.64.0.1"], ["100.100.100.200"]],
    "a link, or a cloud's metadata": [["169.254.169.254"]],
}  # fmt: skip


@pytest.mark.parametrize(("what", "answer"), [(what, one) for what, several in ANSWERS.items() for one in several])
def test_a_name_that_leads_inside_with_any_address_is_blocked(
    names: Names, decoys: Decoys, what: str, answer: list[str]
) -> None:
    names.say(HOST, answer)
    with Receiver(OK, port=decoys.port) as receiver:
        reply = send(decoys.port, replace(POLICY, ports=frozenset({decoys.port})))
        assert (receiver.visits(), decoys.visits()) == (0, 0)
    assert reply == Reply(None, reply.milliseconds, error=f"Blocked: nothing may be sent to {what}.", is_blocked=True)


def test_a_name_is_looked_up_once_and_cannot_change_its_mind(names: Names, decoys: Decoys) -> None:
    names.say(HOST, ["127.0.0.2"], ["127.0.0.1"])
    with Receiver(OK, port=decoys.port) as receiver:
        assert send(decoys.port).status == 200
        assert (receiver.visits(), decoys.visits(), names.asked) == (1, 0, [HOST])
        assert send(decoys.port).is_blocked
        assert (receiver.visits(), decoys.visits()) == (1, 0)


def test_a_connection_that_is_led_elsewhere_is_blocked(
    names: Names, decoys: Decoys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a rule of the system's firewall."""
    names.say(HOST, ["127.0.0.2"])

    def elsewhere(connecting: socket.socket, place: Any) -> None:
        connect_inside(connecting, ("127.0.0.1", place[1]))

    monkeypatch.setattr(socket.socket, "connect", elsewhere)
    reply = send(decoys.port)
    said = "Blocked: nothing may be sent to another address than the one that was checked."
    assert (reply.error, reply.is_blocked) == (said, True)


def test_what_the_policy_has_forbidden_meanwhile_is_blocked(names: Names) -> None:
    names.say(HOST, ["93.184.216.34"])
    target = Target("http", HOST, 80, "/")
    secret = replace(POLICY, http=False)
    for policy, what in ((POLICY, "port 80"), (secret, "an address without TLS"), (Policy(http=True), "port 80")):
        reply = post(target, BODY, HEADERS, policy)
        assert (reply.error, reply.is_blocked) == (f"Blocked: nothing may be sent to {what}.", True)


def test_the_next_address_is_tried_when_one_takes_no_connection(names: Names) -> None:
    with Receiver(OK, "127.0.0.3") as receiver:
        names.say(HOST, ["127.0.0.2", "127.0.0.3"])
        assert send(receiver.port).status == 200
        names.say(HOST, ["127.0.0.3", "127.0.0.2"])
        assert send(receiver.port).status == 200
        names.say(HOST, ["127.0.0.2"] * 9 + ["127.0.0.3"])
        assert send(receiver.port).status == 200  # one address, however often it is told


def test_few_addresses_are_tried(names: Names) -> None:
    policy = replace(POLICY, allowed=(ip_network("127.0.0.0/8"),))
    with Receiver(OK, "127.0.0.9") as receiver:
        for before, status in ((3, 200), (4, None)):
            names.say(HOST, [f"127.0.1.{n}" for n in range(before)] + ["127.0.0.9"])
            assert send(receiver.port, policy).status == status


def test_an_address_that_hangs_leaves_time_for_the_next(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(connecting: socket.socket, place: Any) -> None:
        waited.append(connecting.gettimeout() or 0.0)
        if len(waited) < 3:
            raise TimeoutError
        connect_inside(connecting, place)

    waited: list[float] = []
    monkeypatch.setattr(socket.socket, "connect", slow)
    with Receiver(OK) as receiver:
        names.say(HOST, ["127.0.0.1", "127.0.0.3", "127.0.0.2"])
        policy = replace(POLICY, allowed=(ip_network("127.0.0.0/8"),), timeout=6.0)
        assert send(receiver.port, policy).status == 200
    assert 1.5 < waited[0] <= 2.0 < 2.5 < waited[1] <= 3.0 < 5.0 < waited[2] <= 6.0


def test_a_receiver_that_is_not_there_refuses(names: Names) -> None:
    names.say(HOST, ["127.0.0.2"])
    with Receiver() as gone:
        port = gone.port
    reply = send(port)
    assert reply == Reply(None, reply.milliseconds, error="The receiver refused the connection.")


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(OSError(101, "Network is unreachable"), "Network is unreachable"), (OSError(), "OSError"),
     (OSError(99, "y" * 300), "y" * 100)],
)  # fmt: skip
def test_a_network_that_is_away_is_told(
    names: Names, monkeypatch: pytest.MonkeyPatch, trouble: OSError, said: str
) -> None:
    def nowhere(_connecting: socket.socket, _place: Any) -> None:
        raise trouble

    names.say(HOST, ["127.0.0.2"])
    monkeypatch.setattr(socket.socket, "connect", nowhere)
    assert send(1).error == f"The receiver cannot be reached: {said}."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "Temporary failure"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        ([], "it has no address"),
    ],
)
def test_a_name_that_is_not_found_is_told(names: Names, answer: Any, said: str) -> None:
    names.say(HOST, answer)
    reply = send(80)
    assert reply == Reply(None, reply.milliseconds, error=f"The name of the receiver cannot be looked up: {said}.")


def test_no_log_tells_of_an_answer_or_of_where_it_came_from(names: Names, caplog: pytest.LogCaptureFixture) -> None:
    """A path may be a secret, as those of Slack and Discord are; and urllib3 warns of a head with an odd line."""
    caplog.set_level(logging.DEBUG)
    with receiving(names, head(200, "no colon", "Content-Length: 0")) as receiver:
        assert send(receiver.port).status == 200
    assert caplog.text == ""


def test_milliseconds_count_from_the_name_on(names: Names) -> None:
    names.say(HOST, ["127.0.0.2"])
    with Receiver(hanging) as receiver:
        reply = send(receiver.port, replace(POLICY, timeout=0.2))
    assert 200 <= reply.milliseconds < 2_000


def test_the_system_says_whom_to_trust_and_names_are_no_common_names() -> None:
    context = transport._system_context()
    assert context.check_hostname and not context.hostname_checks_common_name
    assert transport._system_context() is context


def test_a_receiver_that_says_nothing_leaves_nothing(names: Names) -> None:
    names.say(HOST, ["127.0.0.2"])
    with Receiver(closing) as receiver:
        reply = send(receiver.port)
    assert reply == Reply(None, reply.milliseconds, error="The receiver ended the connection without an answer.")
