"""Numbers as bars: where each stands and how high it is. The template draws them, without a style or a script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from service.comments.schemas import timestamp
from service.numbers.operations import Tally

WIDTH, HEIGHT = 600.0, 100.0
_FILLED = 0.8
"""How much of its place a bar takes."""


@dataclass(frozen=True)
class Bar:
    """One column: what was published from the ground up, and the rest on top of it."""

    iso: str
    label: str
    tally: Tally
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
class Plot:
    """Bars of one scale; `most` is the highest of them, None when there is nothing to see."""

    bars: list[Bar]
    total: int
    most: Bar | None


def plot(tallies: Mapping[datetime, Tally], form: str) -> Plot:
    """Tallies in the order of time, each labelled with its beginning in a form of `strftime`."""
    highest = max((one.decisions for one in tallies.values()), default=0)
    place = WIDTH / max(len(tallies), 1)
    unit = HEIGHT / highest if highest else 0.0
    bars = [
        Bar(
            iso=timestamp(at) or "",
            label=f"{at:{form}}",
            tally=one,
            x=round((n + (1 - _FILLED) / 2) * place, 2),
            width=round(_FILLED * place, 2),
            published=round(one.approved * unit, 2),
            others=round(one.others * unit, 2),
        )
        for n, (at, one) in enumerate(tallies.items())
    ]
    most = max(bars, key=lambda bar: bar.tally.decisions) if highest else None
    return Plot(bars, sum(one.decisions for one in tallies.values()), most)
