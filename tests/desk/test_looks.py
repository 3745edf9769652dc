"""Every page of the desk, looked at by axe-core: in light colours on a desk, in dark ones on a telephone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import template_rendered, url_for
from passlib.totp import TOTP

from service.accounts import factors, invites
from service.accounts.principal import of_moderator
from service.db import db, new_id, now, transaction
from service.desk.pages import PLACES
from service.moderation import operations
from service.moderation.claims import take
from service.moderation.queries import Filter
from service.sites.queries import site_of
from service.webhooks import operations as webhooks
from service.webhooks.models import Attempt, Delivery
from service.webhooks.operations import Wanted
from service.webhooks.outbox import announce
from tests.browser import Watch, windows
from tests.widget.elsewhere import INSTALLED, installed

from .conftest import PASSWORD
from .seated import Desk, desk, watch

__all__ = ["desk", "watch"]

pytestmark = pytest.mark.browser

SIZES = ({"width": 1280, "height": 900}, {"width": 390, "height": 844})


FORMS = (
    ("/desk/people/{}", {}, ".ruling button.block", ".rules li"),
    ("/desk/rules", {"#value": "no name\nnor this one"}, ".ruling button.block", ".say p"),
    ("/desk/", {"[name=email]": "nobody@mail.example.org"}, ".finer form button", ".finer .say p"),
    ("/desk/team", {"#invited": "Bea"}, "text=Make a link", "#link"),
    ("/desk/account", {"#old-codes": PASSWORD}, "text=Set codes up", ".qr"),
    ("/desk/account", {"#token-name": "Importer", "#old-token": PASSWORD}, "text=Make the token", "#secret"),
    ("/desk/sites/blog", {}, "button[value=preview]", ".tried"),
    ("/desk/reasons", {}, "text=Keep this list", "[role=status], [role=alert] p"),
    ("/desk/webhooks", {"#url": "https://10.0.0.1/"}, "text=Add it", "#url-wrong"),
    ("/desk/webhooks", {"#url": "https://receiver.example.org/", "#note": "Our wiki"}, "text=Add it", "#secret"),
)  # fmt: skip
"""A page, what is typed there, the button that sends it, and what the answer shows."""

OPEN_ALL = "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"


@pytest.fixture
def look(chromium: Any, watch: Watch) -> Iterator[Callable[..., Any]]:
    """Opens windows of a size and a colour scheme that have axe-core, which no page's policy keeps out."""
    axe = (INSTALLED / installed("axe-core", "axe.min.js").removeprefix("/npm/")).read_text()
    opened = []

    def open_(scheme: str, size: dict[str, int]) -> Any:
        opening = windows(chromium, watch, color_scheme=scheme, viewport=size, reduced_motion="reduce")
        opened.append(opening)
        page = opening.__enter__()()
        page.context.add_init_script(axe)
        return page

    yield open_
    for one in opened:
        one.__exit__(None, None, None)


def barriers(page: Any) -> list[str]:
    page.wait_for_load_state()  # with its style sheets
    told = page.evaluate("() => axe.run(document)")
    assert len(told["passes"]) > 5, "axe looked at nothing"
    wide = page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    found = [f"{one['id']}: {node['html'][:150]}" for one in told["violations"] for node in one["nodes"]]
    return found + (["the page is wider than the window"] if wide else [])


See = Callable[[str], None]
"""Looks at what a window shows now, under a name."""


def as_a_moderator(desk: Desk, page: Any, see: See) -> None:
    one = desk.leave(name="Ada", body="Look: https://a.example and https://b.example", website="https://c.example/")
    desk.leave(name="Somebody with a name that goes on and on for all of eighty characters, or almost", body="x" * 400)
    sign_in(desk, page, "Anna", see)
    for path in addresses(desk, one):
        page.goto(f"{desk.url}{path}")
        see(path)
    page.goto(f"{desk.url}/desk/")
    page.click("#show-keys")
    see("keys")
    page.keyboard.press("Escape")
    page.locator("article details").first.click()
    page.keyboard.press("a")
    page.wait_for_selector("article.done")
    see("decided")


def as_a_moderator_on_a_busy_day(desk: Desk, page: Any, see: See) -> None:
    """A wave, a saved filter, a text with a past, and others who were faster."""
    wave = [desk.leave(email=f"{n}@a.example", body=f"Number {n}: https://spam.example/{n}") for n in range(3)]
    talked, token = desk.said(email="eve@mail.example.org", name="Eve", body="What was said first.")
    desk.decide("Bert", talked, "approve")
    with desk.app.app_context(), transaction():
        operations.edit(UUID(talked), "What Bert made of it.", of_moderator(desk.moderator("Bert")), "*")
    desk.report(talked, "It is rude.")
    desk.wants(talked, token, "What Eve would rather say.")
    waits = desk.leave(email="kim@mail.example.org", name="Kim", body="About horses.")
    with desk.app.app_context(), transaction():
        take(Filter([desk.comment(waits).site_id], q="horses"), "oldest", 1, of_moderator(desk.moderator("Bert")))
    sign_in(desk, page, "Anna")
    page.goto(f"{desk.url}/desk/?q=horses")
    page.click("text=Save this filter")
    page.fill("[name=name]", "Horses")
    see("a filter to be saved")
    page.click(".saved details button")
    page.goto(f"{desk.url}/desk/")
    for wanted in (".chip .count", "article.group", ".taken"):  # the count comes later than the page
        page.wait_for_selector(wanted)
    see("a wave, a saved filter and what somebody has taken")
    desk.decide("Bert", waits, "approve")
    page.click(f"#c-{waits} button.spam")
    page.wait_for_selector(f"#c-{waits}.trouble")
    see("an item with a conflict")
    page.goto(f"{desk.url}/desk/comments/{talked}")
    page.evaluate(OPEN_ALL)
    for wanted in (".change ins", ".diff >> nth=1", "text=It is rude."):
        page.wait_for_selector(wanted)
    see("a change that waits, revisions and reports")
    page.goto(f"{desk.url}/desk/?alike=host:spam.example&select=page")
    desk.decide("Bert", wave[0], "approve")
    page.click("#many button.spam")
    page.click(".flash >> text=Each of them")
    page.wait_for_selector("h2 >> text=Not decided")
    see("what became of many")


def as_an_admin(desk: Desk, page: Any, see: See) -> None:
    """Where there is a rule, a reason, an invitation, a token and codes from an app being set up."""
    one = desk.leave(
        name="Ada", email="admins@mail.example.org", body="https://d.example", website="https://c.example/"
    )
    desk.person("Olga", is_admin=True)
    sign_in(desk, page, "Olga")
    for path in [*addresses(desk, one), *hooked(desk)]:
        page.goto(f"{desk.url}{path}")
        see(path)
    for path, typed, button, answer in FORMS:
        page.goto(f"{desk.url}{path.format(one)}")
        page.evaluate(OPEN_ALL)
        see(f"{path}, all opened")
        for field, text in typed.items():
            page.fill(field, text)
        page.click(button)
        page.wait_for_selector(answer)
        see(f"{path} after {button}")


def hooked(desk: Desk) -> list[str]:
    """Pages with an endpoint that is given up, and one that has seen better and worse."""
    with desk.app.app_context(), transaction():
        site = site_of("blog")
        assert site
        off, on = (webhooks.add(site.id, Wanted(f"https://{one}.example.org/"), actor="test") for one in ("off", "on"))
        webhooks.disable(off.endpoint, "Nothing came through for five days.", actor="test")
        on.endpoint.failing_since = now()
        for state, status, error in (
            ("delivered", 200, None), ("failed", 500, None), ("blocked", None, "Nothing may be sent to a link."),
            ("pending", 503, None),
        ):  # fmt: skip
            event = announce("ping", site.id, on.endpoint.id, {})
            done = None if state == "pending" else now()
            sent = Delivery(id=new_id(), endpoint=on.endpoint, event_id=event, state=state, done_at=done)
            db.session.add(sent)
            db.session.flush()
            tried = {"delivery_id": sent.id, "endpoint_id": on.endpoint.id, "milliseconds": 7, "excerpt": "x" * 1_024}
            db.session.add(Attempt(status=status, error=error, **tried))
    places = [f"/desk/webhooks/{one.endpoint.id}" for one in (off, on)]
    return ["/desk/webhooks", "/desk/", *places, f"{places[1]}?state=failed&done=again"]


def as_a_newcomer(desk: Desk, page: Any, see: See) -> None:
    """By a link that is good for nothing, and by a good one; then signing in with a code as well."""
    desk.person("Orla", "owner")
    with desk.app.app_context():
        made_by, site = f"moderator:{desk.moderator('Orla').id}", site_of("blog")
        assert site
        with transaction():
            secrets = [invites.invite(site.id, role, "Kim", actor=made_by).secret for role in ("viewer", "moderator")]
    page.goto(f"{desk.url}/desk/sign-up#gri_nothing")
    page.wait_for_selector("[role=alert] p")
    see("no invitation")
    page.goto(f"{desk.url}/desk/sign-in")
    page.goto(f"{desk.url}/desk/sign-up#{secrets[0]}")
    page.wait_for_selector("#password")
    see("an invitation")
    for field, text in {"#email": "kim@desk.example.org", "#name": "Kim", "#password": PASSWORD}.items():
        page.fill(field, text)
    page.click("main button")
    page.wait_for_selector("#show-keys")
    see("an accepted invitation")
    page.goto(f"{desk.url}/desk/sign-up#{secrets[1]}")
    page.wait_for_selector("text=You are signed in as Kim.")
    see("an invitation for somebody who is here")
    with desk.app.app_context():
        kim = desk.moderator("Kim")
        with transaction():
            secret = factors.start(kim)
        with transaction():
            factors.confirm(kim, str(TOTP(secret).generate().token), factors.mark_of(secret))
    page.goto(f"{desk.url}/desk/")
    page.click("text=Sign out")
    page.fill("#email", "kim@desk.example.org")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_selector("#code")
    see("second step")
    page.fill("#code", "no code")
    page.click("main button")
    page.wait_for_selector("[role=alert] p")
    see("second step again")


WALKS = (as_a_moderator, as_a_moderator_on_a_busy_day, as_an_admin, as_a_newcomer)


@pytest.mark.parametrize(("scheme", "size"), [("light", SIZES[0]), ("dark", SIZES[1])], ids=["desk", "telephone"])
def test_no_page_has_a_barrier(
    desk: Desk, watch: Watch, look: Callable[..., Any], scheme: str, size: dict[str, int]
) -> None:
    found: dict[str, list[str]] = {}
    for walk in WALKS:
        page = look(scheme, size)
        walk(desk, page, lambda name, page=page: found.update({name: barriers(page)}))  # type: ignore[misc]
    assert {name: what for name, what in found.items() if what} == {}
    assert watch.breaches == []


def test_every_page_is_among_them(desk: Desk, look: Callable[..., Any]) -> None:
    """What is new has to find its place in one of the walks."""
    drawn, looked, pages = [""], set(), set(templates(desk))

    def note(_app: object, template: Any, **_more: object) -> None:
        drawn.extend({template.name} & pages)

    with template_rendered.connected_to(note, desk.app):
        for walk in WALKS:
            walk(desk, look("light", SIZES[0]), lambda _name: looked.add(drawn[-1]))
    assert pages - looked == set()


def templates(desk: Desk) -> list[str]:
    """The templates of the desk that are whole pages."""
    environment = desk.app.jinja_env
    assert environment.loader
    names = environment.list_templates(filter_func=lambda name: name.startswith("desk/"))
    found = [
        one for one in names if '{% extends "desk/base.html" %}' in environment.loader.get_source(environment, one)[0]
    ]
    assert len(found) > 10
    return found


def sign_in(desk: Desk, page: Any, name: str, see: See = lambda _name: None) -> None:
    page.goto(f"{desk.url}/desk/")
    see("sign in")
    page.fill("#email", f"{name}@desk.example.org")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_selector("#show-keys")


def addresses(desk: Desk, comment: str) -> list[str]:
    """Every page that the desk leads to from everywhere, and those behind it."""
    with desk.app.test_request_context():
        places = [url_for(endpoint) for endpoint, _ in PLACES]
    return [
        *places, "/desk/?status=all", "/desk/?select=page", "/desk/?select=all&has_link=true",
        "/desk/?status=spam&q=nobody", f"/desk/comments/{comment}", f"/desk/people/{comment}", "/desk/sites/blog",
        "/desk/filters", "/desk/sign-up", "/desk/nowhere",
    ]  # fmt: skip


def test_a_barrier_is_seen(desk: Desk, look: Callable[..., Any]) -> None:
    """A control: text that hardly differs from its ground, and a field without a name."""
    page = look("light", SIZES[0])
    page.goto(f"{desk.url}/desk/sign-in")
    page.evaluate(
        "() => { document.querySelector('h1').style.color = '#eee'; document.querySelector('label').remove(); }"
    )
    assert {one.partition(":")[0] for one in barriers(page)} == {"color-contrast", "label"}
