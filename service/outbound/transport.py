"""The only HTTP client: one POST to a checked address, on a connection of its own, until a deadline.

The name is looked up once, every address it has is checked, and the connection goes to a checked address, so that no
second look-up can lead elsewhere. No redirect is followed, no proxy asked, nothing unpacked.
"""

from __future__ import annotations

import io
import logging
import queue
import socket  # noqa: TID251 - this module is the way out
import ssl  # noqa: TID251
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException, IncompleteRead, RemoteDisconnected  # noqa: TID251
from ipaddress import ip_address
from typing import Any

from urllib3.connection import HTTPConnection  # noqa: TID251
from urllib3.exceptions import HTTPError  # noqa: TID251

from service.outbound.addresses import Policy, Target
from service.outbound.answers import excerpt_of, wait_of
from service.outbound.networks import Address

# Its warnings quote the URL, which may hold the receiver's secret, and what the receiver sent.
logging.getLogger("urllib3.connection").disabled = True

MOST_READ = 65_536
"""Bytes of an answer that are read, head and all."""
_MOST_TRIED = 4
"""Addresses of a name that are tried one after the other."""
_PIECE = 8_192
_LONGEST_DETAIL = 100


@dataclass(frozen=True)
class Reply:
    """What came of a delivery: `status` when the head of an answer came, `error` when there was no whole answer.

    Both may be told: a receiver that said 200, and then did not come to an end, has taken what was sent.
    `milliseconds` from the look-up of the name on; `excerpt` of the answer, at most 1,024 characters; `error` a
    sentence for people, of 200 characters at most; `retry_after` seconds; `is_blocked`: nothing was sent, since the
    policy does not let it.
    """

    status: int | None = None
    milliseconds: int = 0
    excerpt: str = ""
    error: str | None = None
    retry_after: float | None = None
    is_blocked: bool = False


def post(
    target: Target, body: bytes, headers: Mapping[str, str], policy: Policy, *, context: ssl.SSLContext | None = None
) -> Reply:
    """Send `body` and tell what came of it. Raises nothing, whatever a receiver or a name server does.

    `headers`: all but Host, Connection, Content-Length and Accept-Encoding. `context`: whose certificates are
    trusted; without one, the system's.
    """
    start = time.monotonic()
    call = _Call(target, body, headers, policy, start + policy.timeout)
    error: str | None = None
    is_blocked = False
    try:
        with closing(_connected(call)) as plain, closing(_secured(plain, call, context)) as connected:
            _exchange(connected, call)
    except _Blocked as reason:
        error, is_blocked = f"Blocked: nothing may be sent to {reason}.", True
    except (OSError, HTTPException, HTTPError, ValueError, _TooLong) as trouble:
        error = _sentence(trouble, call)
    took = round((time.monotonic() - start) * 1_000)
    return Reply(call.status, took, excerpt_of(bytes(call.read)), error, call.retry_after, is_blocked)


class _Blocked(Exception):
    """What may not be reached; its text is what it is, as in "a private network"."""


class _TooLong(Exception):
    """More was sent than is read."""


@dataclass
class _Call:
    """A delivery under way: what is sent and until when, how far it is, and what has come back."""

    target: Target
    body: bytes
    headers: Mapping[str, str]
    policy: Policy
    ends: float
    stage: str = "looking up its name"
    status: int | None = None
    retry_after: float | None = None
    read: bytearray = field(default_factory=bytearray)

    def left(self) -> float:
        """Seconds until the deadline; TimeoutError when there are none."""
        seconds = self.ends - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def _connected(call: _Call) -> socket.socket:
    """A connection to one of the target's addresses, all of which may be reached."""
    target, policy = call.target, call.policy
    if target.scheme != "https" and not policy.http:
        raise _Blocked("an address without TLS")
    literal = target.address
    addresses = [literal] if literal else _addresses(target, call.left())
    for address in addresses:
        if reason := policy.reason_against(address, target.port):
            raise _Blocked(reason)
    call.stage = "connecting"
    return _first_of(addresses[:_MOST_TRIED], call)


def _addresses(target: Target, seconds: float) -> list[Address]:
    """All addresses of a name. The look-up has a thread of its own: no system lets one be called off."""
    answers: queue.SimpleQueue[Sequence[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="outbound-name", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "it has no address")
    return list(dict.fromkeys(ip_address(place[0]) for *_, place in found))


def _first_of(addresses: list[Address], call: _Call) -> socket.socket:
    """A connection to the first address that takes one. Each gets its share of the time that is left."""
    trouble: OSError = TimeoutError()
    for tried, address in enumerate(addresses):
        try:
            return _connection(address, call.target.port, call.left() / (len(addresses) - tried))
        except OSError as error:
            trouble = error
    raise trouble


def _connection(address: Address, port: int, seconds: float) -> socket.socket:
    made = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the body waits until the head is acknowledged
        made.settimeout(seconds)
        made.connect((str(address), port))
        if ip_address(made.getpeername()[0]) != address:
            raise _Blocked("another address than the one that was checked")
    except BaseException:
        made.close()
        raise
    return made


def _secured(plain: socket.socket, call: _Call, context: ssl.SSLContext | None) -> socket.socket:
    """The connection in TLS, with a certificate for the target's name; as it is for http."""
    if call.target.scheme != "https":
        return plain
    call.stage = "agreeing on TLS"
    plain.settimeout(call.left())
    return (context or _system_context()).wrap_socket(plain, server_hostname=call.target.host)


@cache
def _system_context() -> ssl.SSLContext:
    """The certificates that the system trusts; names are looked for where RFC 9525 has them."""
    context = ssl.create_default_context()
    context.hostname_checks_common_name = False
    return context


def _exchange(connected: socket.socket, call: _Call) -> None:
    """Send what is to be sent, and read the answer into `call`."""
    call.stage = "sending"
    connection = HTTPConnection(call.target.host, call.target.port, timeout=None)
    connection.sock = _Wire(connected, call)
    # Content-Encoding is neither asked for nor undone: what unpacks to gigabytes stays as small as it came.
    ours = {"Host": call.target.authority, "Accept-Encoding": "identity", "Connection": "close"}
    connection.request(
        "POST", call.target.path, call.body, dict(call.headers) | ours, preload_content=False, decode_content=False
    )
    call.stage = "waiting for the answer"
    with closing(connection.getresponse()) as answer:
        call.status = answer.status
        call.retry_after = wait_of(answer.headers.get("Retry-After"), answer.headers.get("Date"))
        call.stage = "reading the answer"
        while piece := answer.read1(_PIECE, decode_content=False):
            call.read += piece


class _Wire:
    """A connection as http.client uses one: every byte is under the deadline, and few are read."""

    def __init__(self, connected: socket.socket, call: _Call) -> None:
        self._connected, self._call = connected, call

    def sendall(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            self._connected.settimeout(self._call.left())
            left = left[self._connected.send(left) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self._connected, self._call), _PIECE)

    def settimeout(self, _seconds: float | None) -> None:
        """The deadline is set before each step."""

    def close(self) -> None:
        """Whoever connected closes; http.client does so as soon as the head is read."""


class _Incoming(io.RawIOBase):
    """What a receiver sends: TimeoutError after the deadline, _TooLong after MOST_READ bytes."""

    def __init__(self, connected: socket.socket, call: _Call) -> None:
        self._connected, self._call, self._room = connected, call, MOST_READ

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._room:
            raise _TooLong
        self._connected.settimeout(self._call.left())
        count = self._connected.recv_into(buffer, min(len(buffer), self._room))
        self._room -= count
        return count


_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "The receiver took longer than {seconds:g} s: the time was up while {stage}."),
    (socket.gaierror, "The name of the receiver cannot be looked up: {detail}."),
    (ssl.SSLCertVerificationError, "The receiver's certificate was not accepted: {detail}."),
    (ssl.SSLError, "There was trouble with TLS while {stage}: {detail}."),
    (ConnectionRefusedError, "The receiver refused the connection."),
    (RemoteDisconnected, "The receiver ended the connection without an answer."),
    (ConnectionError, "The receiver broke off the connection while {stage}."),
    (IncompleteRead, "The receiver broke off the connection while {stage}."),
    (OSError, "The receiver cannot be reached: {detail}."),
    (_TooLong, "The answer is longer than 64 kB. The rest was not read."),
    (Exception, "The answer cannot be read: it is no HTTP, or its head is too large."),
)
"""What is said of each kind of trouble; the first that fits."""


def _sentence(trouble: Exception, call: _Call) -> str:
    if isinstance(trouble, HTTPError) and isinstance(trouble.__cause__, Exception):
        trouble = trouble.__cause__  # urllib3 wraps what happens after the head
    template = next(text for kind, text in _SENTENCES if isinstance(trouble, kind))
    return template.format(seconds=call.policy.timeout, stage=call.stage, detail=_detail(trouble))


def _detail(trouble: Exception) -> str:
    """What the libraries of the system say, in their own words: nothing that a receiver could choose."""
    said = getattr(trouble, "verify_message", "") or getattr(trouble, "reason", "") or getattr(trouble, "strerror", "")
    return str(said or type(trouble).__name__).rstrip(".").replace("_", " ")[:_LONGEST_DETAIL]
