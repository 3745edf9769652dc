"""Figure 16's crowd: slow clients that hold a server, and quick requests in between."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import cycle
from urllib.parse import urlsplit

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
        return not list(self.faults())

    def faults(self) -> Iterator[str]:
        if self.held <= (SLOW_BODIES + SLOW_HEADS) / 2:  # the rest is on its way back
            yield f"only {self.held} slow clients were there: no crowd"
        if self.answered < self.asked:
            yield f"{self.asked - self.answered} of {self.asked} were not answered"
        if self.p99 >= TARGET_P99:
            yield f"the 99th percentile is {self.p99:.0f} ms"


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


def probe(urls: Sequence[str], seconds: float) -> list[float]:
    """One GET every PROBE_EVERY seconds, by schedule: its milliseconds, PROBE_LIMIT when it had no answer."""
    times: list[float] = []
    turn = cycle(urls)
    start = due = time.monotonic()
    while due < start + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        begun = time.monotonic()
        good = get(next(turn))
        took = (time.monotonic() - begun) * 1000
        times.append(min(took, PROBE_LIMIT) if good else PROBE_LIMIT)
        due = max(due + PROBE_EVERY, time.monotonic())
    return times


def get(url: str) -> bool:
    """Whether it is answered, on a connection of its own."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=PROBE_LIMIT / 1000)
    try:
        connection.request("GET", f"{parts.path or '/'}?{parts.query}")
        response = connection.getresponse()
        response.read()
        return response.status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


async def besiege(urls: Sequence[str], seconds: float, weigh: Callable[[], float | None] = lambda: None) -> Slow:
    """Hold the crowd, let it settle, ask for these in turn for so long. `weigh`: what the server takes, in MB."""
    parts = urlsplit(urls[0])
    for url in urls:
        if not get(url):
            raise SystemExit(f"{url} does not answer even without a crowd.")
    crowd = Crowd(parts.hostname or "127.0.0.1", parts.port or 80)
    holding = asyncio.create_task(crowd.hold())
    await asyncio.sleep(2)
    times = await asyncio.to_thread(probe, urls, seconds)
    held, weight = crowd.held, weigh()
    crowd.leave.set()
    await holding
    times.sort()
    p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
    answered = sum(one < PROBE_LIMIT for one in times)
    return Slow(answered, len(times), statistics.median(times), p99, times[-1], held, crowd.dropped, weight)
