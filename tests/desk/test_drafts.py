"""A draft goes over nothing that somebody else wrote meanwhile, and is not lost by it, in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page

from service.accounts import operations as accounts
from service.accounts.principal import of_moderator
from service.db import transaction
from service.moderation import operations, policies
from service.sites import reasons
from service.sites.queries import reasons_of, site_of
from tests.browser import Watch
from tests.conftest import add_site
from tests.desk.seated import Desk
from tests.desk.seated import desk as desk
from tests.desk.seated import sit_down as sit_down
from tests.desk.seated import watch as watch
from tests.desk.test_pages_seen import own
from tests.desk.test_typed import has, sign_in_again

pytestmark = pytest.mark.browser

SitDown = Callable[[str], Any]


def save_words(desk: Desk, words: list[str]) -> None:
    """Another owner saves a list of words."""
    with desk.app.app_context(), transaction():
        site = site_of("blog")
        assert site
        policies.change_settings(site, {"hold_words": words}, of_moderator(desk.moderator("bert")), policies.etag(site))


def held(desk: Desk) -> list[str]:
    with desk.app.app_context():
        site = site_of("blog")
        assert site
        return list(site.hold_words)


def leave_a_draft(desk: Desk, page: Page, path: str, field: str, typed: str) -> None:
    page.goto(f"{desk.url}/desk/{path}")
    if field == "#body":
        page.click("#text summary")
    page.fill(field, typed)
    page.goto(f"{desk.url}/desk/numbers")


@pytest.fixture
def owner(desk: Desk, sit_down: SitDown) -> Any:
    own(desk, "anna")
    own(desk, "bert")
    return sit_down("anna")


def test_a_draft_does_not_go_over_what_another_owner_saved(desk: Desk, owner: Any) -> None:
    leave_a_draft(desk, owner, "sites/blog", "#hold_words", "casino")
    save_words(desk, ["poker"])
    owner.goto(f"{desk.url}/desk/sites/blog")
    owner.wait_for_selector(".draft blockquote:text-is('casino')")
    assert owner.input_value("#hold_words") == "poker"
    owner.select_option("#mode", "post")
    owner.click("text=Save")
    owner.wait_for_selector(".flash")
    assert held(desk) == ["poker"]
    owner.wait_for_selector(".draft")  # nobody has let go of it


def test_what_is_offered_can_be_put_in_and_let_go(desk: Desk, owner: Any) -> None:
    leave_a_draft(desk, owner, "sites/blog", "#hold_words", "casino")
    save_words(desk, ["poker"])
    owner.goto(f"{desk.url}/desk/sites/blog")
    owner.fill("#hold_words", "bingo")
    owner.click(".draft >> text=Put it in")
    has(owner, "hold_words", "casino")
    assert owner.inner_text(".draft blockquote") == "bingo"  # and takes its place
    owner.click(".draft >> text=Let go of it")
    owner.wait_for_selector(".draft", state="detached")
    owner.reload()
    has(owner, "hold_words", "casino")
    owner.click("text=Save")
    owner.wait_for_selector(".flash")
    owner.wait_for_function("() => !Object.keys(sessionStorage).length")
    assert held(desk) == ["casino"]


def test_a_text_that_another_moderator_changed_stays_theirs(desk: Desk, sit_down: SitDown) -> None:
    one = desk.leave(body="As it was.")
    page = sit_down("anna")
    leave_a_draft(desk, page, f"comments/{one}", "#body", "By Anna.")
    with desk.app.app_context(), transaction():
        operations.edit(UUID(one), "By Bert.", of_moderator(desk.moderator("bert")), "*")
    page.goto(f"{desk.url}/desk/comments/{one}")
    page.wait_for_selector("#text[open] .draft blockquote:text-is('By Anna.')")
    assert page.input_value("#body") == "By Bert."


def test_a_sentence_that_another_owner_changed_stays_theirs(desk: Desk, owner: Any) -> None:
    field = "#sentence-blog-off-topic"
    leave_a_draft(desk, owner, "reasons", field, "By Anna.")
    with desk.app.app_context(), transaction():
        site = site_of("blog")
        assert site
        rows = [row | {"sentence": "By Bert."} for row in reasons.told(reasons_of([site.id])[site.id])]
        reasons.replace(site, [reasons.Wanted(**row) for row in rows], actor="test", if_match="*")
    owner.goto(f"{desk.url}/desk/reasons")
    owner.wait_for_selector(".draft blockquote:text-is('By Anna.')")
    assert owner.input_value(field) == "By Bert."


def test_what_comes_back_refused_is_nobody_elses(desk: Desk, owner: Any, watch: Watch) -> None:
    """It stands in the form as it was sent, and what is typed on is a draft over the same words."""
    owner.goto(f"{desk.url}/desk/sites/blog")
    owner.fill("#hold_words", "casino")
    owner.fill("#depth", "99")
    owner.click("text=Save")
    owner.wait_for_selector("#depth-wrong")
    owner.wait_for_load_state()  # with its scripts
    owner.fill("#hold_words", "casino\npoker")
    for _ in range(2):
        owner.goto(f"{desk.url}/desk/sites/blog")
        has(owner, "hold_words", "casino\npoker")
    assert owner.locator(".draft").count() == 0
    watch.console[:] = [text for text in watch.console if "status of 422" not in text]


@pytest.mark.parametrize(
    ("path", "field", "typed", "form"),
    [
        ("people/{one}", "#until", "2999-12-31", "form.ruling"),
        ("webhooks", "#url", "https://hooks.example.org/1", "form[aria-labelledby=new]"),
        ("webhooks", "#format", "slack", "form[aria-labelledby=new]"),
        ("webhooks", "[value='comment.spam']", True, "form[aria-labelledby=new]"),
        ("sites/blog", "[name=rating_halves]", True, "form.settings"),
        ("?q=forge", "[name=email]", "ada@example.org", "form:has([name=email])"),
        ("team", "li:has-text('Bert') [name=role]", "viewer", "li:has-text('Bert') form:has(select)"),
    ],
)
def test_no_field_of_any_kind_is_lost_when_a_session_ends(
    desk: Desk, owner: Any, path: str, field: str, typed: str | bool, form: str
) -> None:
    """A rule whose last day was lost would hold for good."""
    one = desk.leave(body="Well forged.")
    there = f"{desk.url}/desk/{path.format(one=one)}"
    owner.goto(there)
    owner.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    if typed is True:
        owner.check(field)
    elif owner.locator(field).evaluate("one => one.matches('select')"):
        owner.select_option(field, typed)
    else:
        owner.fill(field, typed)
    owner.context.clear_cookies()
    owner.locator(form).evaluate("form => form.submit()" if "webhooks" in path else "form => form.requestSubmit()")
    sign_in_again(owner)
    owner.wait_for_url(there)
    owner.wait_for_load_state()  # with its scripts
    now = owner.locator(field).evaluate("one => one.type === 'checkbox' ? one.checked : one.value")
    assert now == typed


def test_what_is_chosen_on_one_site_is_not_put_in_on_another(desk: Desk, owner: Any) -> None:
    with desk.app.app_context():
        zine = add_site("zine", ["https://zine.example.org"])
        with transaction():
            for name in ("anna", "bert"):
                accounts.grant(desk.moderator(name), zine.id, "owner", actor="test")
    role = "li:has-text('Bert') [name=role]"
    owner.goto(f"{desk.url}/desk/team?site=blog")
    owner.select_option(role, "viewer")
    owner.select_option("#role", "owner")
    owner.goto(f"{desk.url}/desk/team?site=zine")
    owner.wait_for_load_state()
    invited = owner.input_value("#role")
    assert (owner.input_value(role), invited) == ("owner", "moderator")
    assert owner.locator(".draft").count() == 0
    owner.goto(f"{desk.url}/desk/team?site=blog")
    owner.wait_for_function("() => document.getElementById('role').value === 'owner'")
    assert owner.input_value(role) == "viewer"


def test_why_many_were_to_be_rejected_is_not_said_of_others(desk: Desk, sit_down: SitDown) -> None:
    one = desk.leave()
    page = sit_down("anna")
    page.check(f"#c-{one} .pick")
    page.select_option("#many .rejection", index=1)
    page.goto(f"{desk.url}/desk/?sort=newest")
    page.wait_for_load_state()
    assert page.input_value("#many .rejection") == ""
