"""Figure 16, at full size only: quick requests while hundreds of clients are slow and others read as fast as they can.

What is asked for comes ready from the front, and from the app with its database, in turn.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.processes import until
from tests.proof.crowd import PROBE_EVERY, Slow, besiege
from tests.proof.faults import Install
from tests.proof.ledger import Proof
from tests.proof.mischief import takes_few_connections
from tests.proof.served import Served

pytest_plugins = ("tests.proof.installs",)
pytestmark = [pytest.mark.full, pytest.mark.alone, pytest.mark.parametrize("installs", ["sqlite"], indirect=True)]

SECONDS = 60
READERS = 16
THREAD = "/v1/sites/blog/thread?page=/films/1"
_FORKED = multiprocessing.get_context("forkserver")


@contextmanager
def readers(port: int) -> Iterator[Any]:
    """Who read a thread again and again while the block lasts, from a process of their own; how often they did."""
    answers = _FORKED.Value("q", 0)
    process = _FORKED.Process(target=_read, args=(port, answers), daemon=True)
    process.start()
    try:
        until(lambda: answers.value)
        yield answers
    finally:
        process.kill()
        process.join()


def _read(port: int, answers: Any) -> None:
    def read_on() -> None:
        connection = HTTPConnection("127.0.0.1", port)
        while True:
            connection.request("GET", THREAD)
            connection.getresponse().read()
            with answers.get_lock():
                answers.value += 1

    threads = [threading.Thread(target=read_on, daemon=True) for _ in range(READERS)]
    for one in threads:
        one.start()
    threads[0].join()


def besieged(served: Served, seconds: float) -> Slow:
    base = f"http://127.0.0.1:{served.port}"
    return asyncio.run(besiege([base + THREAD, f"{base}/readyz"], seconds))


@pytest.mark.figure("16", quick=0, full=int(SECONDS / PROBE_EVERY) - 5)
def test_nobody_waits_for_who_is_slow(install: Install, proof: Proof) -> None:
    served = install.serve()
    with readers(served.port) as answers:
        began, before = time.monotonic(), answers.value
        found = besieged(served, SECONDS)
        rate = (answers.value - before) / (time.monotonic() - began)
    proof.cases(found.asked, found.faults())
    times = f"{found.p50:.0f}, {found.p99:.0f} and {found.worst:.0f} ms (median, p99, worst)"
    proof.note(f"{times} with {found.held} slow clients there and {rate:,.0f} reads a second beside")


@pytest.mark.control("16")
def test_a_front_that_slow_clients_fill_is_seen(install: Install) -> None:
    found = besieged(install.serve(mischief=takes_few_connections), 3)
    assert any(one.endswith("were not answered") for one in found.faults())
