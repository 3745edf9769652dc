"""What is asked of a server, servers on the first core, and the load on the second: `wrk`, but for what takes long."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks.servers import busy, pin
from tests.processes import until

CONNECTIONS = 16
SLOW, LOOKS = 0.02, 5
"""Seconds. `wrk` counts what was answered before its time is over: of 16 slow answers at once few or none.

Of so many looks the one in the middle says whether an answer is slow: no neighbour's noise chooses how it is counted.
"""
STEPS = """
local paths, bodies, n, before = {}, {}, 0, nil
local function lines(name)
  local found = {}
  for line in io.lines(name) do found[#found + 1] = line end
  return found
end
function init(args)
  wrk.method = args[1]
  paths = lines(args[2])
  if args[3] then bodies = lines(args[3]) end
  before = tonumber(args[4])
end
function request()
  n = n + 1
  if before then
    local who = before + n
    wrk.headers["X-Forwarded-For"] = string.format("100.%d.%d.1", math.floor(who / 256) % 256, who % 256)
  end
  return wrk.format(nil, paths[(n - 1) % #paths + 1], nil, bodies[(n - 1) % math.max(#bodies, 1) + 1])
end
"""
"""The script of `wrk` that asks for several paths or sends several bodies in turn, as different visitors if need be."""
_direct = build_opener(ProxyHandler({}))


class Refused(Exception):
    """A server that does not answer what it was asked: its figure would tell nothing."""


@dataclass
class Ask:
    """A question as requests: each path in turn, and each body.

    `requests`: how many make one answer, such as a long thread that comes in pages.
    `once`: nothing may be sent twice, since it writes. `visitors`: each body comes from a network of its own.
    """

    paths: Sequence[str]
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    bodies: Sequence[str] = ()
    requests: int = 1
    once: bool = False
    visitors: bool = False
    status: tuple[int, ...] = (200,)
    expected: str = ""
    """Words of an answer that is none of an error."""
    sent: int = 0

    def taken(self, count: int) -> None:
        """So many have been sent and are not sent again."""
        self.sent += count
        if self.once:
            self.paths = self.paths[count:] if len(self.paths) > 1 else self.paths
            self.bodies = self.bodies[count:] if len(self.bodies) > 1 else self.bodies


def answered(base: str, ask: Ask) -> tuple[float, bytes, Mapping[str, str]]:
    """The seconds that one request takes, its body and its headers. Refused unless it is what was asked for."""
    path, body = ask.paths[0], ask.bodies[0].encode() if ask.bodies else None
    ask.taken(1)
    visitor = {"X-Forwarded-For": f"100.{ask.sent >> 8 & 255}.{ask.sent & 255}.1"} if ask.visitors else {}
    request = Request(base + path, body, dict(ask.headers) | visitor, method=ask.method)
    begun = time.perf_counter()
    try:
        with _direct.open(request, timeout=120) as answer:
            status, told, headers = answer.status, answer.read(), answer.headers
    except HTTPError as refused:
        with refused:
            status, told, headers = refused.code, refused.read(), refused.headers
    took = time.perf_counter() - begun
    if status not in ask.status or ask.expected not in told.decode():
        raise Refused(f"{ask.method} {path}: {status} {told[:300]!r}")
    return took, told, headers


def rate(base: str, ask: Ask, seconds: float) -> float:
    """Whole answers a second."""
    answered(base, ask)  # the first one of all may be made ready only then
    if not ask.once and median(answered(base, ask)[0] for _ in range(LOOKS)) > SLOW:
        return _one_by_one(base, ask, seconds) / ask.requests
    _wrk(base, ask, max(1.0, seconds / 3))
    return _wrk(base, ask, seconds) / ask.requests


def _one_by_one(base: str, ask: Ask, seconds: float) -> float:
    """Requests a second one after the other: what a server that takes long does with one core."""
    begun, asked = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds or asked < max(2, ask.requests):
        ask.paths = [*ask.paths[1:], ask.paths[0]]
        answered(base, ask)
        asked += 1
    return asked / (time.perf_counter() - begun)


def _wrk(base: str, ask: Ask, seconds: float) -> float:
    """Requests a second over 16 connections."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--timeout", "30s"]
    command += [word for name, value in ask.headers.items() for word in ("-H", f"{name}: {value}")]
    with tempfile.TemporaryDirectory(prefix="bench-wrk-") as name:
        command += scripted(base, ask, Path(name)) if len(ask.paths) > 1 or ask.bodies else [base + ask.paths[0]]
        done = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=lambda: pin(1)).stdout
    found, many = re.search(r"Requests/sec:\s+([\d.]+)", done), re.search(r"(\d+) requests in", done)
    assert found and many
    ask.taken(int(many[1]) + CONNECTIONS)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", done)
    if int(many[1]) == 0 or "Non-2xx" in done or (errors and sum(map(int, errors.groups())) * 100 > int(many[1])):
        raise Refused(f"{ask.method} {ask.paths[0]}: {done}")
    return float(found[1])


def scripted(base: str, ask: Ask, place: Path) -> list[str]:
    (place / "steps.lua").write_text(STEPS)
    (place / "paths").write_text("\n".join(ask.paths))
    words = [ask.method, str(place / "paths")]
    if ask.bodies:
        (place / "bodies").write_text("\n".join(ask.bodies))
        words.append(str(place / "bodies"))
    if ask.visitors:
        words.append(str(ask.sent))
    return ["-s", str(place / "steps.lua"), base, "--", *words]


@contextmanager
def serving(command: Sequence[str], place: Path, env: Mapping[str, str], ready: str, core: int = 0) -> Iterator[int]:
    """A server and its children on one core, from its first answer at the URL `ready` on; its process id."""
    with (place / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command, cwd=place, env=env, stdout=log, stderr=log, start_new_session=True, preexec_fn=lambda: pin(core)
        )
    try:
        until(lambda: _is_up(ready), alive=server)
        _settle(server.pid)
        yield server.pid
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # its own session: nobody else's
        server.wait()


def _settle(pid: int) -> None:
    """Wait until a server does nothing any more: what it still starts would take its core while it is asked."""
    before = busy(pid)
    for _ in range(20):
        time.sleep(0.5)
        before, was = busy(pid), before
        if before - was < 0.05:
            return


def _is_up(url: str) -> bool:
    with suppress(OSError), _direct.open(url, timeout=20) as answer:
        return bool(answer.status == 200)
    return False
