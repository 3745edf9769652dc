"""A person is timed out and let in again, and a comment pinned, in a real Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from service.comments.operations import Change, transition
from service.comments.queries import get_for_update
from service.db import transaction
from tests.desk.seated import Desk
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch

pytestmark = pytest.mark.browser


def publish(desk: Desk, *ids: str) -> None:
    with desk.app.app_context(), transaction():
        for one in ids:
            comment = get_for_update(desk.comment(one).id)
            assert comment is not None
            transition(comment, "approved", Change("test", None))


def test_somebody_is_timed_out_and_let_in_again(desk: Desk, sit_down: Any) -> None:
    first = desk.leave(email="eve@mail.example.org", name="Eve")
    page = sit_down("Anna")

    page.click(f"#c-{first} [href='/desk/people/{first}']")
    page.fill("#note", "A rude evening")
    page.click("text=Time-out for a day")

    page.wait_for_selector(".rules >> text=A rude evening")
    assert desk.status(desk.leave(email="eve@mail.example.org", body="Once more.")) == "spam"
    page.click(".rules >> text=Remove")
    page.wait_for_selector("text=There is none.")
    assert desk.status(desk.leave(email="eve@mail.example.org", body="And again.")) == "pending"


def test_a_comment_is_pinned_from_the_list(desk: Desk, sit_down: Any) -> None:
    ids = [desk.leave(email=f"{n}@mail.example.org", body=f"Number {n}.") for n in range(2)]
    publish(desk, *ids)
    page = sit_down("Anna")
    page.goto(f"{desk.url}/desk/?status=approved")

    page.click(f"#c-{ids[1]} .pinning button")

    page.wait_for_selector(f"#c-{ids[1]} >> text=It stands first on its page.")
    shown = page.request.get(f"{desk.url}/v1/sites/blog/thread?page=/reviews/blacksmith").json()["comments"]
    assert [(one["id"], one["pinned"]) for one in shown] == [(ids[1], True), (ids[0], False)]
    page.click(f"#c-{ids[1]} .pinning button")
    page.wait_for_selector(f"#c-{ids[1]} >> text=It stands where it stood.")
