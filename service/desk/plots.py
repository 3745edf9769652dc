"""Numbers as bars: where each stands and how high it is. The template draws them, without a style or a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from service.comments.schemas import timestamp
from service.numbers.operations import Tally

WIDTH, HEIGHT = 600.0, 100.0
_FILLED = 0.8
"""How much of its place a bar takes."""

Counted = TypeVar("Counted")
"""What a bar stands for."""


@dataclass(frozen=True)
class Bar(Generic[Counted]):
    """One column: what went well, such as what was published, from the ground up, and the rest on top of it."""

    iso: str
    label: str
    tally: Counted
    count: int
    x: float
    width: float
    published: float
    others: float
    """Heights."""

    @property
    def top_of_published(self) -> float:
        return HEIGHT - self.published

    @property
    def top(self) -> float:
        return round(HEIGHT - self.published - self.others, 2)


@dataclass(frozen=True)
class Plot(Generic[Counted]):
    """Bars of one scale; `most` is the highest of them, None when there is nothing to see."""

    bars: list[Bar[Counted]]
    total: int
    most: Bar[Counted] | None


def plot(tallies: Mapping[datetime, Tally], form: str) -> Plot[Tally]:
    """Decisions: those that published something, and the others."""
    return plot_of(tallies, form, lambda one: (one.approved, one.others))


def plot_of(
    tallies: Mapping[datetime, Counted], form: str, parts: Callable[[Counted], tuple[int, int]]
) -> Plot[Counted]:
    """Tallies in the order of time, each labelled with its beginning in a form of `strftime`.

    `parts`: of one of them, how much stands at the ground, and how much on top.
    """
    counts = [parts(one) for one in tallies.values()]
    highest = max(map(sum, counts), default=0)
    place = WIDTH / max(len(tallies), 1)
    unit = HEIGHT / highest if highest else 0.0
    bars = [
        Bar(
            iso=timestamp(at) or "",
            label=f"{at:{form}}",
            tally=one,
            count=solid + hatched,
            x=round((n + (1 - _FILLED) / 2) * place, 2),
            width=round(_FILLED * place, 2),
            published=round(solid * unit, 2),
            others=round(hatched * unit, 2),
        )
        for n, ((at, one), (solid, hatched)) in enumerate(zip(tallies.items(), counts, strict=True))
    ]
    most = max(bars, key=lambda bar: bar.count) if highest else None
    return Plot(bars, sum(map(sum, counts)), most)
