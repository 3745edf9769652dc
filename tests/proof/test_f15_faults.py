"""Figure 15: faults while clients write. What was accepted is stored, once, with its event and its audit row.

A process is killed, a database is locked: power loss is not tested. At full size each fault has its repetitions.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text

from service.db import db, transaction
from service.sites.models import Site
from service.webhooks.outbox import announce, release_due
from tests.proof.faults import Install, counted, failed, foreign_lock, late, settle, within
from tests.proof.journal import Answered, Journal, refusal_faults
from tests.proof.ledger import Proof
from tests.proof.mischief import answers_first, tells_later
from tests.proof.oracle import judge
from tests.support import FULL

pytest_plugins = ("tests.proof.installs",)
pytestmark = pytest.mark.one_database

KILLS = 50 if FULL else 1
RESTARTS = 40 if FULL else 1
"""Of one process of two: 20 times each."""

WRITTEN = 40 if FULL else 10
"""Requests that are accepted between two faults."""

_A_FEW = 4
LOCKED, WAITS = (15.0, 5.0) if FULL else (1.0, 0.4)


@pytest.mark.alone
@pytest.mark.figure("15", quick=20, full=2_000)
def test_killing_every_process_loses_nothing(install: Install, proof: Proof) -> None:
    seed, slowest = random.Random(15), 0.0
    served = install.serve()
    with install.written(served) as clients:
        for _ in range(KILLS):
            clients.write(WRITTEN)
            clients.write_for(seed.uniform(0, 0.3))
            served.kill()
            began = time.monotonic()
            served = install.serve(served.port)
            slowest = max(slowest, clients.answered_after(began))
    proof.note(f"{KILLS} × SIGKILL: {counted(clients)}; answers after {slowest:.1f} s at most")
    settle(proof, install, clients, *late(slowest))


@pytest.mark.figure("15", quick=20, full=2_000)
def test_a_rolling_restart_fails_no_request(install: Install, proof: Proof) -> None:
    """As behind a proxy that uses a process no more from the moment it is stopped.

    What a process has taken it answers; what it hangs up on before, the proxy may ask of the other one.
    """
    install.settings = replace(install.settings, busy_timeout=15.0)  # nor is a busy machine to blame on the restart
    pair = [install.serve(), install.serve()]
    codes = []
    with install.written(*pair) as clients:
        for turn in range(RESTARTS):
            clients.write(WRITTEN)
            old, other = pair[turn % 2], pair[1 - turn % 2]
            clients.rotation.ports = [other.port]
            codes.append(old.stop())
            pair[turn % 2] = install.serve(old.port)
            clients.rotation.ports = [one.port for one in pair]
    proof.note(
        f"{RESTARTS} × restart of one of two: {counted(clients)}, {clients.handed_on} handed on to the other process"
    )
    settle(proof, install, clients, *failed(clients.journal), *(f"exit code {code}" for code in codes if code))


@pytest.mark.figure("15", quick=20, full=60)
def test_a_foreign_lock_is_waited_out(install: Install, proof: Proof) -> None:
    install.settings = replace(install.settings, busy_timeout=WAITS)
    with install.written(install.serve()) as clients:
        clients.write(WRITTEN)
        with foreign_lock(install):
            clients.write_for(LOCKED)
        slowest = clients.answered_after(time.monotonic())
    refused = clients.journal.count(503)
    proof.note(f"a foreign lock for {LOCKED:g} s: {counted(clients)}; answers after {slowest:.1f} s")
    settle(proof, install, clients, *late(slowest), *([] if refused else ["nothing was refused: there was no lock"]))


@pytest.mark.control("15")
def test_a_build_that_answers_before_it_commits_is_seen(install: Install) -> None:
    assert any(one.startswith("lost: ") for one in killed(install, answers_first))


def killed(install: Install, mischief: Callable[[], None]) -> list[str]:
    """What is wrong about a build that is killed a few times: one kill may fall where nothing is on its way."""
    served = install.serve(mischief=mischief)
    with install.written(served) as clients:
        for _ in range(_A_FEW):
            clients.write(WRITTEN)
            served.kill()
            served = install.serve(served.port, mischief=mischief)
        clients.write(WRITTEN)
        served.kill()
        clients.rotation.ports = []
    return install.judged(clients)


@pytest.mark.control("15")
def test_a_build_that_tells_after_the_commit_is_seen(install: Install) -> None:
    found = killed(install, tells_later)
    assert any(one.startswith("event missing: ") for one in found)
    assert not any(one.startswith("lost: ") for one in found)


@pytest.mark.control("15")
def test_a_restart_that_waits_for_nobody_is_seen(install: Install) -> None:
    """Somebody's lock keeps requests on their way for the kill to fall on: they take a few milliseconds otherwise."""
    pair = [install.serve(), install.serve()]
    with install.written(*pair) as clients:
        clients.write(WRITTEN)
        with foreign_lock(install):
            clients.write_for(WAITS)
            clients.rotation.ports = [pair[1].port]
            pair[0].kill()
    assert clients.journal.count(0)


SOME = "(SELECT id FROM comments WHERE body LIKE 'said-000004:%')"
BREAKS = {
    "UPDATE comments SET body = 'said-000000: again' WHERE body LIKE 'said-000001:%'": "doubled: said-000000",
    f"DELETE FROM comment_search WHERE comment_id = {SOME}": "index of words",
    "UPDATE events SET seq = 1000 WHERE seq = 2": "places too many [1000], and too few [2]",
    "UPDATE events SET seq = NULL WHERE seq = 1000": "places too many [None], and too few [2]",
    f"DELETE FROM events WHERE subject_id = {SOME}": "event missing: comment.created",
    "UPDATE events SET type = 'comment.edited' WHERE type = 'comment.approved'": "event too many: comment.edited",
    "UPDATE audit_entries SET actor = 'nobody' WHERE n = 2": "was changed",
    "UPDATE audit_entries SET action = 'comment.edited' WHERE action = 'comment.approved'": "audit row too many",
    "UPDATE pages SET comment_count = comment_count + 1": "counts",
    "UPDATE rating_counts SET count = count + 1": "ratings",
    "DELETE FROM idempotency_keys WHERE status = 200": "keys are kept of",
    "UPDATE comments SET status = 'spam' WHERE body LIKE 'said-000003:%'": "is spam, not",
}
"""What is broken, one after another → what the oracle says of it."""


@pytest.mark.control("15")
def test_the_oracle_sees_whatever_is_broken(install: Install) -> None:
    journal, send = Journal(install.token), within(install.app)
    with install.app.app_context():
        for _ in range(24):
            journal.write(journal.next(), send)
        with transaction():
            release_due()
        with transaction():
            site = db.session.scalars(select(Site)).one()
            announce("flood.started", site.id, site.id, {})  # as a worker does, while the verdict is made
        assert list(judge(journal)) == []
        for statement, said in BREAKS.items():
            assert not any(said in one for one in judge(journal)), said
            with db.engine.begin() as connection:
                connection.execute(text(statement))
            assert any(said in one for one in judge(journal)), said


@pytest.mark.control("15")
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (500, {"Content-Type": "application/problem+json", "Retry-After": "5"}),
        (404, {"Content-Type": "application/problem+json", "Retry-After": "5"}),
        (503, {"Content-Type": "text/html", "Retry-After": "5"}),
        (503, {"Content-Type": "application/problem+json"}),
    ],
)
def test_a_refusal_of_the_wrong_kind_is_seen(status: int, headers: dict[str, str]) -> None:
    right = {"content-type": "application/problem+json", "retry-after": "5"}
    assert not list(refusal_faults(Answered(503, right, {})))
    assert list(refusal_faults(Answered(status, headers, {})))
