"""The audit log at the desk: in words, held to what one looks for, and as a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from service.accounts import operations as accounts
from service.accounts import queries
from service.db import transaction
from service.desk import deeds as of_desk
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.conftest import add_site
from tests.desk.conftest import Browser, text, tree, words
from tests.moderation.still import clock as clock

Leave = Callable[..., UUID]


def listed(browser: Browser, query: str = "") -> list[str]:
    answer = browser.get(f"/desk/audit{query}")
    assert answer.status_code == 200, answer.text
    (log,) = [one for one in tree(answer.text).iter("ol") if one.get("class") == "history log"]
    return [text(one) for one in log]


def test_what_was_done_is_told_in_words(anna: Browser, comment: Leave, site: Site) -> None:
    comment(name="Ada")
    anna.press(anna.get("/desk/"), "Reject", reason="Spite.")
    set_site(site, mode="post")
    changed, rejected = listed(anna)[:2]
    assert "Settings of the site changed" in changed and "mode : pre → post" in changed
    assert "Rejected by Anna" in rejected and "Reason: Spite." in rejected
    assert not any("comment." in one or "moderator:" in one for one in listed(anna))


def test_it_is_held_to_an_action_a_moderator_and_a_thing(
    anna: Browser, comment: Leave, person: Callable[..., Any]
) -> None:
    bert = person("Bert")
    one = comment(name="Ada")
    anna.press(anna.get("/desk/"), "Approve")
    assert [line.split(" UTC ")[1].split(" by ")[0] for line in listed(anna, f"?subject={one}")] == ["Approved", "Sent"]
    assert len(listed(anna, "?action=comment.approved")) == 1
    assert listed(anna, f"?moderator={bert.id}") == ["Nothing fits."]


def test_a_day_is_whole(anna: Browser, comment: Leave, clock: Any) -> None:
    clock.shift(timedelta(hours=9))  # 21:00 of the first day
    comment()
    assert len(listed(anna, "?action=comment.created&since=2026-03-01&until=2026-03-01")) == 1
    assert listed(anna, "?action=comment.created&since=2026-03-02") == ["Nothing fits."]
    assert listed(anna, "?action=comment.created&until=2026-02-28") == ["Nothing fits."]


@pytest.mark.parametrize("query", ["since=9999-12-31", "until=0", "subject=x", "limit=0", "cursor=x"])
def test_an_odd_address_is_refused(anna: Browser, query: str) -> None:
    assert anna.get(f"/desk/audit?{query}").status_code == 422


def test_pages_follow_each_other(anna: Browser, comment: Leave) -> None:
    for _ in range(3):
        comment()
    answer = anna.get("/desk/audit?action=comment.created&limit=2")
    (older,) = [one for one in tree(answer.text).iter("a") if one.get("rel") == "next"]
    assert len(listed(anna, older.get("href", "").removeprefix("/desk/audit"))) == 1


def test_the_files_are_what_was_chosen(anna: Browser, comment: Leave) -> None:
    comment()
    anna.press(anna.get("/desk/"), "Approve")
    page = tree(anna.get("/desk/audit?action=comment.approved&until=2026-12-31").text)
    links = [one.get("href", "") for one in page.iter("a") if "download" in one.attrib]
    assert len(links) == 2
    for link in links:
        answer = anna.get(link)
        assert answer.status_code == 200 and answer.text.count("comment.approved") == 1
        assert "comment.created" not in answer.text


def test_a_viewer_is_not_led_there_and_not_let_in(signed_in: Callable[..., Browser]) -> None:
    vera = signed_in("Vera", "viewer")
    assert vera.get("/desk/audit").status_code == 403
    assert "Audit log" not in vera.get("/desk/").text and "Numbers" in vera.get("/desk/").text


def test_another_sites_log_is_not_there(signed_in: Callable[..., Browser], comment: Leave) -> None:
    comment(name="Canary")
    nora = signed_in("Nora", "moderator", add_site("news", ["https://news.example.org"]).id)
    assert nora.get("/desk/audit?site=blog").status_code == 404
    assert not any("Sent" in one for one in listed(nora))


def test_every_action_that_is_written_down_has_words(anna: Browser) -> None:
    """Read from the code: a `Deed` of an action that the desk has no words for shows its code to people."""
    source = "\n".join(one.read_text() for one in Path(of_desk.__file__).parents[1].rglob("*.py"))
    said = set(re.findall(r'Deed\(\s*"([a-z.-]+)"', source)) | {"comment.created", "comment.spam", "import.finished"}
    assert said - {action for action, _ in of_desk.deeds()} == set()


def test_an_admin_sees_the_accounts_too(open_browser: Callable[[], Browser], person: Callable[..., Any]) -> None:
    root = person("Root", None)
    with transaction():
        accounts.set_admin(root, True, actor="test")
    browser = open_browser()
    browser.sign_in(root.email)
    assert any("Account made" in one for one in listed(browser))
    assert "Account made" in words(browser.get("/desk/audit?action=moderator.added"))


def test_who_is_here_no_more_is_found_by_what_they_did(
    anna: Browser, signed_in: Callable[..., Browser], comment: Leave, site: Site
) -> None:
    comment(name="Ada"), comment(name="Eve")
    bert = signed_in("Bert")
    bert.press(bert.get("/desk/"), "Reject")
    anna.press(anna.get("/desk/"), "Approve")
    with transaction():
        gone = queries.moderator_at("bert@desk.example.org")
        assert gone
        accounts.withdraw(gone, site.id, actor="test")
    page = tree(anna.get("/desk/audit").text)
    there = next(one.get("href", "") for one in page.iter("a") if text(one) == "Bert")
    by_bert = tree(anna.get(there).text)
    chosen = [text(one) for one in by_bert.iter("option") if one.get("selected") is not None]
    assert chosen == ["Bert"] and "Rejected by Bert" in listed(anna, there.removeprefix("/desk/audit"))[0]
    assert not any("Anna" in one for one in listed(anna, there.removeprefix("/desk/audit")))


def test_an_address_names_nobody_whom_the_log_does_not_name(anna: Browser, person: Callable[..., Any]) -> None:
    nora = person("Nora", "moderator", add_site("news", ["https://news.example.org"]).id)
    page = anna.get(f"/desk/audit?moderator={nora.id}")
    assert "Nora" not in page.text and "a former moderator" in page.text
