"""What became of each event, at the desk: tries, what was given up, sending again, and one that is switched off."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from flask import Flask

from service.db import now, transaction
from service.desk import endpoints, webhooks
from service.desk.plots import HEIGHT
from service.sites.models import Site
from service.webhooks import operations, policy
from tests.conftest import add_site
from tests.desk.conftest import HOME, Browser, text, the_form, tree, words
from tests.desk.test_webhooks import PAGE, add, filled, send, stored, work, written
from tests.desk.test_webhooks import olga as olga
from tests.processes import free_port
from tests.webhooks.conftest import receiver as receiver
from tests.webhooks.receiver import Receiver

Leave = Callable[..., UUID]


def rows(browser: Browser, there: str) -> list[str]:
    """What stands in the log, row by row."""
    found = tree(browser.get(there).text).iter("li")
    return [text(one) for one in found if one.get("id", "").startswith("d-")]


def follow(browser: Browser, there: str, button: str, **typed: Any) -> str:
    """Press a button, and read the page that it leads to."""
    done = send(browser, browser.get(there), button, **typed)
    assert done.status_code == 303, words(done)
    return words(browser.get(done.headers["Location"]))


@pytest.fixture
def gone(olga: Browser, receiver: Receiver, comment: Leave) -> str:
    """An endpoint that was given up, since its receiver wants no more; two events did not get there."""
    there = add(olga, receiver.url, events=["comment.created", "thread.opened"])
    receiver.answers = [(410, {})]
    comment()
    work()
    receiver.got.clear()
    return there


def test_a_test_is_sent_and_every_try_is_told(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, receiver.url)
    assert "Nothing was sent yet." in words(olga.get(there))
    assert "A test is on its way." in follow(olga, there, "Send a test")
    (row,) = rows(olga, there)
    assert "A test on its way" in row and "Look again" in words(olga.get(there))
    receiver.answers, receiver.body = [(500, {})], b"Not now.\nPerhaps later."
    work()
    (row,) = rows(olga, there)
    assert "on its way" in row and "The next try:" in row and "failing since" in words(olga.get(there))
    receiver.body = b"Thank you."
    with time_machine.travel(now() + timedelta(seconds=10), tick=False):
        work()
        (row,) = rows(olga, there)
        page = words(olga.get(there))
    assert re.search(r"A test delivered .* 2 tries; the last: status 200 .* status 500 after \d+ ms Not now\.", row)
    assert row.index("Perhaps later.") < row.index("Thank you.") and str(receiver.got[0].id) in row
    assert "failing" not in page and "Look again" not in page


def test_a_receiver_that_is_not_there_is_told_in_a_sentence(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, f"http://127.0.0.1:{free_port()}/hook")
    follow(olga, there, "Send a test")
    work()
    (row,) = rows(olga, there)
    assert "1 try; the last: The receiver refused the connection." in row


def test_a_test_that_is_pressed_twice_is_sent_once(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, receiver.url)
    page = olga.get(there)
    for _ in range(2):
        assert send(olga, page, "Send a test").status_code == 303
    follow(olga, there, "Send a test")
    assert work() == 2


def test_what_was_delivered_can_be_sent_again_under_the_same_id(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, receiver.url)
    follow(olga, there, "Send a test")
    assert "Send again" not in words(olga.get(there)), "it is on its way"
    work()
    page = olga.get(there)
    for _ in range(2):
        assert send(olga, page, "Send again").status_code == 303
    again, first = rows(olga, there)
    assert "sent again" in again and "sent again" not in first and work() == 1
    assert len({got.id for got in receiver.got}) == 1 and len(receiver.got) == 2
    assert written("webhook.redelivered") == 1


def test_what_was_given_up_is_found_and_sent_again(
    olga: Browser, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "SCHEDULE", policy.SCHEDULE[:1])
    there = add(olga, receiver.url)
    for answer in (200, 500):
        receiver.answers = [(answer, {})]
        follow(olga, there, "Send a test")
        work()
    found = {state: rows(olga, f"{there}?state={state}") for state in policy.STATES}
    assert {state: len(of) for state, of in found.items()} == {"pending": 0, "delivered": 1, "failed": 1, "blocked": 0}
    assert "given up" in found["failed"][0]
    done = send(olga, olga.get(f"{there}?state=failed"), "Send again")
    assert "state=failed" in done.headers["Location"]
    assert "It is sent once more, under the same id." in words(olga.get(done.headers["Location"]))
    assert work() == 1 and len(rows(olga, f"{there}?state=delivered")) == 2


def test_what_may_not_be_reached_any_more_is_found(
    app: Flask, olga: Browser, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = add(olga, receiver.url)
    follow(olga, there, "Send a test")
    monkeypatch.setattr(policy, "SCHEDULE", policy.SCHEDULE[:1])
    inside = replace(app.extensions["greenroom_settings"], webhook_allow_cidrs=[])
    monkeypatch.setitem(app.extensions, "greenroom_settings", inside)
    work()
    (row,) = rows(olga, f"{there}?state=blocked")
    assert "A test blocked" in row and "the machine itself" in row and receiver.got == []


def test_the_log_is_paged(olga: Browser, receiver: Receiver, comment: Leave, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "SHOWN", 2)
    there = add(olga, receiver.url, events=["comment.created"])
    for _ in range(5):
        comment()
    work()
    seen: list[str] = []
    path: str | None = f"{there}?state=delivered"
    while path:
        page = tree(olga.get(path).text)
        seen += [one.get("id", "") for one in page.iter("li") if one.get("id", "").startswith("d-")]
        path = next((one.get("href") for one in page.iter("a") if one.get("rel") == "next"), None)
    assert len(seen) == len(set(seen)) == 5 and seen == sorted(seen, reverse=True)
    foreign = olga.get(f"{there}?state=failed&cursor=x")
    assert foreign.status_code == 422 and "This cursor does not belong to this list." in words(foreign)


def test_one_that_is_switched_off_is_told_to_its_owners(gone: str, olga: Browser, anna: Browser, site: Site) -> None:
    told = "Nothing is sent to 127.0.0.1:"
    for path in ("/desk/", PAGE, "/desk/?site=blog"):
        page = olga.get(path)
        assert told in words(page) and f'href="{gone}"' in page.text
        assert "The receiver answered 410: it wants no more." in words(page)
    assert told not in words(anna.get("/desk/"))
    told = words(olga.get(gone))
    assert "off since" in told and "The receiver answered 410: it wants no more." in told
    assert "Send a test" not in told and "Send again" not in told and "Send what was missed" not in told


def test_five_days_of_failures_are_told_to_its_owners(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, receiver.url)
    (one,) = stored()
    receiver.answers = [(500, {})] * 20
    assert "Nothing is sent to" not in words(olga.get("/desk/"))
    for days in (0, 4.4, 5.1):
        with time_machine.travel(now() + timedelta(days=days), tick=False):
            with transaction():
                operations.test(operations.find(one.id, None), actor="test")
            work()
    for path in ("/desk/", PAGE):
        page = olga.get(path)
        assert "Nothing is sent to 127.0.0.1:" in words(page) and f'href="{there}"' in page.text
        assert "Nothing came through for five days." in words(page)
    assert "given up" in rows(olga, there)[0]


def test_owners_of_other_sites_are_told_nothing(gone: str, signed_in: Callable[..., Browser]) -> None:
    nora = signed_in("Nora", "owner", add_site("news", ["https://news.example.org"]).id)
    for path in ("/desk/", PAGE):
        assert "Nothing is sent to" not in words(nora.get(path))


def test_it_is_switched_on_again_and_sent_what_it_missed(gone: str, olga: Browser, receiver: Receiver) -> None:
    done = send(olga, olga.get(gone), "Switch it on again")
    page = olga.get(done.headers["Location"])
    assert "It is on again." in words(page) and "Nothing is sent to" not in words(olga.get("/desk/"))
    since = datetime.fromisoformat(f"{filled(page, 'Send it')['since']}+00:00")
    assert timedelta(hours=1) <= now() - since < timedelta(hours=1, minutes=2), "before it began to fail"
    for _ in range(2):
        answer = send(olga, page, "Send it")
        assert answer.status_code == 200 and "2 events are sent again." in words(answer)
    work()
    assert sorted(receiver.types()) == ["comment.created", "thread.opened"] and written("webhook.recovered") == 1
    assert "0 events are sent again." in words(send(olga, olga.get(gone), "Send it"))


@pytest.mark.parametrize("since", ["soon", "", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "2026-02-30T10:00"])
def test_a_time_that_is_none_is_said_beside_its_field(olga: Browser, since: str) -> None:
    answer = send(olga, olga.get(add(olga)), "Send it", since=since)
    assert answer.status_code == 422
    (wrong,) = [one for one in tree(answer.text).iter() if one.get("id") == "since-wrong"]
    assert text(wrong) and (not since or filled(answer, "Send it")["since"] == since)
    assert written("webhook.recovered") == 0


def test_nothing_is_sent_to_one_that_was_switched_off_meanwhile(gone: str, olga: Browser, receiver: Receiver) -> None:
    (one,) = stored()
    form = filled(olga.get(gone), "Save")
    for deed, more in (("test", {}), ("recover", {"since": "2026-01-01T00:00"})):
        answer = olga.post(gone, data=form | more | {"deed": deed}, headers={"Origin": HOME})
        assert answer.status_code == 409 and "This endpoint is disabled. Enable it first." in words(answer)
    assert work() == 0 and one.disabled_at


def test_the_delivery_of_another_endpoint_is_not_sent_from_here(olga: Browser, receiver: Receiver) -> None:
    there, other = add(olga, receiver.url), add(olga, receiver.url)
    follow(olga, other, "Send a test")
    work()
    theirs = filled(olga.get(other), "Send again")
    assert olga.post(there, data=theirs, headers={"Origin": HOME}).status_code == 404
    assert work() == 0


def test_what_a_receiver_answers_is_text(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, receiver.url)
    receiver.body = b"</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>"
    follow(olga, there, "Send a test")
    work()
    page = olga.get(there).text
    assert "<script>alert" not in page and "<img" not in page and "&lt;img" in page


def test_health_is_a_plot_with_its_numbers_as_text_and_table(
    olga: Browser, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "SCHEDULE", policy.SCHEDULE[:1])
    there = add(olga, receiver.url)
    receiver.answers = [(200, {}), (500, {}), (200, {})]
    for _ in range(3):
        follow(olga, there, "Send a test")
        work()
    for path in (PAGE, there):
        (figure,) = tree(olga.get(path).text).iter("figure")
        (picture,) = [one for one in figure.iter() if one.get("role") == "img"]
        title = next(one for one in picture.iter() if one.tag.endswith("title"))
        assert picture.get("aria-labelledby") == title.get("id")
        assert "In the last 14 days: 2 delivered, 1 not." in text(title)
        bars = {one.get("class"): float(one.get("height", "")) for one in picture.iter() if one.tag.endswith("rect")}
        assert bars["solid"] + bars["hatched"] == pytest.approx(HEIGHT, abs=0.1) and bars["solid"] > bars["hatched"]
    table = [[text(cell) for cell in row] for row in figure.iter("tr")][1:]
    assert len(table) == endpoints.DAYS and table[-1] == [f"{now():%Y-%m-%d}", "2", "1"]
    assert all(row[1:] == ["0", "0"] for row in table[:-1])


def test_health_tells_of_the_last_days_only(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, receiver.url)
    follow(olga, there, "Send a test")
    work()
    (one,) = stored()
    for days, delivered in ((endpoints.DAYS - 1, 1), (endpoints.DAYS, 0)):
        with time_machine.travel(now() + timedelta(days=days), tick=False):
            assert endpoints.health_of([one.id])[one.id].delivered == delivered


def test_no_button_is_drawn_for_what_cannot_be_done(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, receiver.url)
    follow(olga, there, "Send a test")
    page = olga.get(there).text
    with pytest.raises(AssertionError):
        the_form(page, "Send again", None)
    with pytest.raises(AssertionError):
        the_form(page, "Switch it on again", None)


def test_what_can_still_be_undone_is_not_in_the_log_yet(
    app: Flask, olga: Browser, receiver: Receiver, comment: Leave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        app.extensions, "greenroom_settings", replace(app.extensions["greenroom_settings"], undo_seconds=10.0)
    )
    there = add(olga, receiver.url, events=["comment.approved"])
    comment()
    olga.press(olga.get("/desk/"), "Approve")
    assert rows(olga, there) == [] and work() == 0
    with time_machine.travel(now() + timedelta(seconds=11), tick=False):
        assert work() == 1 and len(rows(olga, there)) == 1
