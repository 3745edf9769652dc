"""What is typed stays until it was sent, in a real Chromium: whatever else is answered, and whoever is signed out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from service.accounts import operations as accounts
from service.accounts import queries
from service.authors import operations as authors
from service.db import transaction
from service.sites import reasons
from service.sites.queries import reasons_of, site_of
from tests.browser import Watch
from tests.conftest import add_site
from tests.desk.conftest import PASSWORD
from tests.desk.seated import Desk, come_to
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch
from tests.desk.test_pages_seen import own

pytestmark = pytest.mark.browser

SitDown = Callable[[str], Any]


def sign_in_again(page: Page, name: str = "anna") -> None:
    page.wait_for_selector("#password")
    page.fill("#email", f"{name}@desk.example.org")
    page.fill("#password", PASSWORD)
    page.click("main button")


def has(page: Page, field: str, typed: str) -> None:
    page.wait_for_function("([id, typed]) => document.getElementById(id)?.value === typed", arg=[field, typed])


def shelved(page: Page) -> list[str]:
    """What is kept, without for whom."""
    found: list[str] = page.evaluate("Object.keys(sessionStorage)")
    return [re.sub("^draft:[-0-9a-f]{36}:", "", key) for key in found]


def test_what_one_types_fills_no_form_of_the_next_one(desk: Desk, sit_down: SitDown) -> None:
    """In one window: Anna's session ends, Bert signs in; then Anna comes back, and signs out."""
    one = desk.leave()
    page = sit_down("anna")
    page.click(f"#c-{one} .noting summary")
    page.fill(f"#note-{one}", "By Anna.")
    for name, typed in (("bert", ""), ("anna", "By Anna.")):
        page.context.clear_cookies()
        page.goto(f"{desk.url}/desk/")
        sign_in_again(page, name)
        come_to(page, f"#c-{one}")
        has(page, f"note-{one}", typed)
    page.click("text=Sign out")
    page.wait_for_selector("text=Sign in")
    assert shelved(page) == []


def test_a_list_that_another_owner_shortened_keeps_each_word_with_its_reason(desk: Desk, sit_down: SitDown) -> None:
    own(desk, "anna")
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/reasons")
    codes = [one.input_value() for one in page.locator("[name=code]").all() if one.input_value()]
    page.fill("[name=title] >> nth=1", "A better title")
    with desk.app.app_context(), transaction():
        site = site_of("blog")
        assert site
        left = [reasons.Wanted(**row) for row in reasons.told(reasons_of([site.id])[site.id])[1:]]
        reasons.replace(site, left, actor="test", if_match="*")
    page.reload()
    has(page, f"title-blog-{codes[1]}", "A better title")
    assert page.input_value(f"#title-blog-{codes[2]}") != "A better title"
    assert page.input_value("[name=title] >> nth=0") == "A better title"


@pytest.mark.parametrize("what", ["reason", "note", "answer"])
def test_nothing_typed_at_a_comment_is_lost_when_a_session_ends(desk: Desk, sit_down: SitDown, what: str) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/?sort=newest")
    form = {"reason": ".decide", "note": ".noting", "answer": ".replying"}[what]
    button = {"reason": "[value=reject]", "note": "", "answer": ""}[what]
    page.click(f"#c-{one} {form} summary")
    page.fill(f"#{what}-{one}", "Well considered.")
    page.context.clear_cookies()
    page.click(f"#c-{one} {form} button{button}")
    sign_in_again(page)
    has(page, f"{what}-{one}", "Well considered.")
    assert page.url == f"{desk.url}/desk/?sort=newest"
    page.click(f"#c-{one} {form} button{button}")
    page.wait_for_selector(f"#c-{one}:is(.done, :has(.flash))")
    assert shelved(page) == []


@pytest.mark.parametrize(
    ("path", "field", "opened", "form"),
    [
        ("comments/{one}", "body", "#text summary", "#text form"),
        ("people/{one}", "note", None, "form.ruling"),
        ("?q=forge", "filter-name", ".saved summary", ".saved details form"),
        ("sites/blog", "hold_words", None, "form.settings"),
        ("reasons", "sentence-blog-off-topic", None, "form.reasons"),
    ],
)
def test_nothing_typed_on_a_page_is_lost_when_a_session_ends(
    desk: Desk, sit_down: SitDown, path: str, field: str, opened: str | None, form: str
) -> None:
    """The form is sent by the browser itself: signing in leads back to its page, and sending it empties the shelf."""
    one = desk.leave(body="Well forged.")
    own(desk, "anna")
    page = sit_down("anna")
    there = f"{desk.url}/desk/{path.format(one=one)}"
    page.goto(there)
    if opened:
        page.click(opened)
    page.fill(f"#{field}", "typed")
    page.context.clear_cookies()
    page.locator(f"{form} button").first.click()
    sign_in_again(page)
    has(page, field, "typed")
    assert page.url == there
    page.locator(f"{form} button").first.click()
    page.wait_for_function("() => !Object.keys(sessionStorage).length")
    assert page.locator(".say p").count() == 0


def test_a_note_that_is_kept_drops_no_draft_of_a_reply(desk: Desk, sit_down: SitDown) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.click(f"#c-{one} .decide summary")
    page.fill(f"#reason-{one}", "Perhaps.")
    page.click(f"#c-{one} .replying summary")
    page.fill(f"#answer-{one}", "A draft.")
    page.click(f"#c-{one} .noting summary")
    page.fill(f"#note-{one}", "A note.")
    page.click(f"#c-{one} .noting button")
    page.wait_for_selector(f"#c-{one} .flash")
    has(page, f"answer-{one}", "A draft.")
    assert (page.input_value(f"#reason-{one}"), page.input_value(f"#note-{one}")) == ("Perhaps.", "")
    page.click(f"#c-{one} button.reject")
    page.wait_for_selector(f"#c-{one}.done")
    assert shelved(page) == [f"answer-{one}:"] and desk.comment(one).reason == "Perhaps."


def test_what_was_typed_for_one_site_fills_no_form_of_another(desk: Desk, sit_down: SitDown) -> None:
    own(desk, "anna")
    with desk.app.app_context():
        shop = add_site("shop", ["https://shop.example.org"])
        with transaction():
            anna = queries.moderator_at("anna@desk.example.org")
            assert anna
            accounts.grant(anna, shop.id, "owner", actor="test")
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/sites/blog")
    page.fill("#hold_words", "casino")
    page.fill("#privacy_text", "Kept for a week.")
    page.goto(f"{desk.url}/desk/sites/shop")
    page.keyboard.press("z")  # the script goes on to its end
    page.wait_for_selector("#live:has-text('There is nothing to undo here.')")
    assert (page.input_value("#hold_words"), page.input_value("#privacy_text")) == ("", "")
    page.goto(f"{desk.url}/desk/sites/blog")
    has(page, "hold_words", "casino")
    has(page, "privacy_text", "Kept for a week.")


def test_no_password_and_no_code_is_kept(desk: Desk, sit_down: SitDown) -> None:
    page = sit_down("anna")
    page.goto(f"{desk.url}/desk/account")
    page.fill("#old", PASSWORD)
    page.fill("#name", "Anna B.")
    assert shelved(page) == ["name:/desk/account"]


def test_a_role_that_was_taken_away_is_said_beside_the_comment(desk: Desk, sit_down: SitDown, watch: Watch) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.click(f"#c-{one} .noting summary")
    page.fill(f"#note-{one}", "Ask Bert.")
    with desk.app.app_context(), transaction():
        site, anna = site_of("blog"), queries.moderator_at("anna@desk.example.org")
        assert site and anna
        accounts.withdraw(anna, site.id, actor="test")
    for button in (".noting button", "button.approve"):
        page.click(f"#c-{one} {button}")
        told = "There is no comment by that id, or you have no role on its site."
        page.wait_for_selector(f"#c-{one}:not([aria-busy]) .say:has-text('{told}')")
    assert page.input_value(f"#note-{one}") == "Ask Bert." and desk.status(one) == "pending"
    watch.console[:] = [text for text in watch.console if "status of 404" not in text]


def test_an_erased_comment_is_said_to_be_one_and_no_word_is_lost(desk: Desk, sit_down: SitDown) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.click(f"#c-{one} .decide summary")
    page.fill(f"#reason-{one}", "Off topic, sadly.")
    author = desk.comment(one).author_id
    with desk.app.app_context(), transaction():
        authors.erase(author)
    page.click(f"#c-{one} button.reject")
    told = "Its author had this comment erased. There is nothing left to decide."
    page.wait_for_selector(f"#c-{one}:not([aria-busy]) .say:has-text('{told}')")
    assert page.input_value(f"#reason-{one}") == "Off topic, sadly." and desk.comment(one).reason is None
