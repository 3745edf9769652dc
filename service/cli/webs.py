"""Several web processes on one socket: who is quick takes the next connection."""

from __future__ import annotations

import signal
from contextlib import suppress
from queue import Empty, SimpleQueue

from service.cli.child import Child
from service.cli.start import listening, metrics_option
from service.config import Settings

_READY = 3.0
"""Seconds for which a new process works beside the one that it replaces."""
_SPARE = 5.0


def run(number: int, chosen: Settings) -> None:
    """Keep so many of them running until SIGTERM or SIGINT. On SIGHUP each is replaced, one after another."""
    told: SimpleQueue[int] = SimpleQueue()
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, lambda which, _: told.put(which))
    with listening(chosen) as there:
        webs = [_start(there.fileno(), chosen, n) for n in range(number)]
        try:
            last = told.get()
            while last == signal.SIGHUP:
                last = _replaced(webs, there.fileno(), chosen, told) or told.get()
        finally:
            for web in webs:
                web.tell_to_stop()
            for web in webs:
                web.stop()


def _start(fd: int, chosen: Settings, n: int) -> Child:
    where = ("--host", chosen.host, "--port", str(chosen.port), *metrics_option(chosen, n))
    # As long as a request may wait for a busy database, and a little more.
    patience = 2 * chosen.busy_timeout + 2 * _SPARE
    return Child("a web process", "serve", "--fd", str(fd), *where, patience=patience, files=[fd])


def _replaced(webs: list[Child], fd: int, chosen: Settings, told: SimpleQueue[int]) -> int | None:
    """Replace each one; the signal that came meanwhile, if one did.

    The socket stays open: whoever connects is taken by one that is there, or waits for the next.
    """
    for n in range(len(webs)):
        fresh = _start(fd, chosen, n)
        with suppress(Empty):
            last = told.get(timeout=_READY)
            fresh.stop()
            return last
        old, webs[n] = webs[n], fresh
        old.stop()
    return None
