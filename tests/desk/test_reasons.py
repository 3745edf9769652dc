"""Reasons of a rejection at the desk: chosen beside the button, kept by the owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from service.comments.models import Comment
from service.sites import queries
from service.sites.models import Site
from service.sites.policy import REJECT_REASONS
from tests.conftest import add_site
from tests.desk.conftest import HOME, Browser, fields, text, the_form, tree, words
from tests.desk.test_many import after, select_and

Leave = Callable[..., UUID]
Stored = Callable[[UUID], Comment]


def offered(page: str) -> list[str]:
    """The reasons beside the buttons of the first comment, with the keys that choose them."""
    article = next(tree(page).iter("article"))
    select = next(one for one in article.iter("select") if one.get("name") == "reason_code")
    return [text(one) for one in select.iter("option")]


def test_the_reasons_stand_beside_the_buttons(anna: Browser, comment: Leave) -> None:
    one = comment()
    expected = ["Reject without a reason", *(f"{n} {title}" for n, (title, _) in enumerate(REJECT_REASONS.values(), 1))]
    for path in ("/desk/", f"/desk/comments/{one}"):
        assert offered(anna.get(path).text) == expected


def test_one_is_rejected_for_a_reason(anna: Browser, comment: Leave, stored: Stored) -> None:
    one = comment()
    anna.press(anna.get("/desk/"), "Reject", reason_code="insult")
    assert (stored(one).status, stored(one).reason_code) == ("rejected", "insult")
    assert "Your comment insults somebody." in words(anna.get(f"/desk/comments/{one}"))


@pytest.mark.parametrize("button", ["Approve", "Spam", "Delete"])
def test_another_button_minds_no_reason_that_is_chosen(
    anna: Browser, comment: Leave, stored: Stored, button: str
) -> None:
    one = comment()
    assert anna.press(anna.get("/desk/"), button, reason_code="insult").status_code == 303
    assert stored(one).status != "pending" and stored(one).reason_code is None


def test_many_are_rejected_for_a_reason(anna: Browser, comment: Leave, stored: Stored) -> None:
    ids = [comment(), comment()]
    after(anna, select_and(anna, anna.get("/desk/"), "Reject all", *ids, reason_code="unreadable"))
    assert {stored(one).reason_code for one in ids} == {"unreadable"}
    others = [comment(), comment()]
    after(anna, select_and(anna, anna.get("/desk/"), "Approve all", *others, reason_code="unreadable"))
    assert {stored(one).status for one in others} == {"approved"}


def test_a_reason_that_is_chosen_outlives_a_conflict(anna: Browser, signed_in: Any, comment: Leave) -> None:
    one = comment()
    page, bert = anna.get("/desk/"), signed_in("Bert")
    bert.press(bert.get("/desk/"), "Spam", within=f"c-{one}")
    refused = anna.press(page, "Reject", reason_code="illegal")
    assert refused.status_code in (409, 412, 428)
    chosen = [one.get("value") for one in tree(refused.text).iter("option") if one.get("selected") is not None]
    assert chosen == ["illegal"]


@pytest.fixture
def olga(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in("Olga", "owner")


def typed(*rows: tuple[str, str, str]) -> dict[str, Any]:
    names = ("code", "title", "sentence")
    return {name: [one[n] for one in rows] for n, name in enumerate(names)}


def kept(site: Site) -> list[str]:
    return [one.code for one in queries.reasons_of([site.id])[site.id]]


def test_an_owner_keeps_the_list(olga: Browser, site: Site, comment: Leave) -> None:
    comment()
    page = olga.get("/desk/reasons")
    assert "Your comment insults somebody." in page.text and "Blog" in words(page)
    rows = typed(("spoiler", "Spoiler", "Your comment tells the ending."), ("", " ", ""))
    assert olga.press(page, "Keep this list", **rows).status_code == 303
    assert kept(site) == ["spoiler"]
    assert offered(olga.get("/desk/").text) == ["Reject without a reason", "1 Spoiler"]


def test_a_list_that_cannot_be_taken_stays_in_the_form(olga: Browser, site: Site) -> None:
    rows = typed(("Spoiler!", "Spoiler", "Your comment tells the ending."), ("b", "", "Something."))
    answer = olga.press(olga.get("/desk/reasons"), "Keep this list", **rows)
    assert answer.status_code == 422 and "Use lower-case letters" in words(answer)
    assert 'value="Spoiler!"' in answer.text and 'value="Something."' in answer.text
    assert kept(site) == list(REJECT_REASONS)


def test_two_owners_overwrite_nothing(olga: Browser, signed_in: Any, site: Site) -> None:
    page, otto = olga.get("/desk/reasons"), signed_in("Otto", "owner")
    otto.press(otto.get("/desk/reasons"), "Keep this list", **typed(("a", "A", "A it is.")))
    answer = olga.press(page, "Keep this list", **typed(("b", "B", "B it is.")))
    assert answer.status_code == 412 and "Somebody changed the list" in words(answer)
    assert kept(site) == ["a"] and 'value="B it is."' in answer.text
    assert "It stands as “A · a · A it is.” now." in words(answer)
    assert olga.press(answer, "Keep this list", **typed(("b", "B", "B it is."))).status_code == 303


def test_a_list_that_cannot_be_taken_sees_nothing_that_another_owner_kept(
    olga: Browser, signed_in: Any, site: Site
) -> None:
    page, otto = olga.get("/desk/reasons"), signed_in("Otto", "owner")
    otto.press(otto.get("/desk/reasons"), "Keep this list", **typed(("a", "A", "A it is.")))
    refused = olga.press(page, "Keep this list", **typed(("B!", "B", "B it is.")))
    assert refused.status_code == 422
    answer = olga.press(refused, "Keep this list", **typed(("b", "B", "B it is.")))
    assert (answer.status_code, kept(site)) == (412, ["a"])


def test_a_moderator_keeps_no_list(anna: Browser, site: Site) -> None:
    assert "You are the owner of no site." in words(anna.get("/desk/reasons"))
    form, _ = the_form(anna.get("/desk/").text, "Sign out", None)
    data = fields(form) | {"site": "blog"} | typed(("a", "A", "A it is."))
    assert anna.post("/desk/reasons", data=data, headers={"Origin": HOME}).status_code == 403
    other = add_site("news", ["https://news.example.org"])
    data |= {"site": other.key}
    assert anna.post("/desk/reasons", data=data, headers={"Origin": HOME}).status_code == 404
    assert kept(site) == list(REJECT_REASONS)


def test_what_an_owner_types_is_text(olga: Browser, comment: Leave) -> None:
    comment()
    rows = typed(("a", "<script>alert(1)</script>", "</option><img src=x onerror=alert(1)>"))
    olga.press(olga.get("/desk/reasons"), "Keep this list", **rows)
    for path in ("/desk/", "/desk/reasons"):
        page = olga.get(path).text
        assert "<script>alert" not in page and "<img" not in page
