"""Regular jobs: rooms register them, the worker runs them. Each may run twice, or late, and does no harm."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

Step = Callable[[], bool]
"""One part of a job; True when there is more to do at once."""
_MOST_PARTS = 1_000


@dataclass(frozen=True)
class Job:
    """A step and how many seconds lie between its runs."""

    name: str
    every: float
    step: Step


_jobs: list[Job] = []


def regularly(name: str, every: float, step: Step) -> None:
    """Register a job; once under each name."""
    if name not in {job.name for job in _jobs}:
        _jobs.append(Job(name, every, step))


def run_all() -> None:
    """Run every job once, to its end; a failing one is logged and stops no other."""
    for job in _jobs:
        _run(job)


def run_until(stopped: Callable[[float], bool], tick: float = 1.0) -> None:
    """Run each job when its time has come, until `stopped`, which waits up to so many seconds, says so."""
    due = {job.name: 0.0 for job in _jobs}
    while True:
        for job in _jobs:
            if due[job.name] <= time.monotonic():
                _run(job)
                due[job.name] = time.monotonic() + job.every
        if stopped(tick):
            return


def _run(job: Job) -> None:
    try:
        for _ in range(_MOST_PARTS):
            if not job.step():
                return
    except Exception as error:  # the worker must outlive any job
        log.error("job %s failed", job.name, exc_info=error)
