"""docs/proof.md: every figure with its cases, failures, floor and controls, and when and from what it was made."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from .figures import FIGURES, NO_DATABASE
from .ledger import ROOT, Result, listed, runs
from .smaller import smaller

PAGE = ROOT / "docs" / "proof.md"
MOST_MINUTES = 60

_HEAD = """\
# Proof

Each figure counts attacks, faults or races on the real thing: SQLite, PostgreSQL, Valkey, Chromium, processes. A figure
is at its target when all its tests were run, on both databases where they can matter; when nothing failed; when it
tried at least its floor of cases; and when it has controls, which break something on purpose, and each was seen to
fail; some of them are on one database only. Make this page yourself with `make prove`, or one figure with
`make prove F=4`; what already succeeded with the same sources is not run again.

Power loss, other browsers than Chromium and an independent attack are not covered. What else falls short, or is smaller
than the method of a figure asks, stands below it with its reason.
"""


@dataclass
class Row:
    """What the tests of one figure found on one database together."""

    figure: str
    database: str
    cases: int
    floor: int
    failures: int
    controls: int
    controls_seen: int
    notes: list[str]
    seconds: float
    is_at_target: bool

    def shown(self) -> str:
        verdict = "yes" if self.is_at_target else "**no**"
        told = dict.fromkeys(" ".join(one.split()).replace("|", "\\|") for one in self.notes)  # each once, in one cell
        cells = (
            f"F{self.figure}", self.database or "either", f"{self.cases:,}", f"{self.floor:,}", f"{self.failures:,}",
            f"{self.controls_seen} of {self.controls}", "; ".join(told), f"{self.seconds:,.0f}", verdict,
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


def rows(results: dict[str, Result]) -> list[Row]:
    """One row for each figure and database, in the order of the figures. A result without an outcome was not run."""
    found = []
    for figure in FIGURES:
        ours = [one for one in results.values() if one.figure == figure]
        is_controlled = {one.is_control for one in ours} == {True, False}
        for database in ("", "sqlite", "postgresql"):
            here = [one for one in ours if one.database == database]
            is_wanted = bool(database) and figure not in NO_DATABASE
            if here or is_wanted:
                is_there = is_controlled and (not is_wanted or any(not one.is_control for one in here))
                found.append(_row(figure, database, here, is_there=is_there))
    return found


def _row(figure: str, database: str, results: list[Result], *, is_there: bool) -> Row:
    """`is_there`: there are cases, and on one database at least the figure has both cases and a control."""
    tries = [one for one in results if not one.is_control]
    controls = [one for one in results if one.is_control]
    passed = all(one.outcome == "passed" for one in results)
    left = sum(not one.outcome for one in results)
    return Row(
        figure, database,
        cases=sum(one.cases for one in tries),
        floor=sum(one.floor for one in tries),
        failures=sum(one.failures or one.outcome not in ("passed", "") for one in tries),
        controls=len(controls),
        controls_seen=sum(one.outcome == "passed" for one in controls),
        notes=[f"{left} of {len(results)} tests not run"] * bool(left) + [note for one in tries for note in one.notes],
        seconds=sum(one.seconds for one in results),
        is_at_target=passed and is_there,
    )  # fmt: skip


def write(figures: list[str]) -> int:
    """Write the page, which tells of all figures, and print it; 0 when each of these, or of all, is at its target."""
    made = rows(listed())
    table = [
        "| Figure | Database | Cases | Floor | Failures | Controls seen to fail | Measured | Seconds | At target |",
        "| --- | --- | ---: | ---: | ---: | --- | --- | ---: | --- |",
        *(row.shown() for row in made),
    ]
    reached = {row.figure for row in made} - {row.figure for row in made if not row.is_at_target}
    missing = [one for one in FIGURES if one not in reached]
    what = "\n".join(described())
    when = f"Made on {datetime.now(UTC):%Y-%m-%d} from commit {_commit()}."
    end = [*table, "", took(missing), "", _open(missing)]
    PAGE.write_text("\n".join([_HEAD, what, "", when, "", *end]))
    print("\n".join(end))
    return 0 if reached.issuperset(figures or FIGURES) else 1


def described() -> Iterator[str]:
    """What each figure counts, and below it what is smaller about it than it should be."""
    for number, title in FIGURES.items():
        yield f"- **F{number}** {title}."
        yield from (f"  - {one}" for one in smaller(number))


def took(missing: list[str]) -> str:
    """How long all the runs took that the results are from."""
    minutes = sum(end - start for start, end in runs()) / 60
    which = "So far, of a whole run" if missing else "Whole run"
    over = f" That is more than the {MOST_MINUTES} that it may take." if minutes > MOST_MINUTES else ""
    return f"{which}: {minutes:.0f} minutes on {len(os.sched_getaffinity(0))} cores.{over}"


def _open(missing: list[str]) -> str:
    if not missing:
        return "Every figure is at its target.\n"
    return f"Not at target, or not run: {', '.join(f'F{one}' for one in missing)}.\n"


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "service", "migrations", "tests", "pyproject.toml")
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")
