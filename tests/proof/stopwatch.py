"""Whether two kinds of request take the same time, as somebody with a very good clock would see it."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt
from statistics import fmean
from time import perf_counter_ns, process_time_ns

from werkzeug.test import TestResponse

TOLD_APART = 4.5
"""|t| from which on two kinds count as different; by chance one comparison in 100,000 gets there."""

SURE = TOLD_APART + 2
"""So many standard errors apart, two kinds are told apart 49 times of 50."""

Action = Callable[[], object]
Maker = Callable[[int], Action]
"""What is done the n-th time, made ready before the clock starts."""

_TRIMMED = 0.2


@dataclass(frozen=True)
class Took:
    """What actions of one kind took, in nanoseconds.

    By the clock on the wall, as a client sees it, with all waiting and the database's own process in it; and by what
    this process worked, which other programs of the machine do not blur.
    """

    wall: list[int] = field(default_factory=list)
    work: list[int] = field(default_factory=list)

    def add(self, more: Took) -> None:
        self.wall.extend(more.wall)
        self.work.extend(more.work)


def times_until(kinds: Sequence[Maker], n: int, most: int, bound: float) -> list[Took]:
    """`n` actions of each of two kinds, and as many again until a difference of `bound` microseconds would show.

    The busier the machine, the more it takes; `most` at most. How far apart they are is not looked at meanwhile, so
    that chance has one try only.
    """
    found = times(kinds, n)
    while len(found[0].wall) < most and shows(*found) > bound:
        done = len(found[0].wall)
        for one, more in zip(found, times(kinds, n, seed=13 + done, first=len(kinds) * done), strict=True):
            one.add(more)
    return found


def times(kinds: Sequence[Maker], n: int, seed: int = 13, first: int = 0) -> list[Took]:
    """`n` actions of each kind, done in a random order so that no kind has the better moments."""
    order = [kind for kind in range(len(kinds)) for _ in range(n)]
    random.Random(seed).shuffle(order)
    found = [Took() for _ in kinds]
    gc.collect()
    gc.disable()
    try:
        for turn, kind in enumerate(order, first):
            action = kinds[kind](turn)
            wall, work = perf_counter_ns(), process_time_ns()
            action()
            found[kind].work.append(process_time_ns() - work)
            found[kind].wall.append(perf_counter_ns() - wall)
            if turn % 500 == 499:
                gc.collect()  # between two measurements, and as often for each kind
    finally:
        gc.enable()
    return found


def welch(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Yuen's trimmed form of Welch's t, and the difference of means (a - b) that would give a t of one.

    The slowest and the fastest fifth of each are left out: they are other programs' doing.
    """
    (mean_a, error_a), (mean_b, error_b) = _trimmed(a), _trimmed(b)
    one = sqrt(error_a + error_b)
    difference = mean_a - mean_b
    return (difference / one if one else inf * difference if difference else 0.0), one


def _trimmed(values: Sequence[float]) -> tuple[float, float]:
    """The trimmed mean, and the square of its standard error from the winsorised variance."""
    ranked, n = sorted(values), len(values)
    out = int(_TRIMMED * n)
    kept = ranked[out : n - out]
    winsorised = [kept[0]] * out + kept + [kept[-1]] * out
    mean = fmean(winsorised)
    squares = sum((one - mean) ** 2 for one in winsorised)
    return fmean(kept), squares / (len(kept) * (len(kept) - 1))


def differences(name: str, a: Took, b: Took) -> list[str]:
    """What can be told apart about two kinds, by either clock."""
    found = []
    for clock in ("wall", "work"):
        t, one = welch(getattr(a, clock), getattr(b, clock))
        if abs(t) >= TOLD_APART:
            found.append(f"{name}: t = {t:.1f} by the clock of {clock}, {t * one / 1000:.0f} us apart")
    return found


def shows(a: Took, b: Took) -> float:
    """The difference in microseconds that would show by the better clock."""
    return min(_shows(a, b))


def _shows(a: Took, b: Took) -> tuple[float, float]:
    """By the clock on the wall, and by that of the work."""
    (_, wall), (_, work) = welch(a.wall, b.wall), welch(a.work, b.work)
    return SURE * wall / 1000, SURE * work / 1000


def blurred(name: str, a: Took, b: Took, bound: float) -> list[str]:
    """That nothing is proved, since the machine was too busy for a difference of `bound` microseconds to show."""
    seen = shows(a, b)
    return [f"{name}: {seen:.0f} us would show after {len(a.wall)} tries, {bound:.0f} are to"] if seen > bound else []


def told(name: str, a: Took, b: Took) -> str:
    """The values for the page: how many tries, t, and how small a difference would have been seen by each clock."""
    (t, _), (other_t, _) = welch(a.wall, b.wall), welch(a.work, b.work)
    wall, work = _shows(a, b)
    tries = f"{len(a.wall):,} tries each, |t| {max(abs(t), abs(other_t)):.1f}"
    return f"{name}: {tries}, {work:.0f} µs of work would show, {wall:.0f} µs of the whole"


def spin(microseconds: float) -> None:
    """Take so long: a leak to be found."""
    end = perf_counter_ns() + int(microseconds * 1000)
    while perf_counter_ns() < end:
        pass


def shape(answer: TestResponse) -> tuple[object, ...]:
    """All that an answer shows without being read: status, headers and their sizes, length."""
    told_anew = {"ETag", "Date"}
    headers = sorted((name, 0 if name in told_anew else len(value)) for name, value in answer.headers)
    return answer.status_code, *headers, len(answer.get_data())
