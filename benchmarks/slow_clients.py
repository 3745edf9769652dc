"""Figure F16, and the choice of the server: who still answers while hundreds of clients are slow, and how fast.

python benchmarks/slow_clients.py                 all candidates: slow clients, then requests per second
python benchmarks/slow_clients.py --only front    F16 alone; exits with 1 when its target is missed
python benchmarks/slow_clients.py --url http://127.0.0.1:8080/healthz    F16 against what runs already
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from servers import CANDIDATES, PORT, megabytes, pin, running, workshop

SLOW_BODIES, SLOW_HEADS = 200, 400
HALF_BODY = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\nhalf"
HALF_HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: "
PROBE_EVERY = 0.5  # seconds
PROBE_LIMIT = 3_000.0  # ms
TARGET_P99 = 250.0  # ms


@dataclass
class Slow:
    """How one server did: GETs answered of those asked, their times in ms, and what was held meanwhile."""

    answered: int
    asked: int
    p50: float
    p99: float
    worst: float
    held: int
    dropped: int
    megabytes: float | None = None

    @property
    def within_target(self) -> bool:
        crowded = self.held > (SLOW_BODIES + SLOW_HEADS) / 2  # the rest is on its way back
        return crowded and self.answered == self.asked and self.p99 < TARGET_P99


class Crowd:
    """Slow clients: each sends half of something, then a byte a second, and comes back when it is dropped."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.held = self.dropped = 0
        self.leave = asyncio.Event()

    async def hold(self) -> None:
        halves = [HALF_BODY] * SLOW_BODIES + [HALF_HEAD] * SLOW_HEADS
        await asyncio.gather(*(self._be_slow(half) for half in halves))

    async def _be_slow(self, half: bytes) -> None:
        while not self.leave.is_set():
            try:
                reader, writer = await asyncio.open_connection(self.host, self.port)
            except OSError:
                await asyncio.sleep(0.5)
                continue
            self.held += 1
            with suppress(OSError):
                writer.write(half)
                await self._drip(reader, writer)
            self.held -= 1
            self.dropped += not self.leave.is_set()
            writer.close()

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self.leave.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await reader.read(65_536)
                    return
            writer.write(b"x")
            await writer.drain()


def probe(host: str, port: int, path: str, seconds: float) -> list[float]:
    """One GET every PROBE_EVERY seconds, by schedule: its milliseconds, PROBE_LIMIT when it had no answer."""
    times: list[float] = []
    start = due = time.monotonic()
    while due < start + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        begun = time.monotonic()
        good = _get(host, port, path)
        took = (time.monotonic() - begun) * 1000
        times.append(min(took, PROBE_LIMIT) if good else PROBE_LIMIT)
        due = max(due + PROBE_EVERY, time.monotonic())
    return times


def _get(host: str, port: int, path: str) -> bool:
    connection = HTTPConnection(host, port, timeout=PROBE_LIMIT / 1000)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


async def besiege(url: str, seconds: float, weigh: Callable[[], float | None]) -> Slow:
    """F16: hold the crowd, let it settle, probe for `seconds`."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    path = parts.path or "/"
    if not _get(host, port, path):
        raise SystemExit(f"{url} does not answer even without a crowd.")
    crowd = Crowd(host, port)
    holding = asyncio.create_task(crowd.hold())
    await asyncio.sleep(2)
    times = await asyncio.to_thread(probe, host, port, path, seconds)
    held, weight = crowd.held, weigh()
    crowd.leave.set()
    await holding
    times.sort()
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    answered = sum(one < PROBE_LIMIT for one in times)
    return Slow(answered, len(times), statistics.median(times), p99, times[-1], held, crowd.dropped, weight)


def requests_per_second(seconds: int) -> float:
    """16 connections that ask again and again, from the second core."""
    if shutil.which("wrk"):
        command = ["wrk", "-t1", "-c16", f"-d{seconds}s", f"http://127.0.0.1:{PORT}/"]
        told = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=lambda: pin(1)).stdout
        if "Non-2xx" in told or "Socket errors" in told:
            print(told, file=sys.stderr)
        return float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])  # type: ignore[index]
    counts = [0] * 16
    end = time.monotonic() + seconds

    def ask(number: int) -> None:
        connection = HTTPConnection("127.0.0.1", PORT)
        while time.monotonic() < end:
            connection.request("GET", "/")
            connection.getresponse().read()
            counts[number] += 1

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    return sum(counts) / seconds


def compare_speed(folder: Path, repeats: int, seconds: int) -> dict[str, list[float]]:
    """Requests per second of each candidate, the candidates taking turns."""
    rates: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for _ in range(repeats):
        for name, command in CANDIDATES.items():
            with running(command, folder):
                requests_per_second(1)
                rates[name].append(requests_per_second(seconds))
    return rates


def tell(slow: dict[str, Slow], rates: dict[str, list[float]]) -> None:
    print(
        "\n| server | GETs answered | p50 ms | p99 ms | worst ms | held at the end | dropped | MB |\n"
        + "|---" * 8
        + "|"
    )
    for name, one in slow.items():
        times = f"{one.p50:.1f} | {one.p99:.1f} | {one.worst:.1f}"
        print(
            f"| {name} | {one.answered}/{one.asked} | {times} | {one.held} | {one.dropped} | {one.megabytes or 0:.0f} |"
        )
    if rates:
        print("\n| server | requests/s, median | ratio to front: min – median – max |\n|---|---|---|")
    for name, found in rates.items():
        ratios = sorted(mine / front for mine, front in zip(found, rates["front"], strict=True))
        spread = f"{ratios[0]:.2f} – {statistics.median(ratios):.2f} – {ratios[-1]:.2f}"
        print(f"| {name} | {statistics.median(found):,.0f} | {spread} |")
    print(json.dumps({"slow": {name: asdict(one) for name, one in slow.items()}, "rates": rates}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="how long F16 lasts for the front")
    parser.add_argument("--others", type=float, default=15, help="how long it lasts for the other servers")
    parser.add_argument("--repeats", type=int, default=5, help="turns of the comparison of speed")
    parser.add_argument("--only", choices=list(CANDIDATES), help="F16 of this server, and no comparison")
    parser.add_argument("--url", help="F16 of a server that runs already")
    chosen = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 < hard < 4096 else 4096, hard))
    slow: dict[str, Slow] = {}
    rates: dict[str, list[float]] = {}
    if chosen.url:
        slow[chosen.url] = asyncio.run(besiege(chosen.url, chosen.seconds, lambda: None))
    else:
        with workshop() as folder:
            for name in [chosen.only] if chosen.only else CANDIDATES:
                with running(CANDIDATES[name], folder) as pid:
                    seconds = chosen.seconds if name in ("front", chosen.only) else chosen.others
                    target = f"http://127.0.0.1:{PORT}/"
                    slow[name] = asyncio.run(besiege(target, seconds, lambda pid=pid: megabytes(pid)))  # type: ignore[misc]
            if not chosen.only:
                rates = compare_speed(folder, chosen.repeats, 4)
    tell(slow, rates)
    return 0 if next(iter(slow.values())).within_target else 1


if __name__ == "__main__":
    sys.exit(main())
