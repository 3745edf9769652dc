"""No text keeps the service busy: hard ones at the greatest length, at every door that takes or shows them.

The suite measures no time, since other work on the machine would make it fail: it counts the functions that are
called for a text and for one of half its length. `make prove` measures time too, the processor's and that on the wall,
with nothing beside it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import pytest
from flask import Flask
from sqlalchemy import text as sql
from werkzeug.test import TestResponse

from service.comments import rendering, routes
from service.comments.rendering import render
from service.db import db
from service.transfer import importer
from service.transfer.task import Order
from tests.support import FULL
from tests.transfer.exports import comment, export, item, saved

from .ledger import Proof
from .pathological import FOREIGN, LINES, LONGEST, MARKDOWN, least, processor_time, repeated, work
from .stage import HTML, TALK, Stage
from .world import sent

pytestmark = pytest.mark.one_database

MOST_SECONDS = 0.25
MOST_GROWTH = 3.0
TOO_SHORT = 0.01
"""Seconds below which a ratio says nothing."""
COUNTED = LONGEST if FULL else 1_500
"""Characters of the texts for which calls are counted: counting takes its time."""

Make = Callable[[int], str]
Act = Callable[[], TestResponse]
TEXTS: dict[tuple[str, str], Make] = {("md", name): make for name, make in (MARKDOWN | FOREIGN).items()}
TEXTS |= {("html", name): make for name, make in FOREIGN.items()}


@pytest.fixture
def stage(app: Flask) -> Stage:
    return Stage(app)


class Doors:
    """Requests with hard texts and lines: what is sent where, and every place where a text is shown."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        if path.startswith("/desk/"):
            answer: TestResponse = self.stage.desk.open(path, method=method, **more)
            return answer
        self.stage.visitors += 1
        here = {"REMOTE_ADDR": f"10.{self.stage.visitors >> 8}.{self.stage.visitors & 255}.1"}
        headers = self.stage.bearer | {"If-Match": "*"} if path.startswith(("/v1/moderation", "/v1/pages")) else HTML
        return sent(self.stage.client, path, method=method, headers=headers, environ_base=here, **more)

    def with_text(self, text: str) -> Iterator[Act]:
        """A preview, a comment as JSON, one by a form."""
        values = {"page": TALK, "name": "Ada", "email": "ada@mail.example.org", "body": text}
        yield partial(self.ask, "POST", "/v1/sites/blog/preview", json={"body": text})
        yield partial(self.ask, "POST", "/v1/sites/blog/comments", json=values)
        yield partial(self.ask, "POST", "/embed/blog/comments", data=values)

    def with_line(self, unit: str) -> Iterator[Act]:
        """Every short field at its greatest length, and far beyond it; every parameter that is a text."""
        for field, (start, most) in _FIELDS.items():
            for length in (most, 25_000):
                values = {"page": "x", "name": "Ada", "email": "ada@mail.example.org", "body": f"{unit}{field}"}
                values[field] = start + repeated(unit, length - len(start))
                yield partial(self.ask, "POST", "/v1/sites/blog/comments", json=values)
        for page in ("/" + repeated(unit, 2_047), "https://blog.example.org/?" + repeated(unit, 2_000), unit * 200):
            yield partial(self.ask, "GET", f"/v1/sites/blog/thread?{urlencode({'page': page})}")
        yield partial(self.ask, "POST", "/v1/sites/blog/counts", json={"pages": ["/" + repeated(unit, 500)] * 100})
        title = {"site": "blog", "page": "/titled", "title": repeated(unit, 300)}
        yield partial(self.ask, "POST", "/v1/pages", json=title)
        for path, parameters in _SEARCHES:
            query = urlencode({name: repeated(unit, most) for name, most in parameters.items()})
            yield partial(self.ask, "GET", f"{path}?{query}")

    def shown(self) -> Iterator[Act]:
        """Every list and page that shows the texts."""
        for path in (f"/v1/sites/blog/thread?page={TALK}&limit=100", "/v1/sites/blog/feed.atom",
                     f"/embed/blog?page={TALK}", "/v1/moderation/comments?limit=100",
                     "/desk/?status=all&limit=100"):  # fmt: skip
            yield partial(self.ask, "GET", path)

    def imported(self, texts: Mapping[Any, str], folder: Path) -> None:
        rows = [comment(id=str(n + 1), content=escape(text)) for n, text in enumerate(texts.values())]
        path = saved(folder, export(item(*rows, link=f"{self.stage.origin}{TALK}")))
        importer.run(Order(path=path, site_id=self.stage.site_id))


_FIELDS = {
    "name": ("", 80),
    "email": ("a@", 254),
    "website": ("http://a.b/", 200),
    "page_title": ("", 300),
    "page_url": ("/", 2_048),
}
"""How each short field begins, and its greatest length."""
_SEARCHES: list[tuple[str, dict[str, int]]] = [
    ("/v1/moderation/comments", {"q": 200}),
    ("/v1/moderation/comments", {"reason": 40}),
    ("/v1/moderation/comments", {"page": 2_048}),
    ("/desk/", {"q": 200, "reason": 40}),
    ("/embed/blog/form", {"page": 200, "page_title": 300, "redirect_to": 2_048}),
]


def growth(measure: Callable[[Callable[[], Any]], float], body_format: str, make: Make, length: int = LONGEST) -> float:
    """How many times as much a text takes as one of half its length."""
    half, whole = make(length // 2), make(length)
    return measure(lambda: render(whole, body_format)) / measure(lambda: render(half, body_format))


def works_too_much(texts: Mapping[tuple[str, str], Make]) -> Iterator[tuple[float, list[str]]]:
    for (body_format, name), make in texts.items():
        ratio = growth(work, body_format, make, COUNTED)
        yield ratio, [f"{name} as {body_format}: {ratio:.1f} times the calls"] if ratio >= MOST_GROWTH else []


@pytest.mark.figure("14", quick=52, full=52)
def test_twice_the_text_is_not_three_times_the_work(proof: Proof) -> None:
    assert (len(MARKDOWN), len(FOREIGN)) == (28, 12)
    worst = 0.0
    for ratio, faults in works_too_much(TEXTS):
        worst = max(worst, ratio)
        proof.case(*faults)
    proof.note(f"at most {worst:.1f} times the calls for twice the text")


def breaks(answers: Iterator[Act], name: Any) -> Iterator[list[str]]:
    """For each request what is wrong with its answer: nothing but a 5xx is."""
    for act in answers:
        answer = act()
        yield [f"{name!r}: {answer.status_code} at {answer.request.path}"] if answer.status_code >= 500 else []


@pytest.mark.figure("14", quick=60, full=650)
def test_no_text_and_no_line_breaks_a_door(stage: Stage, proof: Proof, tmp_path: Path) -> None:
    doors = Doors(stage)
    texts = {name: make(LONGEST) for name, make in list((MARKDOWN | FOREIGN).items())[:: 1 if FULL else 10]}
    for name, text in texts.items():
        for faults in breaks(doors.with_text(text), name):
            proof.case(*faults)
    for unit in LINES[:: 1 if FULL else 10]:
        for faults in breaks(doors.with_line(unit), unit):
            proof.case(*faults)
    doors.imported(texts, tmp_path)
    stage.publish_all()
    for faults in breaks(doors.shown(), "all texts"):
        proof.case(*faults)


def slow(name: Any, act: Act, most: float = MOST_SECONDS) -> tuple[float, list[str]]:
    """The seconds that a request takes, and what is wrong about it.

    By the processor's clock and by that on the wall: a database in a process of its own works by the latter alone.
    """
    paths: list[str] = []
    clocks = {"of our work": time.thread_time, "in all": time.perf_counter}
    seconds = least(lambda: paths.append(act().request.path), list(clocks.values()), enough=most / 2, tries=10)
    told = [f"{name!r}: {took * 1000:.0f} ms {what} at {paths[0]}" for what, took in zip(clocks, seconds, strict=True)]
    return max(seconds), [line for line, took in zip(told, seconds, strict=True) if took > most]


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.figure("14", quick=0, full=900)
def test_every_text_and_line_is_taken_and_shown_in_time(stage: Stage, proof: Proof, tmp_path: Path) -> None:
    doors = Doors(stage)
    worst = {"a text": 0.0, "a line": 0.0, "a text shown": 0.0}

    def try_(kind: str, name: Any, acts: Iterator[Act]) -> None:
        for act in acts:
            seconds, faults = slow(name, act)
            worst[kind] = max(worst[kind], seconds)
            proof.case(*faults)

    for number, (name, make) in enumerate((MARKDOWN | FOREIGN).items()):
        stage.wipe()
        doors.imported({name: make(LONGEST)}, tmp_path)
        try_("a text shown", name, doors.shown())
        try_("a text", name, doors.with_text(make(LONGEST - number)))
    stage.wipe()
    for unit in LINES:
        try_("a line", unit, doors.with_line(unit))
    proof.note("slowest: " + ", ".join(f"{kind} {seconds * 1000:.0f} ms" for kind, seconds in worst.items()))


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.figure("14", quick=0, full=52)
def test_each_text_is_rendered_in_time_and_in_step_with_its_length(proof: Proof) -> None:
    worst = steepest = 0.0
    for (body_format, name), make in TEXTS.items():
        seconds, ratio, faults = timed(body_format, name, make)
        worst, steepest = max(worst, seconds), max(steepest, ratio)
        proof.case(*faults)
    proof.note(f"rendering: {worst * 1000:.0f} ms at most, {steepest:.1f} times for twice the text")


def timed(body_format: str, name: str, make: Make) -> tuple[float, float, list[str]]:
    """Seconds, how they grow, and what is wrong with either."""
    text = make(LONGEST)
    seconds = processor_time(lambda: render(text, body_format))
    ratio = steepness(body_format, make) if seconds >= TOO_SHORT else 0.0
    faults = [f"{name} as {body_format}: {seconds * 1000:.0f} ms"] if seconds > MOST_SECONDS else []
    return seconds, ratio, faults + ([f"{name} as {body_format}: {ratio:.1f} times"] if ratio >= MOST_GROWTH else [])


def steepness(body_format: str, make: Make) -> float:
    """How time grows with a text: the least of three, since other work on the machine can only add to one."""
    ratios = (growth(processor_time, body_format, make) for _ in range(3))
    return next((ratio for ratio in ratios if ratio < MOST_GROWTH), MOST_GROWTH)


@pytest.mark.control("14")
def test_work_that_grows_with_the_square_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def pair_by_pair(markup: str, clean: Callable[[str], str] = rendering.clean) -> str:
        pairs = [ord(one) + ord(other) for one in markup[::20] for other in markup[::20]]
        return clean(markup) if pairs else ""

    monkeypatch.setattr(rendering, "clean", pair_by_pair)
    found = works_too_much({("md", "a"): lambda length: repeated("a ", length)})
    assert any(faults for _, faults in found)


@pytest.mark.control("14")
def test_a_crash_is_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "render", lambda text: text.encode("ascii").decode())
    assert any(breaks(Doors(stage).with_text("é"), "é"))


def _works(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def _asks_a_slow_database(seconds: float) -> None:
    if db.engine.dialect.name == "postgresql":
        db.session.execute(sql(f"SELECT pg_sleep({seconds})"))
    else:
        threading.Event().wait(seconds)


@pytest.mark.full
@pytest.mark.alone
@pytest.mark.control("14")
@pytest.mark.parametrize("busy", [_works, _asks_a_slow_database])
def test_a_slow_door_is_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch, busy: Callable[[float], None]) -> None:
    def slowly(text: str) -> str:
        busy(MOST_SECONDS)
        return render(text)

    assert not slow("a", next(Doors(stage).with_text("a")))[1]
    monkeypatch.setattr(routes, "render", slowly)
    assert slow("a", next(Doors(stage).with_text("a")))[1]
