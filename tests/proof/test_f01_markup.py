"""Hostile markup over every write path, read back wherever it is shown, by two parsers.

Every payload goes whole into a preview, where it stands alone, and over every path into a comment's text. There it
shares the text with others as long as it changes nothing about them; else it stands alone too. Short fields take as
much of it as they have room for; where several stand on one line, the whole line has to come back.

What different doors hand to the same line of code is shared between them and the two databases: a name goes through
one of the two doors for visitors on one of them, and with imports over both. Authors' changes, replies and settings
take all payloads on SQLite, a third of them on PostgreSQL; titles of pages and reasons all of them on each, in one of
their doors. Other words of the staff's own, whom nobody attacks from outside, take every fourth payload or more, both
databases together. Whole pages are drawn from rows that were read back before, so they are drawn for some batches of
each path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle, islice, zip_longest
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask

from .echoes import echoes
from .ledger import Proof
from .other_words import (
    Packs,
    aliases,
    answers,
    changes,
    decisions,
    hooks,
    kept,
    of_sites,
    reports,
    rulings,
    settings,
    titles,
)
from .parsers import PARSERS, violations
from .payloads import beginnings, bodies, lines, payloads
from .staff_words import names, of_staff
from .stage import TALK, Said, Stage
from .write_paths import (
    Unit,
    by_api_edit,
    by_author_edit,
    by_desk_edit,
    by_form,
    by_import,
    by_json,
    by_reply,
    planted,
)

pytestmark = pytest.mark.one_database

BATCH = 50
FEW = 3
"""Payloads of the quick suite, besides the worst."""
EVERY = 10_400
T = TypeVar("T")

mostly_sqlite = pytest.mark.parametrize(
    "database_url",
    [
        pytest.param("sqlite", marks=pytest.mark.figure("1", quick=FEW, full=EVERY)),
        pytest.param("postgresql", marks=pytest.mark.figure("1", quick=FEW, full=EVERY // 3)),
    ],
    indirect=True,
)
"""What takes all payloads on SQLite and, by `share`, a third on PostgreSQL."""


def share(stage: Stage, packs: Iterable[T]) -> list[T]:
    return list(packs)[:: 3 if stage.turn else 1]


@pytest.fixture
def stage(app: Flask) -> Stage:
    return Stage(app)


@pytest.fixture(scope="session")
def corpus(shared: Path) -> list[str]:
    return payloads(shared, FEW)


def batches(stage: Stage, found: Sequence[T], size: int = BATCH) -> Iterator[list[T]]:
    """Some at a time, on a stage where nothing is said yet."""
    for start in range(0, len(found), size):
        stage.wipe()
        yield list(found[start : start + size])


def pages(ids: Sequence[str], every: bool) -> list[str]:
    """The thread and the queue; with `every` also all that shows one comment. `ids`: of comments on that page."""
    thread, some = f"/embed/blog?page={TALK}", ids[0]
    of_one = [f"{thread}&fragment=1", f"{thread}&comment={some}", f"/embed/blog/form?page={TALK}&reply={some}",
              f"/desk/?done={some}", f"/desk/comments/{some}"]  # fmt: skip
    decided = [f"/desk/comments/{one}/decision" for one in ids[1:2]]
    return [thread, "/desk/?status=all&limit=100", *(of_one + decided if every else [])]


def on_talk(said: dict[str, Said]) -> list[str]:
    """The comments of the page that they have in common."""
    return [id_ for id_, one in said.items() if one.page == TALK]


@pytest.mark.figure("1", quick=FEW, full=EVERY // 2)
def test_alone_in_a_preview(stage: Stage, corpus: list[str], proof: Proof) -> None:
    for one in corpus[stage.turn :: 2]:
        proof.case(*(f"{one!r}: {what}" for what in violations(stage.preview(one) or "")))


@pytest.mark.figure("1", quick=FEW, full=EVERY)
@pytest.mark.parametrize("write", [by_json, by_form])
def test_sent(
    write: Callable[[Stage, Sequence[Unit]], dict[str, Said]], stage: Stage, corpus: list[str], proof: Proof
) -> None:
    names = beginnings(corpus, 80)[2 * stage.turn + (write is by_form) :: 4]
    packs, titled = list(bodies(corpus, 400)), [" ".join(one) for one in lines(corpus, 300)]
    units = list(islice(zip(cycle(names), cycle(packs), cycle(titled), strict=True), max(len(names), len(packs))))
    for number, batch in enumerate(batches(stage, units)):
        said = write(stage, batch)
        proof.cases(sum(len(pack) for _, pack, _ in batch), stage.faults(said))
        if number % 8 == 0:
            proof.cases(0, stage.page_faults(pages(on_talk(said), every=number % 16 == 0)))


@pytest.mark.figure("1", quick=FEW, full=EVERY)
def test_imported(stage: Stage, corpus: list[str], proof: Proof, tmp_path: Path) -> None:
    titled = cycle(" ".join(one) for one in lines(corpus, 300))
    for number, batch in enumerate(batches(stage, [(one, next(titled)) for one in corpus])):
        said = by_import(stage, batch, tmp_path)
        proof.cases(len(batch), stage.faults(said))
        if number % 4 == stage.turn:
            proof.cases(0, stage.page_faults(pages(on_talk(said), every=number % 8 < 2)))


@pytest.mark.figure("1", quick=FEW, full=EVERY)
def test_changed_by_a_moderator(stage: Stage, corpus: list[str], proof: Proof, tmp_path: Path) -> None:
    for batch in batches(stage, list(bodies(corpus, 2_000))):
        ids = planted(stage, len(batch), tmp_path)
        for write, packs in ((by_api_edit, batch), (by_desk_edit, batch[1:] + batch[:1])):
            said = write(stage, ids, packs)
            proof.cases(sum(map(len, packs)), stage.faults(said))
        proof.cases(0, stage.page_faults([f"/desk/comments/{one}" for one in ids], {"lexbor": PARSERS["lexbor"]}))


@mostly_sqlite
def test_changed_by_its_author(stage: Stage, corpus: list[str], proof: Proof) -> None:
    for number, batch in enumerate(batches(stage, share(stage, bodies(corpus, 2_000)))):
        said = by_author_edit(stage, batch)
        proof.cases(sum(map(len, batch)), stage.faults(said))
        if number % 4 == 0:
            proof.cases(0, stage.page_faults(pages(on_talk(said), every=True)))


@mostly_sqlite
def test_replied_by_a_moderator(stage: Stage, corpus: list[str], proof: Proof, tmp_path: Path) -> None:
    for batch in batches(stage, share(stage, bodies(corpus, 2_000))):
        ids = planted(stage, 10, tmp_path)
        proof.cases(sum(map(len, batch)), stage.faults(by_reply(stage, ids, batch)))
        proof.cases(0, stage.page_faults([f"/embed/blog?page={TALK}", f"/desk/comments/{ids[0]}"]))


@mostly_sqlite
def test_as_settings_of_a_site(stage: Stage, corpus: list[str], proof: Proof) -> None:
    for some in batches(stage, share(stage, lines(corpus, 200)), 4 * BATCH):
        proof.cases(*settings(stage, some[: 3 * BATCH], some[3 * BATCH :]))


def halves(stage: Stage, packs: Iterable[list[str]]) -> tuple[Packs, Packs]:
    """What passes through one door here and through the other one on the other database."""
    every = list(packs)
    return every[stage.turn :: 2], every[1 - stage.turn :: 2]


@pytest.mark.figure("1", quick=FEW, full=EVERY)
def test_as_titles_of_pages(stage: Stage, corpus: list[str], proof: Proof) -> None:
    for both in batches(stage, list(zip_longest(*halves(stage, lines(corpus, 300)), fillvalue=["x"]))):
        proof.cases(*titles(stage, [one for one, _ in both], [other for _, other in both]))


@pytest.mark.figure("1", quick=FEW, full=EVERY)
def test_as_reasons(stage: Stage, corpus: list[str], proof: Proof, tmp_path: Path) -> None:
    for both in batches(stage, list(zip_longest(*halves(stage, lines(corpus, 500)), fillvalue=["x"])), 40):
        proof.cases(*decisions(stage, [one for one, _ in both], [other for _, other in both], tmp_path))


@pytest.mark.figure("1", quick=FEW, full=EVERY * 2)
def test_as_other_words(stage: Stage, corpus: list[str], proof: Proof, tmp_path: Path) -> None:
    def part(length: int, first: int = 0, step: int = 2) -> Packs:
        """Of lines of this length, those of a half for this database: one in so many."""
        return halves(stage, lines(corpus, length))[0][first::step]

    for one in batches(stage, part(190)):
        proof.cases(*aliases(stage, one))
    for one in batches(stage, part(2_000, 1), 40):
        proof.cases(*answers(stage, one, tmp_path))
    for one in batches(stage, part(500), 100):
        proof.cases(*reports(stage, one, tmp_path))
    for one in batches(stage, part(60, step=4)):
        proof.cases(*kept(stage, one, tmp_path))
    for one in batches(stage, part(2_000), 20):
        proof.cases(*changes(stage, one))
    for one in batches(stage, part(500, 1), 80):
        proof.cases(*rulings(stage, one))
    for one in batches(stage, part(200, 1, step=4)):
        proof.cases(*hooks(stage, one))
    privacy = list(lines(corpus, 500))
    for number, one in enumerate(batches(stage, part(200))):
        texts = [privacy[(number * BATCH + n) % len(privacy)] for n in range(BATCH)]
        proof.cases(*of_sites(stage, one, texts, tmp_path))
    for one in batches(stage, part(80, step=4), 2 * BATCH):
        proof.cases(*of_staff(stage, one, tmp_path))
    for one in batches(stage, part(80, 1, step=4), 2 * BATCH):
        proof.cases(*names(stage, one))
    for one in batches(stage, part(2_000)):
        proof.cases(*echoes(stage, one, tmp_path))
