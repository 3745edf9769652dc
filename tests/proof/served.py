"""Real processes of Greenroom without the second that importing takes: each is forked from one that has it imported."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from service.__main__ import main
from tests.processes import PATIENCE, ask, until

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["service.__main__", "service.front", "psycopg", "sqlalchemy.dialects.postgresql"])
_PR_SET_PDEATHSIG = 1

Mischief = Callable[[], None]
"""What a broken build does otherwise: called in each process before it is Greenroom."""


class Working:
    """`greenroom worker`, a process group of its own."""

    def __init__(self, place: Path, env: Mapping[str, str], mischief: Mischief | None = None) -> None:
        command = ["worker"]
        self.process = _FORKED.Process(target=_live, args=(place, dict(env), command, mischief, False), daemon=True)
        self.process.start()

    def kill(self) -> None:
        """SIGKILL to the whole group, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join(PATIENCE)


class Served(Working):
    """`greenroom serve` and its worker, a process group of their own; their log is `serve.log` in `place`."""

    def __init__(
        self, place: Path, env: Mapping[str, str], port: int, mischief: Mischief | None = None, *, works: bool = True
    ) -> None:
        self.port = port
        command = ["serve", "--no-worker", "--port", str(port)]
        self.process = _FORKED.Process(target=_live, args=(place, dict(env), command, mischief, works), daemon=True)
        self.process.start()
        until(lambda: self._ready() or not self.process.is_alive())
        assert self.process.is_alive(), (place / "serve.log").read_text()[-2_000:]

    def _ready(self) -> bool:
        return ask(f"http://127.0.0.1:{self.port}/healthz")[0] == 200

    def stop(self) -> int | None:
        """SIGTERM to the web process, as an operator stops it; its exit code. The worker follows by itself."""
        self.process.terminate()
        self.process.join(PATIENCE)
        return self.process.exitcode


def _live(
    place: Path, env: Mapping[str, str], command: list[str], mischief: Mischief | None, with_worker: bool
) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # if the tests are stopped hard, so is this
    os.chdir(place)
    os.environ.clear()
    os.environ.update(env)
    log = os.open("serve.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    # Forked here, since `serve` would start a new interpreter for it. It ends when its parent does, like that one.
    works = with_worker and os.fork() == 0
    if mischief:
        mischief()
    sys.argv = ["greenroom", *(["worker", "--child", str(os.getppid())] if works else command)]
    main()
