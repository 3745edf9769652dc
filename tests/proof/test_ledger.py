"""The books of the proofs: a figure cannot pass by trying nothing, and the page says what fell short."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from . import ledger, page
from .figures import FIGURES
from .footing import ROOT, footing
from .ledger import Proof, Result
from .smaller import SMALLER, smaller
from .test_f20_mutants import DRAWN

PASSED = Result("4", "sqlite", is_control=False, floor=10, cases=12, outcome="passed", seconds=2.0)
OTHER = replace(PASSED, database="postgresql")
SEEN = Result("4", "sqlite", is_control=True, outcome="passed", seconds=1.0)


def test_a_case_that_failed_fails_the_figure_when_all_are_tried() -> None:
    proof = Proof(Result("4", "", is_control=False, floor=2))
    proof.case("one leak")
    proof.cases(3)
    with pytest.raises(pytest.fail.Exception, match="1 of 4 cases failed:\none leak"):
        proof.settle()
    assert proof.result.failures == 1


def test_too_few_cases_fail_the_figure() -> None:
    proof = Proof(Result("4", "", is_control=False, floor=2))
    proof.case()
    with pytest.raises(pytest.fail.Exception, match="1 cases, fewer than 2"):
        proof.settle()
    proof.case()
    proof.settle()


@pytest.mark.parametrize("when", ["setup", "call", "teardown"])
@pytest.mark.parametrize("outcome", ["skipped", "failed"])
def test_what_does_not_pass_is_kept_whenever_that_happens(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, when: Any, outcome: Any
) -> None:
    """A fixture that skips or fails ends a test before its call; one that fails afterwards takes back its result."""
    monkeypatch.setattr(ledger, "FULL", True)
    monkeypatch.setattr(ledger, "_number", lambda _: "4")
    reporting = ledger.pytest_runtest_makereport(request.node)
    next(reporting)
    with pytest.raises(StopIteration) as ended:
        reporting.send(pytest.TestReport("a", ("a", 1, "a"), {}, outcome, "no disk", when))
    ((name, kept),) = ended.value.value.user_properties
    assert (name, kept["outcome"], kept["notes"]) == ("proof", outcome, [f"{outcome}: no disk"])


def test_results_of_other_sources_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "KEPT", tmp_path / "results.json")
    assert ledger.kept() == {}
    test, other = "tests/proof/test_f04_house.py::test", "tests/proof/test_f04_privacy.py"
    for sources, wanted in (("another", {}), (ledger.sources(other), {}), (None, {test: PASSED})):
        kept = ledger._as_kept(test, asdict(PASSED))
        ledger.KEPT.write_text(json.dumps({test: kept | ({"sources": sources} if sources else {})}))
        assert ledger.kept() == wanted


def test_a_result_stands_on_what_its_test_uses_and_on_nothing_else() -> None:
    """Modules by their imports, whatever they import in turn, and what is named as a path."""
    one, other = (footing(f"tests/proof/test_{name}.py") for name in ("f20_mutants", "f14_rendering"))
    tests = ROOT / "tests"
    assert {tests / "proof/mutation.py", tests / "accounts/test_sessions.py", tests / "accounts/__init__.py"} <= one
    assert {tests / "proof/ledger.py", tests / "conftest.py", tests / "support.py", tests / "proof/doors.py"} <= other
    assert not {tests / "accounts/test_sessions.py", tests / "proof/test_f20_mutants.py"} & other


@pytest.mark.parametrize(
    ("test", "named"),
    [
        ("f06_isolation", "tests/proof/roles.txt"),
        ("f20_hygiene", "tests/proof/asvs.toml"),
        ("f20_hygiene", "tests/comments/test_foreign_html.py"),
        ("f02_browser", "tests/proof/watched.js"),
        ("f12_signatures", "tests/webhooks/verify.cjs"),
    ],
)
def test_a_result_stands_on_tables_and_scripts_too(test: str, named: str) -> None:
    """And on the tests that a table names."""
    assert ROOT / named in footing(f"tests/proof/test_{test}.py")


def test_whatever_lies_here_is_stood_on_by_some_test() -> None:
    here = ROOT / "tests/proof"
    stood_on = frozenset[Path]().union(*(footing(str(one.relative_to(ROOT))) for one in here.glob("test_*.py")))
    assert {one for one in here.iterdir() if one.is_file() and one.name != "__main__.py"} <= stood_on


def test_a_result_stands_on_the_texts_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "CORPORA", tmp_path)
    (tmp_path / "corpora").mkdir()
    test, text, found = "tests/proof/test_f04_house.py", tmp_path / "corpora/xss.json", set[str]()
    for content in ("", "<b>", "<i>"):
        text.write_text(content)
        ledger._corpora.cache_clear()
        ledger.sources.cache_clear()
        found.add(ledger.sources(test))
    monkeypatch.undo()
    ledger._corpora.cache_clear()
    ledger.sources.cache_clear()
    assert len(found | {ledger.sources(test)}) == 4


def test_every_test_of_every_figure_is_listed_whichever_are_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ends without a word, such as a worker that crashes, is on the list and has no outcome."""
    for name in ("KEPT", "LISTED"):
        monkeypatch.setattr(ledger, name, tmp_path / f"{name}.json")
    tests = [f"tests/proof/test_f04_house.py::{name}" for name in ("a[sqlite]", "b[postgresql]", "c")]
    marks = [pytest.mark.figure("4", quick=0, full=0), pytest.mark.control("4"), pytest.mark.long]
    items: Any = [_Item(test, one) for test, one in zip(tests, marks, strict=True)]
    options: dict[str, Any] = {"--list-figures": True, "--figure": ["5"]}
    hook = SimpleNamespace(pytest_deselected=lambda items: None)
    config: Any = SimpleNamespace(option=SimpleNamespace(collectonly=False), getoption=options.__getitem__, hook=hook)
    session: Any = SimpleNamespace(testsfailed=1)
    ledger.pytest_collection_modifyitems(session, config, list(items))
    assert ledger.listed() == {}
    session.testsfailed = 0
    ledger.pytest_collection_modifyitems(session, config, items)
    assert items == []
    gone = "tests/proof/test_f04_house.py::gone"
    ledger._keep(ledger.KEPT, {one: ledger._as_kept(one, asdict(PASSED)) for one in (tests[0], gone)})
    assert ledger.listed() == {tests[0]: PASSED, tests[1]: Result("4", "postgresql", is_control=True)}
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "RUNS", tmp_path / "runs.json")
        with ledger.timed():  # whose list is yet to come
            assert ledger.listed() == {}


class _Item:
    """What the books know of a test."""

    def __init__(self, nodeid: str, mark: pytest.MarkDecorator) -> None:
        self.nodeid, self.mark = nodeid, mark

    def get_closest_marker(self, name: str) -> Any:
        return self.mark.mark if self.mark.name == name else None


def test_what_is_kept_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "new" / "results.json"
    ledger._keep(place, {"a": 1})

    def ended(self: Path, text: str) -> None:
        with self.open("w") as file:
            file.write(text[:3])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", ended)
    with pytest.raises(KeyboardInterrupt):
        ledger._keep(place, {"a": 2})
    assert json.loads(place.read_text()) == {"a": 1}


def test_runs_that_go_on_with_each_other_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "KEPT", tmp_path / "results.json")
    monkeypatch.setattr(ledger, "RUNS", tmp_path / "runs.json")
    ledger.RUNS.write_text("[[10, 20]]")
    with ledger.timed():  # nothing of it counts any more
        assert [end for _, end in ledger.runs()] == [start for start, _ in ledger.runs()]
        test = "tests/proof/test_f04_house.py::test"
        ledger.KEPT.write_text(json.dumps({test: ledger._as_kept(test, asdict(PASSED))}))
        killed = ledger.RUNS.read_text()
        ended = ledger.KEPT.stat().st_mtime
    (first,) = ledger.runs()
    assert 0 < first[1] - first[0] < 60
    ledger.RUNS.write_text(killed)
    with ledger.timed():
        ledger.KEPT.touch()
    assert ledger.runs()[0] == (first[0], ended)
    assert len(ledger.runs()) == 2


def test_the_page_adds_up_what_the_tests_of_a_figure_found() -> None:
    row, _ = (one for one in page.rows({"a": PASSED, "b": PASSED, "c": SEEN}) if one.figure == "4")
    assert (row.cases, row.floor, row.failures, row.controls, row.controls_seen) == (24, 20, 0, 1, 1)
    assert row.is_at_target


def test_a_row_is_one_line_whatever_was_noted() -> None:
    noted = replace(PASSED, notes=["failed: a\n  | b", "the same"])
    row, _ = (one for one in page.rows({"a": noted, "b": noted, "c": SEEN}) if one.figure == "4")
    assert "| failed: a \\| b; the same |" in row.shown()


def at_target(*results: Result) -> list[bool]:
    """Of figure 4 or 12, by its rows."""
    of = results[0].figure
    return [row.is_at_target for row in page.rows(dict(enumerate(results))) if row.figure == of]  # type: ignore[arg-type]


def test_a_figure_needs_cases_and_a_control_on_one_database_at_least() -> None:
    assert at_target(PASSED, OTHER, SEEN) == [True, True]
    assert at_target(PASSED, OTHER) == [False, False]
    assert at_target(SEEN) == [False, False]


def test_a_figure_needs_cases_on_both_databases_unless_it_has_nothing_to_do_with_any() -> None:
    assert at_target(PASSED, SEEN) == [True, False]
    assert at_target(PASSED, SEEN, replace(SEEN, database="postgresql")) == [True, False]
    assert at_target(*(replace(one, figure="12", database="") for one in (PASSED, SEEN))) == [True]


@pytest.mark.parametrize("left", [PASSED, OTHER, SEEN])
def test_a_test_that_was_not_run_leaves_its_figure_open(left: Result) -> None:
    unrun = replace(left, outcome="", cases=0)
    rows = [one for one in page.rows({"a": PASSED, "b": OTHER, "c": SEEN, "d": unrun}) if one.figure == "4"]
    (row,) = (one for one in rows if not one.is_at_target)
    assert row.database == left.database
    assert (row.failures, row.notes[0].partition(" ")[2]) == (0, f"of {2 + (left.database == 'sqlite')} tests not run")


def test_what_is_smaller_than_asked_stands_below_its_figure() -> None:
    told = list(page.described())
    assert set(SMALLER) <= set(FIGURES)
    assert len(told) == len(FIGURES) + sum(len(smaller(one)) for one in SMALLER)
    assert told[told.index(f"- **F4** {FIGURES['4']}.") + 1] == f"  - {smaller('4')[0]}"
    samples = ", ".join(f"{number} of {room}" for room, number in DRAWN.items())
    assert samples in smaller("20")[0]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Result]:
    """What the page is made of, by the tests that it lists; it is written to another place."""
    found: dict[str, Result] = {}
    monkeypatch.setattr(page, "listed", lambda: found)
    monkeypatch.setattr(page, "runs", lambda: [(0, 1500), (2000, 3500)])
    monkeypatch.setattr(page, "PAGE", tmp_path / "proof.md")
    return found


@pytest.mark.parametrize("broken", [PASSED, SEEN])
def test_what_did_not_pass_is_not_at_target(broken: Result, kept: dict[str, Result]) -> None:
    kept |= {"a": PASSED, "b": SEEN, "c": OTHER, "d": replace(broken, outcome="failed")}
    assert page.write(["4"]) == 1
    assert " F4," in page.PAGE.read_text().partition("not run:")[2]


def test_a_figure_that_was_not_run_is_named_whichever_were_asked_for(kept: dict[str, Result]) -> None:
    kept |= {"a": PASSED, "b": SEEN, "c": OTHER}
    for figures, code in ([], 1), (["4"], 0):
        assert page.write(figures) == code
        left = page.PAGE.read_text().partition("not run: ")[2]
        assert all(f"F{one}" in left for one in FIGURES if one != "4") and "F4" not in left
    assert "So far, of a whole run: 50 minutes on " in page.PAGE.read_text()


def test_the_page_says_when_all_is_well_and_how_long_it_took(kept: dict[str, Result]) -> None:
    both = enumerate((PASSED, OTHER, SEEN))
    kept |= {f"{one}{n}": replace(had, figure=one) for n, had in both for one in FIGURES}
    assert page.write([]) == 0
    assert "\nWhole run: 50 minutes on " in page.PAGE.read_text()
    assert page.PAGE.read_text().endswith("\nEvery figure is at its target.\n")


def test_the_page_says_when_a_run_takes_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    for minutes, is_told in ((60, False), (62, True)):
        monkeypatch.setattr(page, "runs", lambda: [(0, 1800), (1800, minutes * 60)])  # noqa: B023 - called at once
        assert (" That is more than the 60 that it may take." in page.took([])) == is_told
