"""Greenroom beside its peers, in one run: the table of targets, a plot, and the page of the manual.

python -m benchmarks.bench            twenty minutes, into docs/; exits with 1 when a floor is missed
python -m benchmarks.bench --quick    three minutes, with less data, into build/bench/
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks.bench import page, plot, remark42
from benchmarks.bench.greenroom import postgresql
from benchmarks.bench.isso import Isso
from benchmarks.bench.remark42 import Remark42
from benchmarks.bench.rounds import FULL, QUICK, ROOT, Bench, Numbers, Server, Sizes
from benchmarks.bench.targets import Result, results
from benchmarks.bench.waline import Waline
from benchmarks.servers import CORES, pin
from service.db import now

NOTES = Path(__file__).parent / "notes.md"
"""By hand: the profile of what lies between floor and target, and what was tried."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "greenroom-bench"


def needed() -> None:
    """Ends with words on what has to be installed first."""
    wanted = {"wrk": "the load", "npm": "Waline", "node": "Waline"}
    missing = [f"{name} (for {what})" for name, what in wanted.items() if not shutil.which(name)]
    if missing:
        sys.exit(f"make bench needs {' and '.join(missing)}. Install what is missing, and run it again.")
    if len(CORES) < 2:
        sys.exit("make bench needs two cores: one for the server, one for the load.")


def seeded(place: Path, sizes: Sizes) -> tuple[list[Server], dict[str, str]]:
    """The peers with their data, and their versions."""
    isso, waline = Isso(CACHE, place / "isso"), Waline(CACHE, place / "waline")
    versions = {"Isso": isso.install(), "Waline": waline.install()}
    isso.seed(sizes.pending)
    waline.seed(sizes.pending)
    peers: list[Server] = [isso, waline]
    if program := os.environ.get("REMARK42"):
        other = Remark42(Path(program).resolve(), place / "remark42")
        other.seed()
        peers.append(other)
        told = subprocess.run([program, "--version"], capture_output=True, text=True)
        versions["Remark42"] = (
            (told.stdout or told.stderr).strip().splitlines()[-1:][0] if told.stdout else "its binary"
        )
    return peers, versions


def measured(sizes: Sizes) -> tuple[Numbers, dict[str, str]]:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="greenroom-bench-")))
        _tell("Peers are installed, and their data is made.")
        peers, versions = seeded(place, sizes)
        _tell("Greenroom's data is made, on SQLite and PostgreSQL.")
        bench = Bench(place, sizes, peers)
        bench.with_postgresql(place, stack.enter_context(postgresql(place)))
        pin(1)  # what asks and what counts must not take the servers' core; each server pins itself
        for turn in range(1, sizes.rounds + 1):
            _tell(f"Turn {turn} of {sizes.rounds}.")
            bench.turn()
        _tell("Slow clients.")
        bench.siege()
        return bench.numbers, versions


_BEGUN = time.monotonic()


def _tell(words: str) -> None:
    print(f"{time.monotonic() - _BEGUN:6.0f} s  {words}", flush=True)


def commit() -> str:
    """The commit that is measured, and whether something was changed since."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "service", "migrations")
    return (git("rev-parse", "--short=7", "HEAD") or "unknown") + (" with changes" if changed else "")


def written(out: Path, numbers: Numbers, run: page.Run) -> list[Result]:
    """Page, plot and figures in a folder; what came of the targets."""
    told = results(numbers, remark42.RECORDED)
    (out / "images").mkdir(parents=True, exist_ok=True)
    (out / run.picture).write_text(plot.plot(told))
    notes = NOTES.read_text() if NOTES.exists() else ""
    (out / "benchmarks.md").write_text(page.page(numbers, remark42.RECORDED, run, notes))
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one turn with less data, into build/bench/")
    chosen = parser.parse_args()
    needed()
    sizes = QUICK if chosen.quick else FULL
    numbers, versions = measured(sizes)
    run = page.Run(
        date=f"{now():%Y-%m-%d}",
        commit=commit(),
        machine=f"{len(CORES)} shared cores",
        minutes=(time.monotonic() - _BEGUN) / 60,
        versions={"Python": platform.python_version()} | versions,
        sizes=sizes,
        picture="images/benchmarks.svg",
    )
    out = ROOT / ("build/bench" if chosen.quick else "docs")
    told = written(out, numbers, run)
    figures = (out if chosen.quick else ROOT / "benchmarks") / "bench.json"
    figures.write_text(
        json.dumps({"sizes": asdict(sizes), "figures": numbers.by, "refused": numbers.refused}, indent=1) + "\n"
    )
    print(f"\n{page.targets(told)}\n{page.answers(numbers, remark42.RECORDED)}\n{out / 'benchmarks.md'}")
    return int(any(one.verdict in ("below the floor", "not measured") for one in told))


if __name__ == "__main__":
    sys.exit(main())
