"""Two moderators at once: nobody's decision is lost, and the slower one is told who, when and what."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest

from service.comments.models import Comment
from tests.desk.conftest import HOME, Browser, fields, text, the_form, tree, words

Leave = Callable[..., UUID]
Stored = Callable[[UUID], Comment]
WHO_WHEN_WHAT = r"set to approved by Anna on \d{1,2} \w+ \d{4}, \d\d:\d\d UTC"


@pytest.fixture
def bert(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in("Bert")


def test_the_slower_one_is_told_who_when_and_what(anna: Browser, bert: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    seen = bert.get("/desk/")
    anna.press(anna.get("/desk/"), "Approve")
    answer = bert.press(seen, "Spam", within=f"c-{one}")
    assert answer.status_code == 412
    assert re.search(WHO_WHEN_WHAT, words(answer)), words(answer)
    assert stored(one).status == "approved"


def test_the_slower_one_can_still_decide_knowing_it(
    anna: Browser, bert: Browser, comment: Leave, stored: Stored
) -> None:
    one = comment()
    seen = bert.get("/desk/")
    anna.press(anna.get("/desk/"), "Approve")
    told = bert.press(seen, "Spam", within=f"c-{one}", reason="An advertisement.")
    assert bert.press(told, "Spam").status_code == 303
    now = stored(one)
    assert (now.status, now.decided_name, now.reason) == ("spam", "Bert", "An advertisement.")


def test_htmx_shows_the_conflict_inside_the_item(anna: Browser, bert: Browser, comment: Leave) -> None:
    one = comment()
    seen = bert.get("/desk/")
    anna.press(anna.get("/desk/"), "Approve")
    answer = bert.htmx(seen, "Reject", within=f"c-{one}", reason="Rude.", note="Again.")
    assert answer.status_code == 412 and "HX-Retarget" not in answer.headers
    item = next(tree(answer.text).iter("article"))
    alert = next(part for part in item.iter() if part.get("role") == "alert")
    assert item.get("id") == f"c-{one}" and re.search(WHO_WHEN_WHAT, text(alert))
    assert [(area.text or "").strip() for area in item.iter("textarea")] == ["Rude.", "Again.", ""]


def test_a_comment_that_was_reworded_is_not_decided_unseen(
    anna: Browser, bert: Browser, comment: Leave, stored: Stored
) -> None:
    one = comment(body="Before.")
    seen = bert.get("/desk/")
    anna.press(anna.get(f"/desk/comments/{one}"), "Save the text", body="After.")
    answer = bert.press(seen, "Approve", within=f"c-{one}")
    assert answer.status_code == 412 and "After." in words(answer)
    assert stored(one).status == "pending"


def test_a_comment_that_was_reworded_is_not_approved_by_a_reply(
    anna: Browser, bert: Browser, comment: Leave, stored: Stored
) -> None:
    one = comment(body="Before.")
    seen = bert.get("/desk/")
    anna.press(anna.get(f"/desk/comments/{one}"), "Save the text", body="After.")
    answer = bert.press(seen, "Approve and reply", within=f"c-{one}", body="Thank you.")
    assert answer.status_code == 412 and "After." in words(answer) and "Thank you." in answer.text
    assert stored(one).status == "pending"
    bert.press(answer, "Approve and reply", body="Thank you.")
    assert stored(one).status == "approved"


def test_a_second_decision_without_a_version_is_refused(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    page = anna.get("/desk/")
    anna.press(page, "Approve")
    answer = anna.press(page, "Spam", seen="")
    assert answer.status_code == 428 and re.search(WHO_WHEN_WHAT, words(answer))
    assert stored(one).status == "approved"


def test_a_decision_that_is_sent_again_counts_once(anna: Browser, comment: Leave, stored: Stored) -> None:
    """Its answer got lost on the way: what was wanted is so, and that is what is told."""
    one = comment()
    page = anna.get("/desk/")
    for _ in range(2):
        assert anna.press(page, "Approve").status_code == 303
    assert stored(one).version == 2


@pytest.mark.parametrize("later", [{"reason": "Not here."}, {"reason_code": "insult"}])
def test_the_same_decision_for_another_reason_is_another_one(
    anna: Browser, comment: Leave, stored: Stored, later: dict[str, str]
) -> None:
    """From another window, say: it is not told to be done, and its words stay in the form."""
    one = comment()
    page = anna.get("/desk/")
    assert anna.press(page, "Reject", reason_code="off-topic").status_code == 303
    answer = anna.press(page, "Reject", **{"reason_code": "off-topic"} | later)
    assert answer.status_code == 412 and "It was set to rejected by Anna on" in words(answer)
    assert later.get("reason", "") in answer.text
    assert (stored(one).reason_code, stored(one).version) == ("off-topic", 2)
    assert anna.press(page, "Reject", reason_code="off-topic").status_code == 303


def test_what_the_states_do_not_allow_is_a_conflict(
    anna: Browser, bert: Browser, comment: Leave, stored: Stored
) -> None:
    one = comment()
    anna.press(anna.get("/desk/"), "Approve")
    form, _ = the_form(bert.get("/desk/?status=approved").text, "Spam", None)
    again = fields(form) | {"decision": "approve"}
    answer = bert.post(form.get("action", ""), data=again, headers={"Origin": HOME})
    assert answer.status_code == 409 and re.search(WHO_WHEN_WHAT, words(answer))
    assert stored(one).version == 2


def test_two_texts_at_once_lose_neither(anna: Browser, bert: Browser, comment: Leave, stored: Stored) -> None:
    one = comment(body="The first text.")
    seen = bert.get(f"/desk/comments/{one}")
    anna.press(anna.get(f"/desk/comments/{one}"), "Save the text", body="By Anna.")
    answer = bert.press(seen, "Save the text", body="By Bert.")
    assert answer.status_code == 412 and stored(one).body == "By Anna."
    areas = [area.text or "" for area in tree(answer.text).iter("textarea")]
    assert "By Bert." in "".join(areas)
    assert "By Anna." in words(answer)


def test_a_refusal_for_htmx_lands_beside_the_buttons(anna: Browser, comment: Leave) -> None:
    one = comment()
    page = anna.get("/desk/")
    answer = anna.htmx(page, "Approve", within=f"c-{one}", reason="x" * 501)
    assert answer.status_code == 422 and answer.headers["HX-Retarget"] == f"#say-{one}"
    assert "At most 500 characters." in answer.text and "<html" not in answer.text


def test_a_text_that_cannot_be_taken_sees_nothing_that_another_wrote(
    anna: Browser, bert: Browser, comment: Leave, stored: Stored
) -> None:
    """The refusal shows what was typed, and compares it with nothing: it is still over the text that was seen."""
    one = comment(body="Before.")
    seen = bert.get(f"/desk/comments/{one}")
    anna.press(anna.get(f"/desk/comments/{one}"), "Save the text", body="By Anna.")
    refused = bert.press(seen, "Save the text", body="x" * 10_001)
    assert refused.status_code == 422
    told = bert.press(refused, "Save the text", body="By Bert.")
    assert (told.status_code, stored(one).body) == (412, "By Anna.")
    assert bert.press(told, "Save the text", body="By Bert.").status_code == 303
