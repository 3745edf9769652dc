"""The plot of a run: how far each target is reached, on a logarithmic scale, for light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from benchmarks.bench.page import number
from benchmarks.bench.targets import Result

LEFT, WIDTH, ROW, TOP, RIGHT = 520, 460, 24, 46, 90
LOWEST, HIGHEST = 0.25, 16.0
"""Of a target: what lies beyond is drawn at the edge."""
_TICKS = (0.25, 0.5, 1, 2, 4, 8, 16)
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.soft { fill: #59636e } .end { text-anchor: end } .middle { text-anchor: middle }
.grid { stroke: #d1d9e0 } .floor { stroke: #59636e; stroke-dasharray: 4 3 } .target { stroke: #1f2328; stroke-width: 2 }
.met { fill: #1a7f37; stroke: #1a7f37 } .missed { fill: #9a6700; stroke: #9a6700 }
.below { fill: #cf222e; stroke: #cf222e } .range { stroke-width: 3; opacity: .5 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .soft { fill: #9198a1 }
  .grid { stroke: #3d444d } .floor { stroke: #9198a1 } .target { stroke: #f0f6fc }
  .met { fill: #3fb950; stroke: #3fb950 } .missed { fill: #d29922; stroke: #d29922 }
  .below { fill: #f85149; stroke: #f85149 }
}
"""
_CLASS = {"met": "met", "missed": "missed", "below the floor": "below"}


def plot(told: Sequence[Result]) -> str:
    """An SVG: a row for each target that was measured, its median as a dot, its turns as a line."""
    rows = [one for one in told if one.found]
    bottom = TOP + ROW * len(rows)
    width, height = LEFT + WIDTH + RIGHT, bottom + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        "<title>What was measured, as a multiple of each target</title>",
        f"<style>{_STYLE}</style>",
        f'<text class="soft" x="{LEFT}" y="16">a multiple of the target; the dashed line is the floor</text>',
    ]
    for tick in _TICKS:
        kind = {1: "target", 0.5: "floor"}.get(tick, "grid")
        parts.append(f'<line class="{kind}" x1="{_x(tick)}" x2="{_x(tick)}" y1="{TOP - 6}" y2="{bottom}"/>')
        parts.append(f'<text class="soft middle" x="{_x(tick)}" y="{TOP - 12}">{tick:g}</text>')
    for place, one in enumerate(rows):
        parts += _row(one, TOP + ROW * place + ROW / 2)
    return "\n".join([*parts, "</svg>", ""])


def _row(one: Result, y: float) -> list[str]:
    """More is better in every row: where less is, the multiple is turned over."""
    bound, assured = one.target.bound, one.median
    assert assured is not None

    def share(value: float) -> float:
        return bound / value if one.target.at_most and value else value / bound

    kind, found = _CLASS[one.verdict], sorted(map(share, one.found))
    than = f" : {one.target.than}" if one.target.base else ""
    label = escape(one.target.line + than + (" (recorded)" if one.was_recorded else ""))
    return [
        f'<text class="end" x="{LEFT - 14}" y="{y + 4:g}">{label}</text>',
        f'<line class="{kind} range" x1="{_x(found[0])}" x2="{_x(found[-1])}" y1="{y:g}" y2="{y:g}"/>',
        f'<circle class="{kind}" cx="{_x(share(assured))}" cy="{y:g}" r="5"/>',
        f'<text x="{LEFT + WIDTH + 14}" y="{y + 4:g}">{number(assured)}{escape(one.target.unit)}</text>',
    ]


def _x(share: float) -> float:
    """Where a multiple stands."""
    inside = min(max(share, LOWEST), HIGHEST)
    return round(LEFT + WIDTH * math.log(inside / LOWEST) / math.log(HIGHEST / LOWEST), 1)
