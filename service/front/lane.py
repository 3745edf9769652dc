"""Threads for one kind of requests, and how many may wait for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Lane:
    """Some threads; `inside` counts what runs in them and what waits for one."""

    def __init__(self, name: str, threads: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._room = threads + max_waiting
        self.inside = 0

    @property
    def full(self) -> bool:
        return self.inside >= self._room

    async def run(self, step: Callable[[], T]) -> T:
        """What `step` returns, from one of the threads."""
        self.inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, step)
        finally:
            self.inside -= 1

    async def close(self) -> None:
        """Wait until every thread is done."""
        await asyncio.to_thread(self._pool.shutdown)
