"""`greenroom …` as a process runs it, within this one: the same entry, without the seconds of a new interpreter."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from unittest.mock import patch

from sqlalchemy import event
from sqlalchemy.pool import Pool

from service.__main__ import main


def run(*command: str, cwd: Path, env: Mapping[str, str]) -> CompletedProcess[str]:
    """Run a command to its end: its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, env, clear=True))
        stack.enter_context(patch.object(sys, "argv", ["greenroom", *command]))
        for around in (chdir(cwd), _as_it_was(), _connections_closed(), redirect_stdout(out), redirect_stderr(err)):
            stack.enter_context(around)
        try:
            main()
            code: int | str | None = 0
        except SystemExit as end:
            code = end.code
    return CompletedProcess(command, int(code or 0), out.getvalue(), err.getvalue())


@contextmanager
def _as_it_was() -> Iterator[None]:
    """What a command changes in its process: the mask of new files, and where logs go."""
    root, mask = logging.getLogger(), os.umask(0o022)
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        os.umask(mask)
        root.handlers[:], root.level = handlers, level


@contextmanager
def _connections_closed() -> Iterator[None]:
    """A process that ends takes its connections to the database with it; a pool would keep them."""
    opened: list[Any] = []

    def note(connection: Any, _record: Any) -> None:
        opened.append(connection)

    event.listen(Pool, "connect", note)
    try:
        yield
    finally:
        event.remove(Pool, "connect", note)
        for connection in opened:
            connection.close()
