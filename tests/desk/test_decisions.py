"""A moderator's story without JavaScript: sign in, look, decide, change one's mind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.audit.operations import Deed, record
from service.comments.models import Comment
from service.db import db, transaction
from service.moderation import worker
from service.sites.models import Site
from service.webhooks.models import Event
from tests.desk.conftest import HOME, Browser, text, tree, words
from tests.support import thread

Leave = Callable[..., UUID]
Stored = Callable[[UUID], Comment]
SOME_ID = UUID(int=7)


def test_a_stranger_signs_in_and_comes_back_to_where_they_wanted(
    open_browser: Callable[[], Browser], person: Any
) -> None:
    person("Anna")
    browser = open_browser()
    sent = browser.get("/desk/?status=spam")
    assert sent.status_code == 303 and sent.headers["Location"].startswith("/desk/sign-in?next=")
    page = browser.get(sent.headers["Location"])
    back = browser.press(page, "Sign in", email="anna@desk.example.org", password="correct horse battery")
    assert back.headers["Location"] == "/desk/?status=spam"


def test_a_wrong_password_keeps_the_address_and_says_why(open_browser: Callable[[], Browser], person: Any) -> None:
    person("Anna")
    answer = open_browser().sign_in("anna@desk.example.org", "not this one")
    assert "do not match" in words(answer) and 'value="anna@desk.example.org"' in answer.text


def test_an_approved_comment_is_on_the_page(anna: Browser, comment: Leave, client: FlaskClient) -> None:
    one = comment(name="Bea", body="Well forged.")
    answer = anna.press(anna.get("/desk/"), "Approve", within=f"c-{one}")
    assert answer.status_code == 303
    told = words(anna.get(answer.headers["Location"]))
    assert "Approved. By you, just now. The comment of Bea" in told and "Nothing is waiting" in told
    assert [shown["id"] for shown in thread(client)["comments"]] == [str(one)]


@pytest.mark.parametrize(
    ("button", "status", "said"),
    [
        ("Approve", "approved", "Approved."),
        ("Reject", "rejected", "Rejected."),
        ("Spam", "spam", "Marked as spam."),
        ("Delete", "deleted", "Deleted."),
    ],
)
def test_each_button_does_what_it_says(
    anna: Browser, comment: Leave, stored: Stored, button: str, status: str, said: str
) -> None:
    one = comment()
    there = anna.press(anna.get("/desk/"), button).headers["Location"]
    assert stored(one).status == status
    assert said in words(anna.get(there))


def test_a_reason_is_kept_in_the_record(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    anna.press(anna.get("/desk/"), "Reject", reason="Off topic, sorry.")
    assert stored(one).reason == "Off topic, sorry."
    assert "Rejected by Anna. Reason: “Off topic, sorry.”" in words(anna.get(f"/desk/comments/{one}"))


def test_events_carry_the_reason_and_never_the_note(anna: Browser, comment: Leave) -> None:
    one = comment()
    anna.press(anna.get("/desk/"), "Reject", reason="Off topic, sorry.", note="Third time this week.")
    event = db.session.query(Event).filter_by(type="comment.rejected").one()
    assert event.data["reason"] == "Off topic, sorry." and "Third time" not in str(event.data)
    assert "Reason: “Off topic, sorry.”. Note: “Third time this week.”" in words(anna.get(f"/desk/comments/{one}"))


def test_the_form_says_who_hears_which_words(anna: Browser, comment: Leave) -> None:
    comment()
    item = next(tree(anna.get("/desk/").text).iter("article"))
    names = {one.get("id"): one.get("name") for one in item.iter("textarea")}
    told = {names[one.get("for")]: text(one) for one in item.iter("label")}
    assert told == {
        "reason": "Reason, told to the site’s programs too", "note": "Note, for moderators only",
        "body": "Reply as Blog, in Markdown; everybody sees it",
    }  # fmt: skip


def test_a_decided_comment_can_be_restored(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    anna.press(anna.get("/desk/"), "Spam")
    anna.press(anna.get("/desk/?status=spam"), "Restore", within=f"c-{one}")
    assert stored(one).status == "pending"


def test_a_decision_leads_back_to_the_same_list(anna: Browser, comment: Leave) -> None:
    comment(body="About horses."), comment(body="More horses.")
    there = anna.press(anna.get("/desk/?q=horses&sort=newest"), "Approve").headers["Location"]
    assert there.startswith("/desk/?q=horses&sort=newest&done=")


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "next=https://evil.example", "status=%0d%0aX: y", "\\\\evil"]
)
def test_a_form_can_send_nobody_elsewhere(anna: Browser, comment: Leave, back: str) -> None:
    comment()
    answer = anna.press(anna.get("/desk/"), "Approve", back=back)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/desk/?") and "evil" not in answer.headers["Location"]
    assert "X" not in answer.headers


def test_a_link_cannot_claim_what_was_not_done(anna: Browser, comment: Leave) -> None:
    waiting, decided = comment(), comment()
    anna.press(anna.get("/desk/"), "Spam", within=f"c-{decided}")
    assert 'class="flash"' not in anna.get(f"/desk/?done={waiting}").text
    assert "Marked as spam. By you" in words(anna.get(f"/desk/?done={decided}"))


def test_a_decision_on_the_comments_own_page_stays_there(anna: Browser, comment: Leave) -> None:
    one = comment()
    answer = anna.press(anna.get(f"/desk/comments/{one}?back=sort%3Dnewest"), "Approve")
    assert answer.headers["Location"] == f"/desk/comments/{one}?back=sort%3Dnewest"
    page = anna.get(answer.headers["Location"])
    assert "Approved. By you, just now." in words(page)
    assert 'href="/desk/?sort=newest"' in page.text


def test_undo_is_offered_only_to_whom_it_is_of_use(
    anna: Browser, signed_in: Callable[..., Browser], comment: Leave, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = comment()
    page = anna.press(anna.get("/desk/"), "Approve")
    there = (f"/desk/comments/{one}", page.headers["Location"])
    vera = signed_in("Vera", "viewer")
    assert ["Undo" in words(anna.get(one)) for one in there] == [True, True]
    assert ["Undo" in words(vera.get(one)) for one in there] == [False, False]
    monkeypatch.setattr(worker, "KEPT", timedelta(0))
    worker.forget()
    assert ["Undo" in words(anna.get(one)) for one in there] == [False, False]


def test_the_history_says_who_did_what(anna: Browser, comment: Leave) -> None:
    one = comment()
    anna.press(anna.get("/desk/"), "Approve")
    page = words(anna.get(f"/desk/comments/{one}"))
    assert "Approved by Anna" in page and "Sent by the author" in page


def test_a_note_is_seen_behind_a_hundred_reports(anna: Browser, comment: Leave, site: Site) -> None:
    one = comment()
    anna.press(anna.get(f"/desk/comments/{one}"), "Keep the note", note="Ask the lawyers.")
    with transaction():
        for _ in range(101):
            record(Deed("comment.flagged", "reader", site.id, one, {"reason": "abuse"}))
    assert words(anna.get(f"/desk/comments/{one}")).count("Ask the lawyers.") == 1


def test_the_record_of_the_person_is_told(anna: Browser, comment: Leave) -> None:
    comment()
    anna.press(anna.get("/desk/"), "Approve")
    one = comment()
    assert "2 comments on this site: 1 approved, 0 rejected or spam." in words(anna.get(f"/desk/comments/{one}"))


def test_the_address_is_shown_once_and_that_is_written_down(anna: Browser, comment: Leave) -> None:
    one = comment(email="bea.smith@mail.example.org")
    shown = anna.press(anna.get(f"/desk/comments/{one}"), "Show the address")
    assert "bea.smith@mail.example.org" in words(shown) and "E-mail address shown by Anna" in words(shown)
    later = anna.get(f"/desk/comments/{one}")
    assert "bea.smith" not in later.text and "E-mail address shown by Anna" in words(later)


def test_looking_at_pages_writes_nothing_down(anna: Browser, comment: Leave) -> None:
    one = comment()
    for path in ("/desk/", f"/desk/comments/{one}", f"/desk/?done={one}"):
        anna.get(path)
    assert "shown by" not in words(anna.get(f"/desk/comments/{one}"))


def test_a_changed_text_is_rendered_and_the_old_one_kept(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment(body="With a tpyo.")
    answer = anna.press(anna.get(f"/desk/comments/{one}"), "Save the text", body="With a *typo* mended.")
    assert answer.status_code == 303 and stored(one).html == "<p>With a <em>typo</em> mended.</p>\n"
    shown = anna.get(f"/desk/comments/{one}")
    assert "Earlier texts (1)" in words(shown) and "Text changed by Anna" in words(shown)
    (diff,) = [part for part in tree(shown.text).iter("p") if part.get("class") == "diff"]
    assert text(diff) == "With a tpyo *typo* mended ."
    assert [(part.tag, part.text) for part in diff] == [("del", "tpyo"), ("ins", "*typo* mended")]


@pytest.mark.parametrize(("body", "sentence"), [("   ", "required"), ("x" * 10_001, "at most 10,000 characters")])
def test_a_refused_text_stays_in_the_form(anna: Browser, comment: Leave, body: str, sentence: str) -> None:
    one = comment(body="As it was.")
    answer = anna.press(anna.get(f"/desk/comments/{one}"), "Save the text", body=body)
    assert answer.status_code == 422 and sentence in words(answer)
    area = next(form for form in tree(answer.text).iter("textarea") if form.get("id") == "body")
    assert (area.text or "").removeprefix("\n") == body


def test_a_text_keeps_its_first_empty_line_in_the_form(anna: Browser, comment: Leave) -> None:
    one = comment(body="First.")
    answer = anna.press(anna.get(f"/desk/comments/{one}"), "Save the text", body="\n\n" + "x" * 10_001)
    area = next(form for form in tree(answer.text).iter("textarea") if form.get("id") == "body")
    assert (area.text or "").startswith("\n\nx")


def test_signing_out_ends_it(anna: Browser) -> None:
    anna.press(anna.get("/desk/"), "Sign out")
    assert anna.get("/desk/").status_code == 303


def test_htmx_gets_the_outcome_in_place_of_the_item(anna: Browser, comment: Leave) -> None:
    one = comment()
    answer = anna.htmx(anna.get("/desk/"), "Approve", within=f"c-{one}")
    assert answer.status_code == 200 and "<html" not in answer.text
    outcome = next(tree(answer.text).iter("article"))
    assert outcome.get("id") == f"c-{one}" and "Approved. By you, just now." in text(outcome)


def test_htmx_says_the_outcome_aloud_and_counts_again(anna: Browser, comment: Leave) -> None:
    comment(), (one := comment())
    parts = {
        part.get("id"): text(part)
        for part in tree(anna.htmx(anna.get("/desk/"), "Reject", within=f"c-{one}").text).iter()
        if part.get("hx-swap-oob")
    }
    assert parts == {"waiting": "1", "live": "Rejected. By you, just now."}


def test_htmx_puts_a_restored_comment_back_with_its_buttons(anna: Browser, comment: Leave) -> None:
    one = comment()
    anna.press(anna.get("/desk/"), "Approve")
    answer = anna.htmx(anna.get("/desk/?status=approved"), "Restore", within=f"c-{one}")
    assert "Back in the queue. By you, just now." in answer.text and 'value="approve"' in answer.text


def test_htmx_gets_the_address_alone(anna: Browser, comment: Leave) -> None:
    one = comment(email="bea.smith@mail.example.org")
    answer = anna.htmx(anna.get(f"/desk/comments/{one}"), "Show the address")
    assert "bea.smith@mail.example.org" in answer.text and "<article" not in answer.text


def test_htmx_of_an_ended_session_is_sent_to_sign_in(anna: Browser, comment: Leave) -> None:
    comment()
    page = anna.get("/desk/")
    anna.press(page, "Sign out")
    answer = anna.htmx(page, "Approve")
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/desk/sign-in?next=/desk/?status%3Dpending"


def test_a_form_of_an_ended_session_is_sent_to_sign_in(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    page = anna.get("/desk/")
    anna.press(page, "Sign out")
    answer = anna.press(page, "Approve", within=f"c-{one}")
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/desk/sign-in")
    assert stored(one).status == "pending"


@pytest.mark.parametrize(
    ("sender", "there"),
    [
        (f"{HOME}/desk/?sort=newest", "/desk/?sort=newest"),
        (f"{HOME}/desk/comments/{SOME_ID}?back=q%3Dx", f"/desk/comments/{SOME_ID}?back=q%3Dx"),
        (f"{HOME}/desk/comments/{SOME_ID}/decision", f"/desk/comments/{SOME_ID}"),  # where a form was refused
        (f"{HOME}/desk/filters", "/desk/filters"),
        (f"{HOME}/desk/claims", "/desk/"),  # takes forms only
        (f"{HOME}/desk//evil.example", "/desk/"),
        (f"{HOME}/mine", "/desk/"),
        ("https://evil.example/", "/desk/"),
        ("//evil.example/desk/", "/desk/"),
        ("https://evil.example@evil.example/desk/sites", "/desk/sites"),
        ("", "/desk/"),
    ],
)
def test_from_there_it_leads_back_to_where_it_was_and_never_elsewhere(
    open_browser: Callable[[], Browser], site: Site, sender: str, there: str
) -> None:
    browser = open_browser()
    answer = browser.post("/desk/claims", headers={"Referer": sender, "Origin": HOME})
    assert answer.status_code == 303
    led = urlsplit(answer.headers["Location"])
    assert (led.scheme, led.netloc, led.path, parse_qsl(led.query)) == ("", "", "/desk/sign-in", [("next", there)])


def test_a_note_and_a_reply_that_are_sent_again_count_once(anna: Browser, comment: Leave, client: FlaskClient) -> None:
    """The same form; with other words in it, or drawn anew, it is another one."""
    one = comment()
    anna.press(anna.get("/desk/"), "Approve")
    page = anna.get(f"/desk/comments/{one}")
    for words_ in ("Again.", "Again.", "Other words."):
        for button, field in (("Keep the note", "note"), ("Reply", "body")):
            assert anna.press(page, button, **{field: words_}).status_code == 303
    page = anna.get(f"/desk/comments/{one}")
    anna.press(page, "Keep the note", note="Again.")
    told = words(anna.get(f"/desk/comments/{one}"))
    assert (told.count("Note: “Again.”"), told.count("Note: “Other words.”")) == (2, 1)
    assert len(thread(client)["comments"][0]["replies"]) == 2


def test_an_undo_that_is_sent_again_says_what_is(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    anna.press(anna.get("/desk/"), "Spam")
    page = anna.get(f"/desk/comments/{one}")
    for _ in range(2):
        assert anna.press(page, "Undo").status_code == 303
    assert (stored(one).status, stored(one).version) == ("pending", 3)


def test_an_address_that_is_not_there_is_missing_in_the_desks_look(anna: Browser) -> None:
    answer = anna.get("/desk/nothing/here")
    assert answer.status_code == 404 and "Not found" in words(answer)
    assert "Sign out" in answer.text


def test_an_odd_address_of_the_queue_is_refused_kindly(anna: Browser) -> None:
    answer = anna.get("/desk/?sort=sideways")
    assert answer.status_code == 422 and "To the queue" in words(answer)


def test_the_desk_without_a_slash_is_the_desk(anna: Browser) -> None:
    assert anna.get("/desk", follow_redirects=True).status_code == 200


def test_a_list_that_is_none_of_ours_is_refused_with_a_sentence(anna: Browser, comment: Leave) -> None:
    comment()
    refused = anna.press(anna.get("/desk/"), "Take 20", back="status=nonsense")
    assert refused.status_code == 422
    assert anna.get("/desk/?claimed=me").text.count("<article") == 0
