"""The books of the proofs: a figure cannot pass by trying nothing, and the page says what fell short."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from . import ledger, page
from .figures import FIGURES
from .footing import ROOT, footing
from .ledger import Proof, Result

PASSED = Result("4", "sqlite", is_control=False, floor=10, cases=12, outcome="passed", seconds=2.0)
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
    (row,) = page.rows({"a": PASSED, "b": PASSED, "c": SEEN})
    assert (row.cases, row.floor, row.failures, row.controls, row.controls_seen) == (24, 20, 0, 1, 1)
    assert row.is_at_target


def test_a_figure_needs_cases_and_a_control_on_one_database_at_least() -> None:
    other = Result(**asdict(PASSED) | {"database": "postgresql"})
    assert [row.is_at_target for row in page.rows({"a": PASSED, "b": other, "c": SEEN})] == [True, True]
    assert [row.is_at_target for row in page.rows({"a": PASSED, "b": other})] == [False, False]
    assert [row.is_at_target for row in page.rows({"a": SEEN})] == [False]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Result]:
    """What the page is made of; it is written to another place."""
    found: dict[str, Result] = {}
    monkeypatch.setattr(page, "kept", lambda: found)
    monkeypatch.setattr(page, "runs", lambda: [(0, 1500), (2000, 3500)])
    monkeypatch.setattr(page, "PAGE", tmp_path / "proof.md")
    return found


@pytest.mark.parametrize("broken", [PASSED, SEEN])
def test_what_did_not_pass_is_not_at_target(broken: Result, kept: dict[str, Result]) -> None:
    kept |= {"a": PASSED, "b": SEEN, "c": Result(**asdict(broken) | {"outcome": "failed"})}
    assert page.write(["4"]) == 1
    assert " F4," in page.PAGE.read_text().partition("not run:")[2]


def test_a_figure_that_was_not_run_is_named_whichever_were_asked_for(kept: dict[str, Result]) -> None:
    kept |= {"a": PASSED, "b": SEEN}
    for figures, code in ([], 1), (["4"], 0):
        assert page.write(figures) == code
        left = page.PAGE.read_text().partition("not run: ")[2]
        assert all(f"F{one}" in left for one in FIGURES if one != "4") and "F4" not in left
    assert "So far, of a whole run: 50 minutes on " in page.PAGE.read_text()


def test_the_page_says_when_all_is_well_and_how_long_it_took(kept: dict[str, Result]) -> None:
    kept |= {
        f"{one}{n}": Result(**asdict(had) | {"figure": one}) for one in FIGURES for n, had in enumerate((PASSED, SEEN))
    }
    assert page.write([]) == 0
    assert "\nWhole run: 50 minutes on " in page.PAGE.read_text()
    assert page.PAGE.read_text().endswith("\nEvery figure is at its target.\n")
