"""docs/proof.md: every figure with its cases, failures, floor and controls, and when and from what it was made."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime

from .figures import FIGURES
from .ledger import ROOT, Result, kept, runs

PAGE = ROOT / "docs" / "proof.md"

_HEAD = """\
# Proof

Each figure counts attacks, faults or races on the real thing: SQLite, PostgreSQL, Valkey, Chromium, processes. A figure
is at its target when nothing failed, when it tried at least its floor of cases, and when it has controls, which break
something on purpose, and each was seen to fail; some of them are on one database only. Make this page yourself with
`make prove`, or one figure with `make prove F=4`; what already succeeded with the same sources is not run again.

Power loss, other browsers than Chromium and an independent attack are not covered.
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
        cells = (
            f"F{self.figure}", self.database or "either", f"{self.cases:,}", f"{self.floor:,}", f"{self.failures:,}",
            f"{self.controls_seen} of {self.controls}", "; ".join(self.notes), f"{self.seconds:,.0f}", verdict,
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


def rows(results: dict[str, Result]) -> list[Row]:
    """One row for each figure and database, in the order of the figures; a figure that was not run is none."""
    found = []
    for figure in FIGURES:
        ours = [one for one in results.values() if one.figure == figure]
        is_controlled = {one.is_control for one in ours} == {True, False}
        for database in ("", "sqlite", "postgresql"):
            if here := [one for one in ours if one.database == database]:
                found.append(_row(figure, database, here, is_controlled=is_controlled))
    return found


def _row(figure: str, database: str, results: list[Result], *, is_controlled: bool) -> Row:
    """`is_controlled`: on one database at least the figure has both cases and a control."""
    tries = [one for one in results if not one.is_control]
    controls = [one for one in results if one.is_control]
    passed = all(one.outcome == "passed" for one in results)
    return Row(
        figure, database,
        cases=sum(one.cases for one in tries),
        floor=sum(one.floor for one in tries),
        failures=sum(one.failures or one.outcome != "passed" for one in tries),
        controls=len(controls),
        controls_seen=sum(one.outcome == "passed" for one in controls),
        notes=[note for one in tries for note in one.notes],
        seconds=sum(one.seconds for one in results),
        is_at_target=passed and is_controlled,
    )  # fmt: skip


def write(figures: list[str]) -> int:
    """Write the page, which tells of all figures, and print it; 0 when each of these, or of all, is at its target."""
    made = rows(kept())
    table = [
        "| Figure | Database | Cases | Floor | Failures | Controls seen to fail | Measured | Seconds | At target |",
        "| --- | --- | ---: | ---: | ---: | --- | --- | ---: | --- |",
        *(row.shown() for row in made),
    ]
    reached = {row.figure for row in made} - {row.figure for row in made if not row.is_at_target}
    missing = [one for one in FIGURES if one not in reached]
    what = "\n".join(f"- **F{number}** {title}." for number, title in FIGURES.items())
    when = f"Made on {datetime.now(UTC):%Y-%m-%d} from commit {_commit()}."
    end = [*table, "", took(missing), "", _open(missing)]
    PAGE.write_text("\n".join([_HEAD, what, "", when, "", *end]))
    print("\n".join(end))
    return 0 if reached.issuperset(figures or FIGURES) else 1


def took(missing: list[str]) -> str:
    """How long all the runs took that the results are from."""
    minutes = sum(end - start for start, end in runs()) / 60
    which = "So far, of a whole run" if missing else "Whole run"
    return f"{which}: {minutes:.0f} minutes on {len(os.sched_getaffinity(0))} cores."


def _open(missing: list[str]) -> str:
    if not missing:
        return "Every figure is at its target.\n"
    return f"Not at target, or not run: {', '.join(f'F{one}' for one in missing)}.\n"


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "service", "migrations", "tests", "pyproject.toml")
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")
