"""A rating as people read it: stars, and bars of how many gave what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from service.sites.operations import Scale

STARS = 5
MOST_CHOICES = 10
"""Up to so many steps a rating is picked, beyond it is typed; and so many bars a histogram has at most."""


@dataclass(frozen=True)
class Bar:
    """`label` names a value or a span of values; `share` is in per cent of all ratings."""

    label: str
    count: int
    share: int


def stars(value: float, best: float) -> float:
    """How many of five stars, in halves, a rating on any scale is."""
    return math.floor(value / best * STARS * 2 + 0.5) / 2


def choices(scale: Scale) -> list[float]:
    """The steps to pick from; none where there are too many to show."""
    steps = round(scale.maximum / scale.step)
    return [n * scale.step for n in range(1, steps + 1)] if steps <= MOST_CHOICES else []


def bars(rating: dict[str, Any]) -> list[Bar]:
    """The histogram of a public rating, best first; values share a bar where there are too many."""
    step = rating["worst"]  # a scale begins with its first step
    steps = round(rating["best"] / step)
    several = min(steps, MOST_CHOICES)
    counts = {round(bar["value"] / step): bar["count"] for bar in rating["histogram"]}
    found: list[Bar] = []
    for n in range(several, 0, -1):
        lowest, highest = (n - 1) * steps // several + 1, n * steps // several
        count = sum(counts.get(at, 0) for at in range(lowest, highest + 1))
        label = f"{highest * step:g}" if lowest == highest else f"{lowest * step:g}–{highest * step:g}"
        found.append(Bar(label, count, round(100 * count / rating["count"])))
    return found
