"""The manual's page of a run, from its numbers: the table of targets, and what every server answers."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from benchmarks.bench.rounds import FULL, Numbers, Sizes
from benchmarks.bench.targets import BARE, ISSO, OURS, REMARK42, WALINE, Figure, Result, ratios, results

_SHOWN = {
    "met": "met",
    "missed": "**missed**, above the floor",
    "below the floor": "**below the floor**",
    "not measured": "not measured",
}
_UNITS = {"memory after load": " (MB)", "slow clients, p99": " (ms)", "slow clients, GETs answered": " (share)"}
TEMPLATE = Path(__file__).with_suffix(".md")


@dataclass(frozen=True)
class Run:
    """When, what and where: `versions` by name; `picture` is the plot's path as the page links it."""

    date: str
    commit: str
    machine: str
    minutes: float
    versions: Mapping[str, str]
    sizes: Sizes
    picture: str = ""


def page(numbers: Numbers, recorded: Mapping[str, float], run: Run | None, notes: str = "") -> str:
    """The whole page. `run`: None before the first one. `notes`: what was tried where a target is missed."""
    told = Template(TEMPLATE.read_text()).substitute(
        made=_made(run) if run else "Nothing was measured yet.",
        targets=targets(results(numbers, recorded)),
        picture=f"\n![How far each target is reached]({run.picture})\n" if run and run.picture else "",
        answers=answers(numbers, recorded),
        pending=f"{run.sizes.pending if run else 10_000:,}",
        refused=_refused(numbers.refused),
        notes=f"\n## What is missed, and what was tried\n\n{notes.strip()}\n" if notes.strip() else "",
    )
    return told.strip() + "\n"


def _refused(refused: Sequence[str]) -> str:
    if not refused:
        return ""
    return "\n## What went wrong\n\n" + "".join(f"- {' '.join(one.split())[:300]}\n" for one in refused)


def _made(run: Run) -> str:
    named = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    how = f"{run.minutes:.0f} minutes and {run.sizes.rounds} turns"
    made = f"Made on {run.date} from commit {run.commit} in {how}, on {run.machine}: {named}."
    if run.sizes == FULL:
        return made
    rough = f"{run.sizes.waiting[1]:,} comments that wait, and {run.sizes.deep[1]:,} in a thread, stand for more"
    return f"{made} A rough look: {rough}."


def targets(told: Sequence[Result]) -> str:
    """Each line of the table of targets beside what was measured."""
    rows = ["| | against | target | floor | measured: min – median – max | |", "|---|---|---:|---:|---|---|"]
    for one in told:
        target = one.target
        sign = "≤" if target.at_most else "≥"
        bounds = " | ".join(f"{sign} {number(bound)}{target.unit}" for bound in (target.bound, target.floor))
        than = f"{target.than}, *recorded*" if one.was_recorded and one.found else target.than
        found = f"{spread(one.found)}{target.unit}" if one.found else "–"
        rows.append(f"| {target.line} | {than} | {bounds} | {found} | {_SHOWN[one.verdict]} |")
    return "\n".join(rows)


def answers(numbers: Numbers, recorded: Mapping[str, float]) -> str:
    """Medians, answers a second of one core unless a unit is named, and Greenroom's ratios to those of others."""
    servers = (OURS, ISSO, WALINE, REMARK42, BARE)
    compared = servers[1:4]
    rows = [
        f"| answers a second | {' | '.join(servers)} | {' | '.join(f'to {one}' for one in compared)} |",
        f"|---|{'---:|' * len(servers)}{'---|' * len(compared)}",
    ]
    for question, by in numbers.by.items():
        figures = [_median(by.get(name, [])) for name in servers]
        figures += [_compared(numbers, recorded, question, name) for name in compared]
        rows.append(f"| {question}{_UNITS.get(question, '')} | {' | '.join(figures)} |")
    return "\n".join(rows)


def _compared(numbers: Numbers, recorded: Mapping[str, float], question: str, server: str) -> str:
    found = ratios(numbers, recorded, Figure(question), Figure(question, server))
    mark = "" if numbers.of(question, server) else ", *recorded*"
    return f"{spread(found)}{mark}" if found else "–"


def spread(found: Sequence[float]) -> str:
    """min – median – max, or the one that there is."""
    if len(set(found)) == 1:
        return number(found[0])
    return " – ".join(number(one) for one in (min(found), statistics.median(found), max(found)))


def number(value: float) -> str:
    """Three digits of it that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if value >= 10 else f"{value:.2f}".rstrip("0").rstrip(".")


def _median(figures: Sequence[float | None]) -> str:
    found = [one for one in figures if one is not None]
    return number(statistics.median(found)) if found else "–"
