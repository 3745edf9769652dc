"""Commands of ours as children of `serve`, each started again whenever it dies."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_LOOK = 1.0


class Child:
    """A process of its own: a thread would share the interpreter with the requests."""

    def __init__(self, name: str, *command: str, patience: float, files: Sequence[int] = ()) -> None:
        """`patience`: seconds that it may take to end what it has begun. `files`: descriptors that it is given."""
        self._name, self._command, self._patience, self._files = name, command, patience, files
        self._stopped = threading.Event()
        self._process = self._start()
        self._keeper = threading.Thread(target=self._keep, name=f"keeps {name}", daemon=True)
        self._keeper.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell_to_stop(self) -> None:
        """Ask it to end, and go on: whoever has many asks all of them before waiting for one."""
        self._stopped.set()
        self._process.terminate()

    def stop(self) -> None:
        self.tell_to_stop()
        try:
            self._process.wait(self._patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._keeper.join()
        self._process.terminate()  # one that was started in this very moment

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            ended = self._process.wait()
            if self._stopped.is_set():
                return
            if time.monotonic() - began > _LONGEST_PAUSE:  # it did work: this is another trouble than the last
                pause = _FIRST_PAUSE
            log.error("%s ended with %s and is started again in %g seconds", self._name, ended, pause)
            if self._stopped.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "service", *self._command, "--child", str(os.getpid())]
        return subprocess.Popen(command, pass_fds=self._files)  # noqa: S603 - ours, by settings that were read


def is_orphan(parent: int) -> bool:
    """Whether the process that started this one is gone."""
    return os.getppid() != parent


def end_with(parent: int) -> None:
    """Have this process told to stop when the one that started it is gone."""
    over = threading.Event()

    def look() -> None:
        while not is_orphan(parent):
            over.wait(_LOOK)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=look, name="looks for the parent", daemon=True).start()
