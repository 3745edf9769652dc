"""Receivers on the loopback, honest and hostile, that count who comes; and a name server that says what it is told."""

from __future__ import annotations

import re
import socket
import socketserver
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Self

from tests.processes import until

_real_connect = socket.socket.connect
_real_getaddrinfo = socket.getaddrinfo
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *([0-9]+)")


class Receiver(socketserver.ThreadingTCPServer):
    """A listener while the block lasts. `behave` is what it does with each connection; without it, it ends them.

    `requests`: what `Guest.request` read, whole. `sent`: bytes that were sent to anybody.
    """

    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def __init__(self, behave: Behave | None = None, host: str = "127.0.0.2", port: int = 0) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), socketserver.BaseRequestHandler)
        self.behave, self.host, self.port = behave, host, int(self.server_address[1])
        self.requests: list[bytes] = []
        self.sent = 0
        self.over = threading.Event()
        self._peers: list[Any] = []
        self._ours: list[Any] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted, peer = super().get_request()
        self._peers.append(peer)
        return accepted, peer

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.behave and client_address not in self._ours:
            self.behave(Guest(self, request))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who is sent too much goes away: that is no error of the receiver."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def visits(self) -> int:
        """Connections that were accepted. One of our own is the last in the queue: all before it are counted."""
        with socket.socket(self.address_family) as own:
            own.bind((self.host, 0))
            self._ours.append(own.getsockname())
            _real_connect(own, (self.host, self.port))
            until(lambda: self._ours[-1] in self._peers)
        return sum(peer not in self._ours for peer in self._peers)


@dataclass
class Guest:
    """One accepted connection."""

    receiver: Receiver
    connected: socket.socket

    def request(self) -> bytes:
        """The whole request, as it came."""
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        found = _LENGTH.search(got)
        whole = got.index(b"\r\n\r\n") + 4 + int(found[1] if found else 0)
        while len(got) < whole:
            got += self._more()
        self.receiver.requests.append(got)
        return got

    def _more(self) -> bytes:
        piece = self.connected.recv(65_536)
        if not piece:
            raise ConnectionAbortedError
        return piece

    def say(self, data: bytes) -> None:
        self.connected.sendall(data)
        self.receiver.sent += len(data)

    def wait(self, seconds: float = 30.0) -> bool:
        """Whether the test is over; waits so long for it."""
        return self.receiver.over.wait(seconds)


Behave = Callable[[Guest], None]


def answering(answer: bytes) -> Behave:
    """Reads the request, says this and ends the connection."""

    def behave(guest: Guest) -> None:
        guest.request()
        guest.say(answer)

    return behave


def head(status: int = 200, *lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} X", *lines, "")).encode()


OK = answering(head(200, "Content-Length: 6") + b"Thanks")


def silent(guest: Guest) -> None:
    """Takes the connection, and neither reads nor says anything."""
    guest.wait()


def hanging(guest: Guest) -> None:
    guest.request()
    guest.wait()


def closing(guest: Guest) -> None:
    guest.request()


def resetting(guest: Guest) -> None:
    guest.request()
    guest.connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    guest.connected.close()


def stalling(before: bytes) -> Behave:
    """Begins to answer, and says no more."""

    def behave(guest: Guest) -> None:
        guest.request()
        guest.say(before)
        guest.wait()

    return behave


def dripping(before: bytes, again: bytes) -> Behave:
    """Says one thing at once, and then another, a byte at a time and again and again."""

    def behave(guest: Guest) -> None:
        guest.request()
        guest.say(before)
        while True:
            for byte in again:
                guest.say(bytes([byte]))
                if guest.wait(0.02):
                    return

    return behave


def flooding(before: bytes, again: bytes, upto: int = 2**30) -> Behave:
    """The same as fast as it is taken, until `upto` bytes were sent: 1 GB."""
    piece = again * (65_536 // len(again) + 1)

    def behave(guest: Guest) -> None:
        guest.request()
        guest.say(before)
        while guest.receiver.sent < upto and not guest.receiver.over.is_set():
            guest.say(piece)

    return behave


def bomb() -> bytes:
    """1 GB of nothing in 1 MB of gzip."""
    packing = zlib.compressobj(wbits=31)
    first, again = (packing.compress(bytes(2**20)) + packing.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * 1_023 + packing.flush()


_SLOW = "The receiver took longer than {:g} s: the time was up while "
_WAITING, _READING = f"{_SLOW}waiting for the answer.", f"{_SLOW}reading the answer."
_BROKEN = "The receiver broke off the connection while reading the answer."
_TOO_LONG = "The answer is longer than 64 kB. The rest was not read."
_NO_HTTP = "The answer cannot be read: it is no HTTP, or its head is too large."
HOSTILE: dict[str, tuple[Behave, str]] = {
    "hangs before it answers": (hanging, _WAITING),
    "closes before it answers": (closing, "The receiver ended the connection without an answer."),
    "resets": (resetting, "The receiver broke off the connection while waiting for the answer."),
    "drips its status": (dripping(b"HTTP/1.1 ", b"0"), _WAITING),
    "drips its head": (dripping(head()[:-2], b"a: b\r\n"), _WAITING),
    "drips that it goes on": (dripping(b"", head(100)), _WAITING),
    "drips its body": (dripping(head(), b"x"), _READING),
    "drips its chunks": (dripping(head(200, "Transfer-Encoding: chunked"), b"1\r\nx\r\n"), _READING),
    "does not end its body": (stalling(head(200, "Content-Length: 9") + b"almost"), _READING),
    "sends 1 GB": (flooding(head(), b"x"), _TOO_LONG),
    "sends 1 GB as it said": (flooding(head(200, "Content-Length: 1073741824"), b"x"), _TOO_LONG),
    "sends 1 GB in chunks": (flooding(head(200, "Transfer-Encoding: chunked"), b"1\r\nx\r\n"), _TOO_LONG),
    "sends one large chunk": (flooding(head(200, "Transfer-Encoding: chunked") + b"40000000\r\n", b"x"), _TOO_LONG),
    "sends a bomb": (answering(head(200, "Content-Encoding: gzip") + bomb()), _TOO_LONG),
    "sends 1,000,000 headers": (flooding(head()[:-2], b"a: b\r\n", 6_000_000), _NO_HTTP),
    "does not end its status": (flooding(b"HTTP/1.1 200 ", b"x"), _TOO_LONG),
    "does not end a header": (flooding(head()[:-2] + b"a: ", b"x"), _TOO_LONG),
    "goes on for ever": (flooding(b"", head(100)), _TOO_LONG),
    "speaks no HTTP": (answering(b"SSH-2.0-OpenSSH_9.2p1\r\n"), _NO_HTTP),
    "has two lengths": (answering(head(200, "Content-Length: 1", "Content-Length: 2") + b"xx"), _NO_HTTP),
    "stops short": (answering(head(200, "Content-Length: 9") + b"almost"), _BROKEN),
    "sends a bad chunk": (answering(head(200, "Transfer-Encoding: chunked") + b"zz\r\n"), _BROKEN),
}
"""Receivers that no whole answer comes from, and what is said of each; braces stand for the seconds of the deadline."""


class Names:
    """A name server in the place of `socket.getaddrinfo`. It knows what it was told; numbers need none."""

    def __init__(self) -> None:
        self._known: dict[str, list[Sequence[str] | Exception]] = {}
        self.asked: list[str] = []

    def say(self, name: str, *answers: Sequence[str] | Exception) -> None:
        """The addresses of a name at each look-up; the last ones at all that follow."""
        self._known[name] = list(answers)

    def __call__(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
        known = self._known.get(host)
        if known is None:
            return _real_getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        self.asked.append(host)
        answer = known.pop(0) if len(known) > 1 else known[0]
        if isinstance(answer, Exception):
            raise answer
        return [_place(one, port) for one in answer]


def _place(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "localhost", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "localhost", (address, port)


def connect_inside(connecting: socket.socket, place: Any) -> None:
    """`socket.connect`, but to this machine only: what gets past a check that is broken shall not leave it."""
    address = ip_address(place[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if not (address.is_loopback or address.is_unspecified):
        raise OSError("a test would have left the machine")
    _real_connect(connecting, place)
