"""The page of the benchmarks from numbers that are given, and that what it judges by is asked. No server runs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from itsdangerous import URLSafeTimedSerializer

from benchmarks import desk
from benchmarks.bench import bare, greenroom, isso, load, page, plot, remark42, rounds, waline
from benchmarks.bench.greenroom import Greenroom
from benchmarks.bench.isso import Isso
from benchmarks.bench.load import Ask, scripted
from benchmarks.bench.remark42 import RECORDED, Remark42
from benchmarks.bench.rounds import FULL, QUICK, Bench, Numbers
from benchmarks.bench.targets import TARGETS, Result, results
from benchmarks.bench.waline import Waline

SLOW = {"slow": {"": {"answered": 16, "asked": 16, "p99": 20.0}}}
RUN = page.Run("2026-11-30", "1234567", "2 shared cores", 17.6, {"Isso": "0.14.0"}, FULL, "images/benchmarks.svg")


def numbers(**of: dict[str, list[float | None]]) -> Numbers:
    """Underscores are blanks."""
    return Numbers({question.replace("_", " "): by for question, by in of.items()})


def row(numbers: Numbers, line: str, than: str) -> str:
    found = [one for one in page.page(numbers, RECORDED, RUN).splitlines() if one.startswith(f"| {line} | {than}")]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("ours", "told"),
    [
        ([900.0, 700.0, 800.0], "| 2.33 – 2.67 – 3× | met |"),
        ([500.0, 300.0, 450.0], "| 1 – 1.5 – 1.67× | **missed**, above the floor |"),
        ([200.0, 200.0, 200.0], "| 0.67× | **below the floor** |"),
    ],
)
def test_a_line_stands_beside_its_measurement(ours: list[float], told: str) -> None:
    found = row(numbers(post={"Greenroom": ours, "Isso": [300.0] * 3}), "post a comment", "Isso")
    assert found == f"| post a comment | Isso | ≥ 2× | ≥ 1× {told}"


def test_less_is_better_where_the_target_says_so() -> None:
    held = numbers(memory_after_load={"Greenroom": [330.0], "Isso": [150.0]})
    told = row(held, "memory after load", "Isso")
    assert told == "| memory after load | Isso | ≤ 1× | ≤ 2× | 2.2× | **below the floor** |"


def test_who_did_not_run_is_measured_by_what_was_recorded() -> None:
    of = {"Greenroom": [1_000.0], "Isso": [100.0]}
    told = row(numbers(post=of), "post a comment", "Remark42")
    assert told.endswith("| Remark42, *recorded* | ≥ 1.5× | ≥ 0.75× | 7.2× | met |")
    told = row(numbers(post=of | {"Remark42": [800.0]}), "post a comment", "Remark42")
    assert told.endswith("| Remark42 | ≥ 1.5× | ≥ 0.75× | 1.25× | **missed**, above the floor |")


def test_a_turn_that_was_refused_counts_for_nothing_and_is_told() -> None:
    held = numbers(post={"Greenroom": [900.0, None, 800.0], "Isso": [300.0, 100.0, 400.0]})
    held.refused.append("Greenroom, post: 503")
    assert row(held, "post a comment", "Isso").endswith("| 2 – 2.5 – 3× | met |")
    assert "## What went wrong\n\n- Greenroom, post: 503\n" in page.page(held, RECORDED, RUN)


def test_what_was_not_measured_is_said() -> None:
    told = page.page(Numbers(), RECORDED, None)
    assert told.count("| – | not measured |") == len(TARGETS)
    assert "Nothing was measured yet." in told


def test_the_page_says_when_where_and_what_was_tried() -> None:
    told = page.page(Numbers(), RECORDED, RUN, "Nothing helped.")
    assert "Made on 2026-11-30 from commit 1234567 in 18 minutes and 3 turns, on 2 shared cores: Isso 0.14.0." in told
    assert told.endswith("## What is missed, and what was tried\n\nNothing helped.\n")
    assert "](images/benchmarks.svg)" in told
    assert "A rough look" not in told


def test_a_quick_run_says_that_it_is_one() -> None:
    told = page.page(Numbers(), RECORDED, replace(RUN, sizes=QUICK))
    assert "A rough look: 10,000 comments that wait, and 100,000 in a thread, stand for more." in told


class Peer:
    """A server of which only the questions are real."""

    def __init__(self, real: Any) -> None:
        self.name, self.asks = real.name, real.asks

    @contextmanager
    def fresh(self) -> Iterator[str]:
        yield ""

    def memory(self) -> float:
        return 100.0


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    """Peers → everything that is asked of them and of Greenroom, each answered twice a second."""

    @contextmanager
    def nowhere(*_: Any, **__: Any) -> Iterator[str]:
        yield ""

    comments = [{"id": "x", "replies": []}] * 1_000
    document = json.dumps({"comments": comments, "next": None}).encode()
    for place in (greenroom, rounds):
        monkeypatch.setattr(place, "answered", lambda _base, _ask: (0.0, document, {"ETag": '"x"'}))
    monkeypatch.setattr(rounds, "rate", lambda _base, _ask, _seconds: 2.0)
    monkeypatch.setattr(rounds, "WRITES", ())
    monkeypatch.setattr(rounds, "_written", nowhere)
    monkeypatch.setattr(bare, "answering", nowhere)
    for name in ("serving", "fresh"):
        monkeypatch.setattr(Greenroom, name, nowhere)
    for name in ("found", "fill"):
        monkeypatch.setattr(Greenroom, name, lambda *_, **__: None)
    monkeypatch.setattr(Greenroom, "copied", lambda self, _: self)
    monkeypatch.setattr(Greenroom, "memory", lambda _: 100.0)
    for place in (greenroom, isso, waline, remark42):
        monkeypatch.setattr(place, "POSTS", 2)
    told = subprocess.CompletedProcess([], 0, json.dumps(SLOW))
    monkeypatch.setattr(rounds.subprocess, "run", lambda *_, **__: told)

    def made(*peers: Any) -> Bench:
        found = Bench(tmp_path, FULL, [Peer(one) for one in peers])
        found.with_postgresql(tmp_path, "postgresql://")
        return found

    return made


def peers(place: Path) -> list[Any]:
    one = Isso(place, place)
    one.signer = URLSafeTimedSerializer("key")
    return [one, Waline(place, place)]


@pytest.mark.parametrize("with_remark42", [True, False])
def test_every_line_is_asked(bench: Callable[..., Bench], tmp_path: Path, with_remark42: bool) -> None:
    run = bench(*peers(tmp_path), *([Remark42(tmp_path, tmp_path)] if with_remark42 else []))
    run.turn()
    run.turn()
    run.siege()
    told = results(run.numbers, RECORDED)
    assert [one.target.line for one in told if not one.found] == []
    assert sum(one.was_recorded for one in told) == (0 if with_remark42 else 6)


def test_the_plot_has_a_row_for_each_target(bench: Callable[..., Bench], tmp_path: Path) -> None:
    run = bench(*peers(tmp_path))
    run.turn()
    run.siege()
    drawn = ElementTree.fromstring(plot.plot(results(run.numbers, RECORDED)))
    assert len(drawn.findall("{*}circle")) == len(TARGETS)


def test_an_edge_of_the_plot_keeps_what_is_beyond() -> None:
    beyond = Result(TARGETS[0], [1e-9, 1.0, 1e9], was_recorded=False)
    drawn = ElementTree.fromstring(plot.plot([beyond]))
    (line,) = [one for one in drawn.findall("{*}line") if "range" in one.attrib["class"]]
    assert (float(line.attrib["x1"]), float(line.attrib["x2"])) == (plot.LEFT, plot.LEFT + plot.WIDTH)


def test_nothing_that_writes_is_sent_twice() -> None:
    ask = Ask(["/a", "/b", "/c"], "POST", bodies=["1", "2", "3"], once=True)
    ask.taken(2)
    assert (ask.paths, ask.bodies, ask.sent) == (["/c"], ["3"], 2)


def test_each_of_many_who_write_is_another_visitor(tmp_path: Path) -> None:
    ask = Ask(["/a"], "POST", bodies=["1", "2"], visitors=True, sent=7)
    assert scripted("http://a.test", ask, tmp_path)[-4:] == [
        "POST",
        *(str(tmp_path / one) for one in ("paths", "bodies")),
        "7",
    ]


@pytest.mark.parametrize(("times", "is_slow"), [([9, 0, 0, 9, 0], False), ([0, 9, 9, 0, 9], True)])
def test_one_slow_answer_does_not_choose_how_it_is_counted(
    monkeypatch: pytest.MonkeyPatch, times: list[float], is_slow: bool
) -> None:
    took = iter([0.0, *times])
    monkeypatch.setattr(load, "answered", lambda *_: (next(took), b"", {}))
    monkeypatch.setattr(load, "_one_by_one", lambda *_: 1.0)
    monkeypatch.setattr(load, "_wrk", lambda *_: 2.0)
    assert load.rate("", Ask(["/a"]), 1) == (1.0 if is_slow else 2.0)


def test_a_long_thread_is_counted_whole(bench: Callable[..., Bench], tmp_path: Path) -> None:
    long: Ask = Waline(tmp_path, tmp_path).asks("")["thread of 1,000"]
    assert (len(long.paths), long.requests) == (4, 4)


@pytest.mark.parametrize("refused", [False, True])
def test_a_crowd_of_which_one_is_refused_is_no_measurement(monkeypatch: pytest.MonkeyPatch, refused: bool) -> None:
    """All begin before one of them has done anything, and time passes as it is asked for."""
    numbers, ticks, begun = count(), count(), Barrier(desk.MODERATORS)
    has_begun = set()

    def answer(url: str, _document: Any, token: str) -> tuple[int, Any]:
        if token not in has_begun:
            has_begun.add(token)
            begun.wait(60)
        if url.endswith("/claims"):
            return 200, {"comments": [{"id": str(next(numbers))}]}
        return (409, "Somebody was faster.") if refused and token == "moderator3" else (200, {})

    monkeypatch.setattr(desk, "ask", answer)
    monkeypatch.setattr(desk, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    install: Any = SimpleNamespace(url="http://desk", token=lambda name: name)
    with pytest.raises(AssertionError, match="faster") if refused else nullcontext():
        speed, twice = desk.crowd(install, 100)
        assert speed > 0 and twice == 0
