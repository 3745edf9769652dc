"""What must be reached, and the figures that say whether it was: ratios within one turn, by the median of all turns."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.bench.rounds import Numbers

OURS, ISSO, WALINE, REMARK42, BARE = "Greenroom", "Isso", "Waline", "Remark42", "bare server"


@dataclass(frozen=True)
class Figure:
    """A question to a server."""

    question: str
    server: str = OURS


@dataclass(frozen=True)
class Target:
    """A line of the table: `line` against `than`. `figure` over `base` shall be `bound` at least, or at most.

    Half of a target is its floor: twice of it, where less is better.
    """

    line: str
    than: str
    bound: float
    figure: Figure
    base: Figure | None = None
    at_most: bool = False
    unit: str = "×"

    @property
    def floor(self) -> float:
        return self.bound * 2 if self.at_most else self.bound / 2

    def reached(self, found: float, bound: float) -> bool:
        return found <= bound if self.at_most else found >= bound


def _against(line: str, question: str, **least: float) -> list[Target]:
    names = {"isso": ISSO, "remark42": REMARK42, "bare": BARE}
    return [
        Target(line, names[one], bound, Figure(question), Figure(question, names[one])) for one, bound in least.items()
    ]


TARGETS = [
    *_against("read a thread of 100, warm", "thread of 100", remark42=2.5, isso=1_000, bare=0.6),
    *_against("read a thread of 1,000, warm, all of it", "thread of 1,000", remark42=2, isso=1_000),
    Target("read a thread of 10, cold", ISSO, 3, Figure("thread of 10, cold"), Figure("thread of 10", ISSO)),
    Target("read a thread of 100, cold", ISSO, 100, Figure("thread of 100, cold"), Figure("thread of 100", ISSO)),
    Target("304", "Remark42's thread of 10", 1, Figure("304"), Figure("thread of 10", REMARK42)),
    *_against("counts for 30 pages", "counts of 30 pages", remark42=1),
    *_against("post a comment", "post", isso=2, remark42=1.5),
    *_against("approve", "approve", isso=1.5),
    Target(
        "time of a queue page, 100,000 pending", "100 pending", 1.5, Figure("queue, few pending"),
        Figure("queue, many pending"), at_most=True,
    ),
    *_against("queue page, 10,000 pending", "queue", isso=20),
    Target("queue page, 10,000 pending", "Remark42's last 100", 2, Figure("queue"), Figure("queue", REMARK42)),
    Target(
        "reads of a thread that is written 10 times a second", "undisturbed", 0.8, Figure("thread of 100, written"),
        Figure("thread of 100"),
    ),
    *(
        Target(
            f"time of the first page, 1,000,000 comments, {database}", "100 comments", 1.5,
            Figure(f"first page, short thread, {database}"), Figure(f"first page, long thread, {database}"),
            at_most=True,
        )
        for database in ("SQLite", "PostgreSQL")
    ),
    Target("memory after load", ISSO, 1, Figure("memory after load"), Figure("memory after load", ISSO), at_most=True),
    Target("slow clients (F16): GETs answered", "those asked", 1, Figure("slow clients, GETs answered")),
    Target("slow clients (F16): 99th percentile", "–", 250, Figure("slow clients, p99"), at_most=True, unit=" ms"),
]  # fmt: skip


def ratios(numbers: Numbers, recorded: Mapping[str, float], figure: Figure, base: Figure | None) -> list[float]:
    """Turn by turn, sorted; empty where one of them was not asked.

    A base that did not run is Isso's figure of the same turn, times what was recorded.
    """
    found = numbers.of(figure.question, figure.server)
    if base is None:
        return sorted(one for one in found if one is not None)
    below = numbers.of(base.question, base.server)
    if not below and base.server == REMARK42 and base.question in recorded:
        below = [one and one * recorded[base.question] for one in numbers.of(base.question, ISSO)]
    if not below or not found:
        return []
    return sorted(one / other for one, other in zip(found, below, strict=True) if one and other)


@dataclass(frozen=True)
class Result:
    """What came of a target: `found` turn by turn, sorted; `was_recorded`: against what did not run."""

    target: Target
    found: list[float]
    was_recorded: bool

    @property
    def median(self) -> float | None:
        return statistics.median(self.found) if self.found else None

    @property
    def verdict(self) -> str:
        """met, missed (but the floor holds), below the floor, or not measured."""
        if self.median is None:
            return "not measured"
        if self.target.reached(self.median, self.target.bound):
            return "met"
        return "missed" if self.target.reached(self.median, self.target.floor) else "below the floor"


def results(numbers: Numbers, recorded: Mapping[str, float]) -> list[Result]:
    return [
        Result(
            one, ratios(numbers, recorded, one.figure, one.base),
            bool(one.base and one.base.server == REMARK42 and not numbers.of(one.base.question, REMARK42)),
        )
        for one in TARGETS
    ]  # fmt: skip
