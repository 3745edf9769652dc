"""A pytest plugin that keeps the books of the proofs.

A test marked `figure("4", quick=700, full=2_000)` counts its cases with the `proof` fixture; it fails when one of
them failed or when there were fewer than its floor, so that an empty corpus cannot pass. A test marked
`control("4")` shows that the figure can fail: it breaks something and finds that the same check sees it.

In the suite they run at their quick size, without those marked `full`. `make prove` runs all at their full size,
keeps each result in `.proof/`, passes over what already succeeded with the same sources, and writes docs/proof.md.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import CORPORA, FULL

from .figures import FIGURES
from .footing import footing

ROOT = Path(__file__).parent.parent.parent
KEPT = ROOT / ".proof" / "results.json"
RUNS = ROOT / ".proof" / "runs.json"
LISTED = ROOT / ".proof" / "listed.json"
_SOURCES = ("service", "migrations", "pyproject.toml", "requirements-dev.lock", "docker-compose.yml")
_HOSTILE = ("corpora", "real")
_SHOWN = 20
_TOLD = 1_000
"""Characters of what went wrong that are kept with a result: a run may be ended before it tells."""


@dataclass
class Result:
    """What one test of a figure tried and found; `seconds` of its call. No `outcome`: it was not run."""

    figure: str
    database: str
    is_control: bool
    floor: int = 0
    cases: int = 0
    failures: int = 0
    notes: list[str] = field(default_factory=list)
    outcome: str = ""
    seconds: float = 0.0


class Proof:
    """Counts the cases of one test; its failures end the test when all has been tried."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.found: list[str] = []

    def case(self, *failures: str) -> None:
        """One more case, with what was wrong about it."""
        self.cases(1, failures)

    def cases(self, number: int, failures: Iterable[str] = ()) -> None:
        """So many more cases, with what was wrong about some of them."""
        self.result.cases += number
        self.found += failures

    def note(self, text: str) -> None:
        """A measured value that belongs beside the figure, such as the worst time."""
        self.result.notes.append(text)

    def settle(self) -> None:
        """Fail for what was found, or for too few cases."""
        self.result.failures = len(self.found)
        listed = "\n".join(self.found[:_SHOWN])
        if self.found:
            pytest.fail(f"{len(self.found)} of {self.result.cases} cases failed:\n{listed}", pytrace=False)
        if self.result.cases < self.result.floor:
            pytest.fail(f"{self.result.cases} cases, fewer than {self.result.floor}", pytrace=False)


_PROOF = pytest.StashKey[Proof]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figure", action="append", default=[], help="prove only this figure, such as 4 or 5c")
    parser.addoption("--list-figures", action="store_true", help="note the tests of all figures, whichever are run")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "figure(number, quick, full): counts cases of a figure, at least so many")
    config.addinivalue_line("markers", "control(number): shows that the figure's check can fail")
    config.addinivalue_line("markers", "full: measures time, or is too long for the suite; only `make prove` runs it")
    config.addinivalue_line(
        "markers", "one_database: on SQLite only in the suite; the other one changes hardly anything"
    )
    config.addinivalue_line("markers", "long: takes many minutes at full size, and is begun first")
    config.addinivalue_line("markers", "alone: measures time; `make prove` runs it with nothing beside it")
    if FULL and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Keeper())


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """At full size, pass over what succeeded with the same sources; keep to the figures asked for.

    There is no list when a file could not be read: its tests would be missing from it, and nobody would miss them.
    """
    if config.option.collectonly:
        return
    is_first = getattr(config, "workerinput", {}).get("workerid", "gw0") == "gw0"
    if config.getoption("--list-figures") and is_first and not session.testsfailed:
        _keep(LISTED, {one.nodeid: asdict(_result(one)) for one in items if _number(one)})
    wanted = config.getoption("--figure")
    done = {test for test, result in kept().items() if result.outcome == "passed"} if FULL else set()
    chosen = [
        one
        for one in items
        if one.nodeid not in done and (not wanted or _number(one) in wanted) and (FULL or not _is_left(one))
    ]
    if len(chosen) < len(items):
        config.hook.pytest_deselected(items=[one for one in items if one not in set(chosen)])
    items[:] = sorted(chosen, key=lambda one: not one.get_closest_marker("long")) if FULL else chosen


def _is_left(item: pytest.Item) -> bool:
    """Whether the suite leaves a test to `make prove`, which runs figures and controls only."""
    on_another = item.get_closest_marker("one_database") and "postgresql" in item.nodeid.partition("[")[2]
    return bool(_number(item) and (item.get_closest_marker("full") or on_another))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    yield
    if found := item.stash.get(_PROOF, None):
        found.settle()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if FULL and _number(item) and (report.when == "call" or not report.passed):
        found = item.stash.get(_PROOF, None)
        result = found.result if found else _result(item)
        result.outcome, result.seconds = report.outcome, round(report.duration, 1)
        if not report.passed:
            result.notes.append(f"{report.outcome}: {report.longreprtext[-_TOLD:]}")
        report.user_properties.append(("proof", asdict(result)))
    return report


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    """Counts the cases of a test that is marked with its figure."""
    found = request.node.stash[_PROOF] = Proof(_result(request.node))
    return found


class _Keeper:
    """In the one process that sees every report: keep each result at once, so that a stop loses one test only."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == "proof":
                results = {test: _as_kept(test, asdict(result)) for test, result in kept().items()}
                results[report.nodeid] = _as_kept(report.nodeid, value)
                _keep(KEPT, results)


def _keep(place: Path, told: Any) -> None:
    """Write it whole or not at all: whoever ends a run may do so at any moment."""
    place.parent.mkdir(exist_ok=True)
    beside = place.with_suffix(".new")
    beside.write_text(json.dumps(told, indent=1))
    beside.replace(place)


def runs() -> list[tuple[float, float]]:
    """When the runs began and ended that the results are from. One that was killed ended with its last result."""
    told = json.loads(RUNS.read_text()) if RUNS.exists() else []
    last = KEPT.stat().st_mtime if KEPT.exists() else 0
    return [(start, end or max(start, last)) for start, end in told]


@contextmanager
def timed() -> Iterator[None]:
    """A run, which goes on with the results of those before it while some are of these sources."""
    before, start = runs() if kept() else [], time.time()
    LISTED.unlink(missing_ok=True)
    _keep(RUNS, [*before, (start, 0)])
    try:
        yield
    finally:
        _keep(RUNS, [*before, (start, time.time())])
        _corpora.cache_clear()
        sources.cache_clear()  # they may have changed meanwhile


def _as_kept(test: str, result: dict[str, Any]) -> dict[str, Any]:
    return {"sources": sources(_file_of(test)), "result": result}


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def kept() -> dict[str, Result]:
    """Results by test, of runs with the sources as they are now."""
    found = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return {test: Result(**one["result"]) for test, one in found.items() if one["sources"] == sources(_file_of(test))}


def listed() -> dict[str, Result]:
    """Every test of a figure that the run collected, with what was kept of it; what was not run has no outcome."""
    found = json.loads(LISTED.read_text()) if LISTED.exists() else {}
    return {test: Result(**one) for test, one in found.items()} | {
        test: result for test, result in kept().items() if test in found
    }


@cache
def sources(file: str) -> str:
    """A digest of all that a result of a test in this file depends on.

    That is all that we serve, what the test uses, and the hostile texts of others.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard", *_SOURCES], cwd=ROOT, check=True, capture_output=True
    )
    digest = hashlib.sha256(_corpora())
    served = set(filter(None, listed.stdout.decode().split("\0")))
    for name in sorted(served | {str(one.relative_to(ROOT)) for one in footing(file)}):
        path = ROOT / name
        digest.update(f"{name}\0".encode() + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()


@cache
def _corpora() -> bytes:
    digest = hashlib.sha256()
    for path in sorted(one for name in _HOSTILE for one in (CORPORA / name).rglob("*") if one.is_file()):
        content = hashlib.sha256(path.read_bytes()).digest()
        digest.update(f"{path.relative_to(CORPORA)}\0".encode() + content)
    return digest.digest()


def _number(item: pytest.Item) -> str:
    mark = item.get_closest_marker("figure") or item.get_closest_marker("control")
    return mark.args[0] if mark else ""


def _result(item: pytest.Item) -> Result:
    number = _number(item)
    assert number in FIGURES, f"{item.nodeid} names figure {number!r}, which is not listed"
    mark = item.get_closest_marker("figure")
    floor = mark.kwargs["full" if FULL else "quick"] if mark else 0
    database = next((name for name in ("sqlite", "postgresql") if name in item.nodeid.partition("[")[2]), "")
    return Result(number, database, is_control=mark is None, floor=floor)
