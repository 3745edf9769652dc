"""Nothing leaves the machine: names are looked up in a table, and connections go to the loopback or nowhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.processes import free_port

from .receivers import Names, Receiver, connect_inside


@dataclass(frozen=True)
class Decoys:
    """Listeners on one port of both loopback addresses, which nothing may ever reach."""

    port: int
    listeners: tuple[Receiver, ...]

    def visits(self) -> int:
        return sum(one.visits() for one in self.listeners)


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    known = Names()
    monkeypatch.setattr(socket, "getaddrinfo", known)
    monkeypatch.setattr(socket.socket, "connect", connect_inside)
    return known


@pytest.fixture
def decoys() -> Iterator[Decoys]:
    with ExitStack() as stack:
        port = free_port()
        hosts = ("127.0.0.1", "127.1.2.3", "::1")
        yield Decoys(port, tuple(stack.enter_context(Receiver(host=one, port=port)) for one in hosts))
