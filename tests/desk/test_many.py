"""One decision on many without JavaScript: select, or take all that match; see what became of each; undo as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from service.accounts.models import Moderator
from service.comments.models import Comment
from service.db import db, new_id, transaction
from service.moderation import bulk, worker
from service.moderation.models import BulkDecision
from service.moderation.worker import decide as work
from service.sites import reasons
from service.sites.models import Site
from tests.desk.conftest import HOME, Browser, fields, text, the_form, tree, words
from tests.desk.test_queue import items

Leave = Callable[..., UUID]
Stored = Callable[[UUID], Comment]


def boxes(page: TestResponse) -> dict[str, str]:
    """The checkboxes of a list: id of the comment → what they send."""
    found = [one for one in tree(page.text).iter("input") if one.get("name") == "item"]
    assert all((one.get("type"), one.get("form")) == ("checkbox", "many") for one in found)
    return {one.get("value", "").partition(" ")[0]: one.get("value", "") for one in found}


def select_and(browser: Browser, page: TestResponse, button: str, *ids: UUID, **typed: Any) -> TestResponse:
    chosen = [boxes(page)[str(one)] for one in ids]
    return browser.press(page, button, within="many", item=chosen, **typed)  # type: ignore[arg-type]


def after(browser: Browser, answer: TestResponse) -> TestResponse:
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["Location"])


def test_what_is_selected_is_decided_with_one_button(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment() for _ in range(4)]
    page = after(anna, select_and(anna, anna.get("/desk/"), "Approve all", *ids[:3]))
    assert [stored(one).status for one in ids] == ["approved"] * 3 + ["pending"]
    assert "3 approved." in words(page) and items(page.text) == [str(ids[3])]


def test_a_decision_on_many_is_undone_as_one(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment() for _ in range(3)]
    page = after(anna, select_and(anna, anna.get("/desk/"), "All are spam", *ids))
    page = after(anna, anna.press(page, "Undo"))
    assert {stored(one).status for one in ids} == {"pending"}
    assert "3 are as they were before." in words(page) and "Undo" not in words(page)


def test_what_another_decided_meanwhile_is_told_and_kept(
    anna: Browser, signed_in: Any, comment: Leave, stored: Stored
) -> None:
    ids = [comment() for _ in range(3)]
    page, bert = anna.get("/desk/"), signed_in("Bert")
    bert.press(bert.get("/desk/"), "Spam", within=f"c-{ids[1]}")
    page = after(anna, select_and(anna, page, "Approve all", *ids))
    assert [stored(one).status for one in ids] == ["approved", "spam", "approved"]
    assert "2 approved, 1 was decided by Bert meanwhile." in words(page)
    each = anna.get(next(one.get("href", "") for one in tree(page.text).iter("a") if text(one) == "Each of them"))
    assert "Not decided" in words(each) and "It was set to spam by Bert" in words(each)
    assert words(each).count("Comment number") == 3


def test_when_nothing_can_be_decided_that_is_said(
    anna: Browser, signed_in: Any, comment: Leave, stored: Stored
) -> None:
    ids = [comment() for _ in range(2)]
    page, bert = anna.get("/desk/"), signed_in("Bert")
    after(bert, select_and(bert, bert.get("/desk/"), "Reject all", *ids))
    answer = select_and(anna, page, "Approve all", *ids)
    assert answer.status_code == 409 and "Nothing was changed: 2 were decided by Bert meanwhile." in words(answer)
    assert {stored(one).status for one in ids} == {"rejected"}


def test_nothing_selected_is_said_above_the_list(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    answer = anna.press(anna.get("/desk/"), "Approve all", within="many")
    assert answer.status_code == 422 and "Nothing is selected." in words(answer)
    assert items(answer.text) == [str(one)] and stored(one).status == "pending"


def test_all_on_the_page_can_be_selected_by_a_link(anna: Browser, comment: Leave) -> None:
    [comment() for _ in range(3)]
    page = anna.get("/desk/?limit=2&select=page")
    checked = [one for one in tree(page.text).iter("input") if one.get("checked") is not None]
    assert len(checked) == 2
    assert not [one for one in tree(anna.get("/desk/").text).iter("input") if one.get("checked") is not None]


def test_all_that_match_are_decided_after_their_number_was_seen(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment(body=f"About horses, {n}.") for n in range(3)]
    zebra = comment(body="About zebras.")
    page = anna.get("/desk/?q=horses&limit=1&select=all")
    assert "All 3 comments that match are selected." in words(page) and boxes(page) == {}
    page = after(anna, anna.press(page, "Delete all", within="many"))
    assert [stored(one).status for one in (*ids, zebra)] == ["deleted"] * 3 + ["pending"]
    assert "3 deleted." in words(page)


def test_a_number_that_changed_since_loses_nothing(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment(), comment(), comment()]
    page = anna.get("/desk/?select=all&sort=newest")
    anna.press(anna.get("/desk/"), "Approve", within=f"c-{ids.pop(0)}")
    answer = anna.press(page, "All are spam", within="many")
    assert answer.status_code == 409
    assert "You saw 3 comments; there are 2 now. Nothing was changed." in words(answer)
    assert "All 2 comments that match are selected." in words(answer)
    assert {stored(one).status for one in ids} == {"pending"}
    after(anna, anna.press(answer, "All are spam", within="many"))
    assert {stored(one).status for one in ids} == {"spam"}


def test_what_came_since_waits_on(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment(), comment()]
    page = anna.get("/desk/?select=all")
    ids.append(comment())
    page = after(anna, anna.press(page, "All are spam", within="many"))
    assert "2 marked as spam." in words(page)
    assert [stored(one).status for one in ids] == ["spam", "spam", "pending"]


def test_the_buttons_are_drawn_anew_when_all_that_matched_has_changed(anna: Browser, comment: Leave) -> None:
    ids = [comment(), comment()]
    page = anna.get("/desk/?select=all")
    anna.press(anna.get("/desk/"), "Approve", within=f"c-{ids[0]}")
    answer = anna.htmx(page, "All are spam", within="many")
    assert (answer.status_code, answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == (
        409,
        "#many",
        "outerHTML",
    )
    assert anna.htmx(answer, "All are spam", within="many").headers["HX-Redirect"]


def test_as_many_others_are_seen_to_be_others(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment(), comment(), comment()]
    anna.press(anna.get("/desk/"), "Reject", within=f"c-{ids[0]}")
    page = anna.get("/desk/?select=all")
    anna.press(anna.get("/desk/"), "Approve", within=f"c-{ids[2]}")
    anna.press(anna.get("/desk/?status=rejected"), "Restore", within=f"c-{ids[0]}")
    answer = anna.press(page, "All are spam", within="many")
    assert answer.status_code == 409 and "some of them are others now" in words(answer)
    assert [stored(one).status for one in ids] == ["pending", "pending", "approved"]


def test_all_that_match_are_decided_only_in_the_words_that_were_seen(
    anna: Browser, comment: Leave, stored: Stored
) -> None:
    ids = [comment(), comment()]
    page = anna.get("/desk/?select=all")
    anna.press(anna.get(f"/desk/comments/{ids[0]}"), "Save the text", body="Other words.")
    answer = anna.press(page, "Approve all", within="many")
    assert answer.status_code == 409 and "some of them have other words now" in words(answer)
    assert {stored(one).status for one in ids} == {"pending"}
    after(anna, anna.press(answer, "Approve all", within="many"))
    assert {stored(one).status for one in ids} == {"approved"}


@pytest.mark.parametrize("list_", ["status=approved", "status=all", "status=approved&revision=held"])
def test_what_does_not_wait_is_selected_one_by_one(anna: Browser, comment: Leave, list_: str) -> None:
    comment()
    anna.press(anna.get("/desk/"), "Approve")
    page = anna.get(f"/desk/?{list_}&select=all")
    assert "Select all that match" not in words(page) and "that match are selected" not in words(page)
    form, _ = the_form(anna.get("/desk/?status=approved").text, "Restore all", "many")
    data = fields(form) | {"back": list_, "all": "true", "count": "1", "decision": "delete"}
    refused = anna.post("/desk/decisions", data=data, headers={"Origin": HOME})
    assert refused.status_code == 409 and "has to be selected one by one" in words(refused)


def test_what_was_decided_can_be_decided_again_as_it_was_seen(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment(), comment()]
    after(anna, select_and(anna, anna.get("/desk/"), "All are spam", *ids))
    after(anna, select_and(anna, anna.get("/desk/?status=spam"), "Restore all", *ids))
    assert {stored(one).status for one in ids} == {"pending"}


def test_the_same_form_sent_twice_counts_once(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment(), comment()]
    page = anna.get("/desk/")
    first = select_and(anna, page, "Approve all", *ids)
    again = select_and(anna, page, "Approve all", *ids)
    assert first.headers["Location"] == again.headers["Location"]
    assert [stored(one).version for one in ids] == [2, 2]
    other = select_and(anna, page, "All are spam", *ids)
    assert other.status_code == 409 and "decided by you before" in words(other)


def test_somebody_of_the_same_name_is_not_taken_for_the_reader(
    anna: Browser, signed_in: Callable[..., Browser], comment: Leave
) -> None:
    other = signed_in("Robin")
    with transaction():
        db.session.execute(update(Moderator).values(name="Sam"))
    one = comment()
    page = anna.get("/desk/")
    after(other, select_and(other, other.get("/desk/"), "Approve all", one))
    refused = select_and(anna, page, "All are spam", one)
    assert refused.status_code == 409
    assert "decided by Sam meanwhile" in words(refused) and "by you" not in words(refused)


def test_htmx_is_led_to_the_list_or_told_beside_the_buttons(anna: Browser, comment: Leave) -> None:
    one = comment()
    page = anna.get("/desk/")
    answer = anna.htmx(page, "Approve all", within="many", item=boxes(page)[str(one)])
    assert answer.status_code == 200 and answer.headers["HX-Redirect"].startswith("/desk/?many=")
    refused = anna.htmx(page, "Reject all", within="many", item=boxes(page)[str(one)])
    assert refused.status_code == 409 and refused.headers["HX-Retarget"] == "#say-page"
    assert "Nothing was changed" in refused.text


@pytest.fixture
def copies(comment: Leave) -> Callable[[int], None]:
    """So many comments like one that waits, past all that usually happens to them."""

    def make(number: int) -> None:
        original = comment(body="One of very many.")
        with transaction():
            row = dict(db.session.execute(select(Comment.__table__).where(Comment.id == original)).mappings().one())
            db.session.execute(insert(Comment.__table__), [row | {"id": new_id()} for _ in range(number - 1)])

    return make


def test_a_filter_that_matches_12_000_becomes_a_job_that_is_seen_and_can_be_stopped(
    anna: Browser, copies: Callable[[int], None], stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 50)
    copies(12_000)
    page = anna.get("/desk/?select=all&has_link=false")
    assert "All 12,000 comments that match are selected. That takes a while" in words(page)
    page = after(anna, anna.press(page, "All are spam", within="many"))
    assert "0 of 12,000." in words(page) and "Look again" in words(page)
    assert work()
    db.session.remove()
    there = next(one.get("href", "") for one in tree(page.text).iter("a") if text(one) == "Look again")
    page = anna.get(there)
    assert "50 marked as spam." in words(page) and "50 of 12,000." in words(page)
    assert [one.get("value") for one in tree(page.text).iter("progress")] == ["50"]
    page = after(anna, anna.press(page, "Stop and undo"))
    assert "50 are as they were before." in words(page)
    assert db.session.query(Comment).filter_by(status="pending").count() == 12_000


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    yield


@pytest.mark.usefixtures("few_at_once")
def test_a_job_that_is_done_says_what_became_of_it(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment() for _ in range(3)]
    page = after(anna, anna.press(anna.get("/desk/?select=all"), "Approve all", within="many"))
    while work():
        db.session.remove()
    done = anna.get(next(one.get("href", "") for one in tree(page.text).iter("a") if text(one) == "Look again"))
    assert "3 approved." in words(done) and "Look again" not in words(done)
    assert "data-working" not in done.text and {stored(one).status for one in ids} == {"approved"}


@pytest.mark.usefixtures("few_at_once")
def test_a_job_says_how_many_it_did_not_try(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment() for _ in range(4)]
    page = after(anna, anna.press(anna.get("/desk/?select=all"), "Approve all", within="many"))
    anna.press(anna.get(f"/desk/comments/{ids[0]}"), "Save the text", body="Other words.")
    assert "not tried" not in words(page)
    while work():
        db.session.remove()
    done = anna.get(next(one.get("href", "") for one in tree(page.text).iter("a") if text(one) == "Look again"))
    assert "3 approved, 1 was not tried." in words(done)
    assert [stored(one).status for one in ids] == ["pending", *["approved"] * 3]


@pytest.mark.usefixtures("few_at_once")
def test_a_job_can_be_stopped_before_it_has_begun(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment() for _ in range(3)]
    page = after(anna, anna.press(anna.get("/desk/?select=all"), "Approve all", within="many"))
    page = after(anna, anna.press(page, "Stop and undo"))
    assert "Stopped before anything was decided." in words(page) and "Undo" not in words(page)
    assert not work() and {stored(one).status for one in ids} == {"pending"}


def test_a_reason_that_a_site_lacks_is_told_as_that(anna: Browser, comment: Leave, site: Site, stored: Stored) -> None:
    ids = [comment(), comment()]
    page = anna.get("/desk/")
    with transaction():
        reasons.replace(site, [], actor="test", if_match="*")
    answer = select_and(anna, page, "Reject all", *ids, reason_code="insult")
    assert answer.status_code == 409
    assert "Nothing was changed: 2 are of a site without this reason." in words(answer)
    assert {stored(one).status for one in ids} == {"pending"}


def test_a_decision_on_many_is_shown_to_nobody_else(anna: Browser, signed_in: Any, comment: Leave) -> None:
    one = comment()
    select_and(anna, anna.get("/desk/"), "Approve all", one)
    made = db.session.query(BulkDecision).one().id
    bert = signed_in("Bert")
    assert bert.get(f"/desk/decisions/{made}").status_code == 404
    assert "approved" not in words(bert.get(f"/desk/?many={made}")).replace("Approved", "")
    assert anna.get(f"/desk/decisions/{made}").status_code == 200
    assert anna.get(f"/desk/decisions/{new_id()}").status_code == 404


def test_undone_already_is_said(anna: Browser, comment: Leave) -> None:
    one = comment()
    page = after(anna, select_and(anna, anna.get("/desk/"), "Approve all", one))
    anna.press(page, "Undo")
    again = anna.press(page, "Undo")
    assert again.status_code == 409 and "This was undone already." in words(again)


def test_undo_is_offered_as_long_as_it_is_of_use(
    anna: Browser, comment: Leave, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = comment()
    there = select_and(anna, anna.get("/desk/"), "Approve all", one).headers["Location"]
    assert "Undo" in words(anna.get(there))
    monkeypatch.setattr(worker, "KEPT", timedelta(0))
    worker.forget()
    assert "Undo" not in words(anna.get(there))


def test_a_viewer_has_nothing_to_select(signed_in: Any, comment: Leave) -> None:
    comment()
    page = signed_in("Vera", "viewer").get("/desk/?select=all")
    assert boxes(page) == {} and "Approve all" not in words(page)


@pytest.mark.parametrize("item", ["nothing", "018f0000-0000-7000-8000-000000000000", "x " * 30])
def test_an_odd_selection_is_refused(anna: Browser, comment: Leave, stored: Stored, item: str) -> None:
    one = comment()
    answer = anna.press(anna.get("/desk/"), "Approve all", within="many", item=item)
    assert answer.status_code == 422 and stored(one).status == "pending"
