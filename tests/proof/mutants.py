"""Lets the tests of a room meet mutants of its code: `python -m tests.proof.mutants ROOM` tells the fate of each.

mutmut was tried (3.8.1). It changes functions only, and none that is decorated, so that the sanitiser's lists, the
table of states and the guard's rules would have no mutants; and it runs the tests twice in one process, which those
of Hypothesis refuse. They take too long here too: mutants have to be found by examples.

Here too imports are paid once. The tests are collected once, run once to see which of them enter which function, and
then forked for each mutant: in the child every function that runs the old code is given the new, and the tests that
enter it run, those first that found others of its mutants, then the quickest, until one fails. A mutant outside of
functions, or in one that only runs while modules are imported, meets all tests in a process that has imported nothing
of ours before.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from .mutation import ROOT, Mutant, mutants
from .rooms import ROOMS, Room

_NOT_OURS = (
    "alembic.command", "argon2", "email_validator", "flask_limiter", "flask_security", "flask_smorest", "flask_wtf",
    "html5lib", "html5lib.treewalkers.etree", "hypothesis", "markdown_it", "nh3", "psycopg",
    "sqlalchemy.dialects.sqlite", "time_machine",
)  # fmt: skip
"""Imported once for all; what is missing here costs time, and nothing else."""

_OPTIONS = (
    "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:schemathesis",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip
_PATIENCE = 180
_SPARE = 5
_UNHURRIED = 30
_MEMORY = 8 * 2**30
_UNFIT = "unfit"

Fate = str | None
"""The test that found a mutant; "" when it lives, None when it had to be stopped."""


def fates(room: Room, found: list[Mutant], *, emptied: bool = False) -> Iterator[tuple[Mutant, Fate]]:
    """What becomes of each mutant; `emptied`: with tests that do nothing."""
    for name in () if room.bare else _NOT_OURS:
        import_module(name)
    memory = Path("/dev/shm")  # each mutant gets a database of its own
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        arguments = [
            *_OPTIONS,
            f"--basetemp={place}/pytest",
            *(str(path) for one in room.tests for path in sorted(ROOT.glob(one))),
        ]
        arguments += ["-m", "not browser", "-k", " and ".join(f"not {word}" for word in ("postgresql", *room.without))]
        arguments += ["--noconftest"] if room.bare else []
        plugins: list[object] = [_Examples(), *([_Emptied()] if emptied else [])]
        meeting = _forked(partial(_warm, found, arguments, plugins))
        assert "fails" not in meeting, f"without a mutant {meeting['fails']} fails"
        for number, mutant in enumerate(found):
            fate = meeting["fates"].get(str(number), _UNFIT)
            if fate == _UNFIT:
                first = _First(meeting["order"])
                fate = _forked(partial(_cold, mutant, arguments, [*plugins, first]), meeting["cost"])
            yield mutant, fate


def _forked(do: Callable[[], Any], cost: float | None = None) -> Any:
    """What this returns in a process of its own; None when that takes more than twice the usual time."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        for output in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), output)
        if cost is not None:
            most = int(2 * cost) + _SPARE
            resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            signal.alarm(_PATIENCE)
        try:
            answer = json.dumps(do())
            with os.fdopen(writing, "w") as writer:
                writer.write(answer)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as reader:
        answer = reader.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended > 0:
        assert cost is not None, "it failed without a mutant"
        return "the run itself broke"
    return json.loads(answer) if ended == 0 else None


def _cold(mutant: Mutant, arguments: list[str], plugins: list[object]) -> Fate:
    """Import everything, the mutant in its place, and run all tests."""
    name, usual = mutant.file.removesuffix(".py").replace("/", "."), SourceFileLoader.get_code
    SourceFileLoader.get_code = lambda self, one: mutant.code() if one == name else usual(self, one)  # type: ignore
    return "" if pytest.main(arguments, plugins) == pytest.ExitCode.OK else "all together"


def _warm(found: list[Mutant], arguments: list[str], plugins: list[object]) -> dict[str, Any]:
    meeting = _Meeting(found)
    code = pytest.main(arguments, [*plugins, meeting])
    if code != pytest.ExitCode.OK:
        return {"fails": meeting.fails or f"pytest ({code!r})"}
    return {"fates": meeting.fates, "cost": meeting.cost, "order": meeting.order}


class _Examples:
    """Without the tests that try what Hypothesis makes up."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [one for one in items if not getattr(getattr(one, "obj", None), "is_hypothesis_test", False)]


class _First:
    """The tests in an order in which a mutant is likely to be found soon."""

    def __init__(self, order: list[str]) -> None:
        self.order = {one: number for number, one in enumerate(order)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self.order.get(item.nodeid, 0))


class _Emptied:
    """Control: tests that do nothing."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self) -> bool:
        return True


class _Meeting:
    """In place of pytest's loop: look what the tests enter, then let them meet every mutant that can be put in."""

    def __init__(self, found: list[Mutant]) -> None:
        self.found = found
        self.files = {str(ROOT / one.file) for one in found}
        self.fates: dict[int, Fate] = {}
        self.cost = 0.0
        self.order: list[str] = []
        self.fails = ""
        self.entered: set[str] = set()
        self.for_all: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        looked = _forked(partial(self._look, session.items))
        self.fails = looked.get("fails", "")
        if self.fails:
            raise session.Failed(self.fails)
        self.cost = looked["cost"]
        quickest = sorted(session.items, key=lambda item: looked["seconds"][item.nodeid])
        finds: Counter[tuple[str, str]] = Counter()
        functions = [one for one in gc.get_objects() if isinstance(one, FunctionType) and _file(one) in self.files]
        for_all, ground = set(looked["for_all"]), None
        for number, mutant in sorted(enumerate(self.found), key=lambda one: _place(one[1]) not in for_all):
            where = _place(mutant)
            entering = {item for item in quickest if where in for_all or where in looked["enters"][item.nodeid]}
            if where not in for_all:
                ground = ground or _Ground(session)
                ground.put_back()
            if entering:
                # What found one mutant of a function is likely to find its next.
                items = sorted((one for one in quickest if one in entering), key=lambda one: -finds[where, one.nodeid])
                timed = [(item, looked["seconds"][item.nodeid]) for item in items]
                fate = self.fates[number] = _forked(partial(_meet, mutant, functions, timed), self.cost)
                finds[where, fate or ""] += 1
        found = Counter(self.fates.values())
        self.order = sorted((one.nodeid for one in quickest), key=lambda one: -found[one])
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """What is set up for more than one test is there for later ones too."""
        if fixturedef.scope == "function":
            return (yield)
        before, self.entered = self.entered, set()
        try:
            return (yield)
        finally:
            self.for_all |= self.entered
            self.entered |= before

    def _look(self, items: list[pytest.Item]) -> dict[str, Any]:
        """Run the tests: seconds of each, and which functions it enters; or which of them `fails`."""

        def trace(frame: FrameType, _event: str, _more: object) -> None:
            if frame.f_code.co_filename in self.files:
                self.entered.add(f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}")

        threading.settrace(trace)
        sys.settrace(trace)
        seconds, enters = {}, {}
        for item, reports in _run(items):
            if any(one.failed for one in reports):
                return {"fails": item.nodeid}
            seconds[item.nodeid] = sum(one.duration for one in reports)
            enters[item.nodeid] = list(self.entered)
            self.entered.clear()
        return {"seconds": seconds, "enters": enters, "for_all": list(self.for_all), "cost": time.process_time()}


class _Ground:
    """What is set up for many tests, set up once: a migrated database takes longer than most mutants live.

    Only mutants that none of it enters may stand on it. Each finds its files as they were at first.
    """

    def __init__(self, session: pytest.Session) -> None:
        self.place = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        self.kept = self.place.with_name("kept")
        chains = {item: item.listchain() for item in session.items}
        first = next((one for one in session.items if "migrated" in one.fixturenames), None)  # type: ignore[attr-defined]
        if first:
            # What the next one has no part in is taken down again: no more may stand than what all have in common.
            furthest = min(session.items, key=lambda one: len(set(chains[one]) & set(chains[first])))
            runtestprotocol(first, log=False, nextitem=furthest)
            (made,) = session._fixturemanager.getfixturedefs("migrated", first) or ()
            assert made.cached_result
            with made.cached_result[0].app_context():
                import_module("service.db").db.engine.dispose()  # no connection may be in two processes
        shutil.copytree(self.place, self.kept)

    def put_back(self) -> None:
        shutil.rmtree(self.place)
        shutil.copytree(self.kept, self.place)


def _place(mutant: Mutant) -> str:
    return f"{ROOT / mutant.file}:{mutant.function}"


def _file(function: FunctionType) -> str:
    return function.__code__.co_filename


def _run(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, list[pytest.TestReport]]]:
    for item, following in zip(items, [*items[1:], None], strict=True):
        yield item, runtestprotocol(item, log=False, nextitem=following)


def _meet(mutant: Mutant, functions: list[FunctionType], timed: list[tuple[pytest.Item, float]]) -> Fate:
    """Give the functions their new code, and run tests until one fails, or takes far longer than it used to."""
    new = {(one.co_qualname, one.co_firstlineno): one for one in _codes(mutant.code())}
    for function in functions:
        code = new.get((function.__code__.co_qualname, function.__code__.co_firstlineno))
        if code and code.co_filename == _file(function):
            try:
                function.__code__ = code
            except ValueError:  # it no longer needs a name from outside
                return _UNFIT
    usual = dict(timed)
    _allow(timed[0][1])
    items = list(usual)
    for (item, reports), following in zip(_run(items), [*items[1:], items[-1]], strict=True):
        if any(one.failed for one in reports):
            return item.nodeid
        _allow(usual[following])
    return ""


def _allow(seconds: float) -> None:
    """End this process when the next test takes much more of a processor, or of a day, than this."""
    most = int(time.process_time() + 3 * seconds) + _SPARE
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.alarm(int(10 * seconds) + _UNHURRIED)


def _codes(code: CodeType) -> Iterable[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def main() -> None:
    """Tell the fates: one line each, of JSON."""
    parser = ArgumentParser()
    parser.add_argument("room", choices=ROOMS)
    parser.add_argument("--named", default="", help="only those with this in their name")
    parser.add_argument("--chosen", type=int, help="only so many")
    parser.add_argument("--emptied", action="store_true", help="with tests that do nothing")
    wanted = parser.parse_args()
    room = ROOMS[wanted.room]
    found = [one for file, some in room.code.items() for one in mutants(file, some) if wanted.named in one.name]
    if wanted.chosen:
        found = random.Random(20).sample(found, wanted.chosen)
    for mutant, fate in fates(room, found, emptied=wanted.emptied):
        print(json.dumps([mutant.name, mutant.line, fate]), flush=True)


if __name__ == "__main__":
    main()
