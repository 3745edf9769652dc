"""An owner has events sent, in a real Chromium: a test, a comment, a receiver that breaks, the retry, and once more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from standardwebhooks import Webhook

from service.db import now
from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch
from tests.webhooks.conftest import HERE, send_due
from tests.webhooks.receiver import Receiver, receiving

pytestmark = pytest.mark.browser

SETTINGS = HERE
"""Webhooks of the desk that is served may go to this machine."""
LOG = ".deliveries > li"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def work(desk: Desk, in_seconds: float = 0) -> None:
    """What a worker does, now or later."""
    with desk.app.app_context(), time_machine.travel(now() + timedelta(seconds=in_seconds), tick=True):
        send_due()


def look_again(page: Any) -> None:
    page.click("text=Look again")
    page.wait_for_load_state()


def first(page: Any, *said: str) -> str:
    """The row of the newest delivery, which says all this."""
    row = page.locator(LOG).first
    row.evaluate("one => one.querySelectorAll('details').forEach((each) => { each.open = true; })")
    told: str = row.inner_text()
    assert all(one in told for one in said), told
    return told


def approve(desk: Desk, page: Any) -> None:
    """A comment comes in and is approved; then back to the webhook."""
    there, one = page.url, desk.leave(body=f"Said at {now()}.")
    page.click("nav.places >> text=Queue")
    come_to(page, f"#c-{one}")
    page.click(f"#c-{one} button.approve")
    page.wait_for_selector(f"#c-{one}.done")
    page.goto(there)


def add(page: Any, receiver: Receiver) -> str:
    """An endpoint that wants what is approved; its secret, which is shown once."""
    page.click("nav.places >> text=Webhooks")
    page.fill("#url", receiver.url)
    page.fill("#note", "Our wiki")
    page.check("[name=events][value='comment.approved']")
    page.click("text=Add it")
    page.wait_for_selector("#secret")
    secret: str = page.input_value("#secret")
    page.click("nav.places >> text=Webhooks")
    page.wait_for_selector(".endpoints")
    assert "Our wiki" in page.inner_text(".endpoints") and page.input_value("#note") == ""
    page.click(".endpoints a")
    page.wait_for_selector("text=Nothing was sent yet.")
    assert page.locator("#secret").count() == 0
    return secret


def test_an_owner_has_events_sent(desk: Desk, sit_down: Any, receiver: Receiver) -> None:
    desk.person("Anna", "owner")
    page = sit_down("Anna")
    secret = add(page, receiver)

    page.click("text=Send a test")
    page.wait_for_selector(".flash")
    first(page, "A test", "on its way")
    work(desk)
    look_again(page)
    first(page, "A test", "delivered", "status 200", "thanks")

    approve(desk, page)
    work(desk)
    page.reload()
    first(page, "A comment was approved", "delivered")
    Webhook(secret).verify(receiver.got[-1].body, receiver.got[-1].headers)

    receiver.answers, receiver.body = [(500, {})], b"I am broken."
    approve(desk, page)
    work(desk)
    page.reload()
    first(page, "A comment was approved", "on its way", "The next try:", "status 500", "I am broken.")
    page.wait_for_selector(".state >> text=failing")

    receiver.body = b"Well again."
    work(desk, in_seconds=10)
    look_again(page)
    first(page, "delivered", "2 tries", "status 500", "I am broken.", "status 200", "Well again.")
    assert page.locator(".state >> text=failing").count() == 0

    send_again(page)
    work(desk)
    page.reload()
    first(page, "sent again", "delivered", "status 200")
    assert len({got.id for got in receiver.got[-3:]}) == 1
    assert receiver.types() == ["ping", *["comment.approved"] * 4]


def send_again(page: Any) -> None:
    page.locator(LOG).first.locator("text=Send again").click()
    page.wait_for_selector(".flash")


def test_an_owner_hears_of_a_receiver_that_wants_no_more(desk: Desk, sit_down: Any, receiver: Receiver) -> None:
    desk.person("Anna", "owner")
    page = sit_down("Anna")
    page.click("nav.places >> text=Webhooks")
    page.fill("#url", receiver.url)
    page.click("text=Add it")
    page.wait_for_selector("#secret")
    receiver.answers = [(410, {})]
    desk.leave()
    work(desk)

    page.click("nav.places >> text=Queue")
    come_to(page, ".late >> text=it wants no more.")
    page.click(".late a")
    page.click("text=Switch it on again")
    page.wait_for_selector("text=It is on again.")
    page.click("text=Send it")
    page.wait_for_selector(".flash >> text=events are sent again.")
    work(desk)
    assert [got.id for got in receiver.got].count(receiver.got[0].id) == 2

    page.click("summary >> text=Remove this webhook")
    page.click("details >> button >> text=Remove it")
    page.wait_for_selector("text=No webhooks yet.")
