"""Figure 15: a SQLite database that was cut or garbled. It is refused in words, or all that is served is right."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import make_url

from service import health
from service.app import create_app
from service.cli.printing import CONFIG, Refusal
from service.cli.start import preflight
from service.config import Settings
from service.db import db, transaction
from service.errors import DAMAGED
from service.health import Finding
from service.webhooks.outbox import release_due
from tests.proof.faults import Installs, within
from tests.proof.journal import Answered, Journal, refusal_faults
from tests.proof.ledger import Proof
from tests.proof.oracle import unsound
from tests.proof.world import sent
from tests.support import FULL

PAGE = 4096
"""Bytes of a page of SQLite."""
EVERY = 1 if FULL else 50
"""Of the pages of a file so many are passed over, one but for the first."""

Said = dict[str, Any]


@dataclass
class Sound:
    """A database in use, as its file and its write-ahead log, and all that it told."""

    settings: Settings
    token: str
    file: bytes
    log: bytes
    told: Said


@pytest.fixture(scope="module")
def sound(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Sound:
    place = tmp_path_factory.mktemp("sound")
    with Installs(settings, place, None).made(place) as install:
        with install.app.app_context():
            journal, send = Journal(install.token), within(install.app)
            for _ in range(60 if FULL else 24):
                journal.write(journal.next(), send)
            _close()  # the last one tidies up: all of this is in the file, and the log begins anew
            file = install.database.read_bytes()
            for _ in range(12):  # few, so that it is not worked into the file yet
                journal.write(journal.next(), send)
            with transaction():
                release_due()
            assert not journal.unknown
        told = {path: answer.body for path, answer in asked(install.app, install.token)}
        log = install.database.with_name("greenroom.db-wal").read_bytes()
        return Sound(install.settings, install.token, file, log, told)


def _close() -> None:
    db.session.remove()
    db.engine.dispose()


def asked(app: Flask, token: str) -> Iterator[tuple[str, Answered]]:
    """What the doors of readers tell."""
    paths = [f"/v1/sites/blog/thread?page=/films/{number}&limit=100" for number in range(3)]
    paths += ["/v1/sites/blog/latest?limit=100", "/v1/moderation/comments?status=pending&limit=100"]
    for path in paths:
        answer = sent(app.test_client(), path, headers={"Authorization": f"Bearer {token}"})
        yield path, Answered(answer.status_code, dict(answer.headers), answer.json)


def garbled(data: bytes, start: int, length: int) -> bytes:
    return data[:start] + random.Random(start).randbytes(length) + data[start + length :]


def broken_files(file: bytes) -> Iterator[tuple[str, bytes]]:
    pages = range(0, len(file), PAGE)
    for eighth in range(1, 8):
        cut = len(file) * eighth // 8
        yield f"cut at {cut:,}", file[:cut]
        yield f"cut at page {cut // PAGE}", file[: cut // PAGE * PAGE]
    yield "without its last page", file[:-PAGE]
    yield "another kind of file", b"Dear diary, " * 1000
    yield "its first bytes garbled", garbled(file, 0, 100)
    for start in pages[::EVERY]:
        yield f"page {start // PAGE} garbled", garbled(file, start, PAGE)
        yield f"page {start // PAGE} empty", file[:start] + bytes(PAGE) + file[start + PAGE :]


def broken_logs(log: bytes) -> Iterator[tuple[str, bytes]]:
    step = len(log) // (150 if FULL else 3)
    for start in range(0, len(log), step):
        yield f"log cut at {start:,}", log[:start]
        yield f"log garbled at {start:,}", garbled(log, start, 100)


@pytest.fixture
def app(sound: Sound, tmp_path: Path) -> Iterator[Flask]:
    """An app whose file is put in place by `opened`."""
    made = create_app(replace(sound.settings, database_url=f"sqlite:///{tmp_path}/greenroom.db"))
    with made.app_context():
        yield made
        _close()


def opened(app: Flask, file: bytes, log: bytes = b"") -> Path:
    """Put such a file in place, with such a log beside it, as a process finds it that starts."""
    _close()
    path = Path(make_url(app.extensions["greenroom_settings"].database_url).database or "")
    path.with_name("greenroom.db-shm").unlink(missing_ok=True)
    path.with_name("greenroom.db-wal").write_bytes(log)
    path.write_bytes(file)
    return path


def starts(app: Flask) -> str:
    """Why it does not start; empty when it does."""
    try:
        preflight(app.extensions["greenroom_settings"], "127.0.0.1")
    except Refusal as refusal:
        return "" if refusal.exit_code == 0 else refusal.message
    return ""


def judged(sound: Sound, app: Flask) -> tuple[str, list[str]]:
    """Why it does not start, and what is wrong with that."""
    why = starts(app)
    doctor = app.test_cli_runner().invoke(args=["doctor"])
    return why, list(_faults(sound, why, doctor, dict(asked(app, sound.token))))


def _faults(sound: Sound, why: str, doctor: Result, answers: dict[str, Answered]) -> Iterator[str]:
    """Refused by the start and by the doctor alike, in words; else every answer is the right one. Never a crash."""
    if why and (why != DAMAGED or doctor.exit_code != CONFIG or DAMAGED not in doctor.output):
        yield f"refused with {why!r}; the doctor: {doctor.output}"
    for path, answer in answers.items():
        if answer.status != 200:
            yield from refusal_faults(answer)
            yield from [] if why else [f"it started, and {path} is {answer.status}"]
        elif not why and answer.body != sound.told[path]:
            yield f"it started, and {path} is wrong"


@pytest.mark.figure("15", quick=20, full=300)
def test_a_broken_file_is_refused_or_read_right(sound: Sound, app: Flask, proof: Proof) -> None:
    refused = 0
    for what, file in broken_files(tidied(sound, app)):
        opened(app, file)
        why, faults = judged(sound, app)
        refused += bool(why)
        proof.case(*(f"{what}: {fault}" for fault in faults))
    proof.note(f"{proof.result.cases} broken files: {refused} refused, the others read right")


@pytest.mark.figure("15", quick=6, full=300)
def test_a_broken_log_is_read_up_to_where_it_broke(sound: Sound, app: Flask, proof: Proof) -> None:
    """SQLite takes what is behind the first broken sum for never written: so does a crash. What is there is sound."""
    for what, log in broken_logs(sound.log):
        opened(app, sound.file, log)
        faults = [starts(app), *unsound()]
        faults += [f"{path} is {answer.status}" for path, answer in asked(app, sound.token) if answer.status != 200]
        proof.case(*(f"{what}: {fault}" for fault in faults if fault))


@pytest.mark.control("15")
def test_a_start_that_does_not_look_is_seen(sound: Sound, app: Flask) -> None:
    whole = tidied(sound, app)
    with patch.object(health, "file", lambda: Finding("file", True, "Not looked at.")):
        for start in range(PAGE, len(whole), PAGE * 7):
            opened(app, garbled(whole, start, PAGE))
            if judged(sound, app)[1]:
                return
    pytest.fail("a broken file was served, and nobody saw it")


def tidied(sound: Sound, app: Flask) -> bytes:
    """The file with its log worked in."""
    path = opened(app, sound.file, sound.log)
    assert starts(app) == ""
    assert {path: answer.body for path, answer in asked(app, sound.token)} == sound.told
    _close()
    return path.read_bytes()
