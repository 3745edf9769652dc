"""The worker of `serve`: whatever ends it, another takes its place, until the server stops."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from service.cli import child
from tests.processes import ask, environment, free_port, run, running, until


def children(pid: int) -> list[int]:
    """The processes that one has started and that still run."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    found = [child for thread in threads for child in (thread / "children").read_text().split()]
    return [int(one) for one in found if is_running(int(one))]


def is_running(pid: int) -> bool:
    """Not one that has ended and whose parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_that_is_killed_is_started_again_and_stops_with_the_server(tmp_path: Path) -> None:
    port = free_port()
    env = environment(GREENROOM_PORT=str(port))
    assert run("migrate", cwd=tmp_path, env=env).returncode == 0
    with running("serve", cwd=tmp_path, env=env) as server:
        until(lambda: ask(f"http://127.0.0.1:{port}/readyz")[0] == 200, alive=server)
        (first,) = children(server.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: len(found := children(server.pid)) == 1 and found != [first], alive=server)
        (second,) = children(server.pid)
        assert ask(f"http://127.0.0.1:{port}/readyz")[0] == 200
    assert not Path(f"/proc/{second}").exists()
    assert "the worker ended with -9 and is started again" in (tmp_path / "serve.log").read_text()


def pauses(caplog: pytest.LogCaptureFixture, number: int) -> list[str]:
    """Of a child that ends again and again: how long it took to start it again each time."""
    caplog.clear()
    one = child.Child("it", "--version", patience=1)
    try:
        until(lambda: len(found := re.findall(r"again in (\S+) seconds", caplog.text)) >= number and found)
    finally:
        one.stop()
    return re.findall(r"again in (\S+) seconds", caplog.text)[:number]


def test_what_dies_at_once_is_started_less_and_less_often_and_what_had_worked_soon(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_FIRST_PAUSE", 0.01)
    assert pauses(caplog, 3) == ["0.01", "0.02", "0.04"]

    monkeypatch.setattr(child, "_LONGEST_PAUSE", 0.02)  # as long as a minute for one that lives so shortly
    assert pauses(caplog, 3) == ["0.01", "0.01", "0.01"]


def test_a_worker_that_runs_once_sends_what_is_due(tmp_path: Path) -> None:
    env = environment(GREENROOM_PORT=str(free_port()))
    run("migrate", cwd=tmp_path, env=env)
    done = run("worker", "--once", cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
