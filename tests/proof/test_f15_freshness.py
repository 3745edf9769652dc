"""Figure 15b: what is approved in one process is in the next answer of another one, or within the stated bound."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from service.readcache.changes import BOUND
from tests.processes import ask
from tests.proof.faults import Install
from tests.proof.ledger import Proof
from tests.proof.mischief import believes_what_it_knows, hears_nothing
from tests.proof.served import Served
from tests.support import FULL, submission

pytest_plugins = ("tests.proof.installs",)

ROUNDS = 1_000 if FULL else 15
_A_FEW = 20
PER_PAGE = 20
"""Comments: a thread is read whole."""


@dataclass
class Readings:
    """What somebody read in one process right after approving in another."""

    bound: float
    """Seconds; a read that was begun later than that must be fresh."""
    fresh: int = 0
    """Approvals that were in the very next answer."""
    slowest: float = 0.0
    """Seconds after an approval at which the last stale answer was asked for."""
    stale: list[str] = field(default_factory=list)

    def read(self, one: Served, page: str, body: str) -> None:
        approved, is_next = time.monotonic(), True
        while (began := time.monotonic() - approved) <= self.bound + 1:
            if body in shown(one, page):
                self.fresh += is_next
                return
            self.slowest, is_next = began, False
            if began > self.bound or not self.bound:
                self.stale.append(f"{body} was not there {began:.3f} s after it was approved")
                return


def shown(one: Served, page: str) -> str:
    status, thread = ask(f"http://127.0.0.1:{one.port}/v1/sites/blog/thread?page={page}&limit=100")
    assert status == 200, thread
    return str(thread)


def approved_and_read(install: Install, one: Served, other: Served, rounds: int) -> Readings:
    """Approve in one, read in the other, which has the page as it was before ready."""
    found = Readings(0.0 if install.settings.sqlite else BOUND)
    for number in range(rounds):
        page, body = f"/fresh/{number // PER_PAGE}", f"Number {number:04}."
        here = f"http://127.0.0.1:{one.port}/v1"
        status, told = ask(f"{here}/sites/blog/comments", submission(page=page, body=body, email=f"{number}@a.org"))
        assert status == 202, told
        assert body not in shown(other, page)
        decision = f"{here}/moderation/comments/{told['id']}/decision"
        assert ask(decision, {"decision": "approve"}, install.token)[0] == 200
        found.read(other, page, body)
    return found


@pytest.mark.figure("15b", quick=15, full=1_000)
def test_an_approval_is_read_in_another_process_in_time(install: Install, proof: Proof) -> None:
    found = approved_and_read(install, install.serve(), install.serve(works=False), ROUNDS)
    proof.cases(ROUNDS, found.stale)
    late = f"; the others after {found.slowest * 1000:.0f} ms at most" if found.slowest else ""
    proof.note(f"{found.fresh:,} of {ROUNDS:,} in the next answer{late}")


@pytest.mark.full
@pytest.mark.figure("15b", quick=0, full=20)
@pytest.mark.parametrize("installs", ["postgresql"], indirect=True)
def test_a_process_that_hears_nothing_is_no_staler_than_the_bound(install: Install, proof: Proof) -> None:
    found = approved_and_read(install, install.serve(), install.serve(mischief=hears_nothing, works=False), _A_FEW)
    proof.cases(_A_FEW, found.stale)
    proof.note(f"with nothing heard {found.slowest * 1000:.0f} ms at most")


@pytest.mark.control("15b")
def test_a_process_that_believes_what_it_knows_is_seen(install: Install) -> None:
    other = install.serve(mischief=believes_what_it_knows, works=False)
    assert approved_and_read(install, install.serve(), other, 2).stale
