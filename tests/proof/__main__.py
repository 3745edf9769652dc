"""`make prove`: every figure at its full size, and docs/proof.md made of the results."""

from __future__ import annotations

import os
import subprocess
import sys

from .figures import FIGURES
from .ledger import timed
from .page import write

PARTS = (("figure or control) and not alone", "3"), ("figure or control) and alone", "0"))
_NOTHING_LEFT = 5
_ONE_BY_ONE = ("--dist", "load", "--maxschedchunk", "1")
_PATIENT = ("-o", "faulthandler_timeout=1800")
"""Some take many minutes."""
_FOR_ALL = {"GREENROOM_PROOFS": "full", "CI": "true"}
"""What is skipped has proved nothing: as in the continuous build, it fails."""


def main(figures: list[str]) -> int:
    """Run what has not succeeded yet with these sources; write the page; 0 when every figure is at its target."""
    if unknown := set(figures) - set(FIGURES):
        sys.exit(f"There is no figure {', '.join(sorted(unknown))}. There are {', '.join(FIGURES)}.")
    chosen = [f"--figure={one}" for one in figures]
    with timed():
        for marks, workers in PARTS:
            command = [
                sys.executable, "-m", "pytest", "-n", workers, "-m", f"({marks}", *_ONE_BY_ONE, *_PATIENT,
                "--list-figures", *chosen,
            ]  # fmt: skip
            done = subprocess.run(command, env=os.environ | _FOR_ALL)
            if done.returncode not in (0, 1, _NOTHING_LEFT):
                return done.returncode
    return write(figures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
