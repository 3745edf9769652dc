"""The worker as a child of `serve`, started again whenever it dies."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class WorkerChild:
    """A process of its own: a thread would share the interpreter with the requests."""

    def __init__(self, patience: float) -> None:
        """`patience`: seconds that it may take to end what it has begun."""
        self._patience = patience
        self._stopped = threading.Event()
        self._process = self._start()
        self._keeper = threading.Thread(target=self._keep, name="keeps the worker", daemon=True)
        self._keeper.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._stopped.set()
        self._process.terminate()
        try:
            self._process.wait(self._patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._keeper.join()
        self._process.terminate()  # one that was started in this very moment

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            ended = self._process.wait()
            if self._stopped.is_set():
                return
            log.error("the worker ended with %s and is started again in %g seconds", ended, pause)
            if self._stopped.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._process = self._start()

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "service", "worker", "--child"])
