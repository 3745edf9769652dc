"""Where events are sent, at the desk: who may, what stays in a refused form, and a secret that is shown once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask_babel import Domain
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.accounts import queries as people
from service.audit.models import AuditEntry
from service.db import db, transaction
from service.desk import deeds, endpoints, webhooks
from service.sites.models import Site
from service.webhooks import operations, policy
from service.webhooks.models import Endpoint
from service.webhooks.outbox import EVENT_TYPES
from tests.conftest import add_site
from tests.desk.conftest import HOME, Browser, fields, text, the_form, tree, words
from tests.desk.test_languages import Marked, unasked
from tests.webhooks.conftest import receiver as receiver
from tests.webhooks.conftest import send_due
from tests.webhooks.receiver import Receiver

PAGE = "/desk/webhooks"
URL = "https://receiver.example.org/hook"


@pytest.fixture
def olga(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in("Olga", "owner")


def filled(page: TestResponse, button: str, within: str | None = None) -> dict[str, Any]:
    """What the form that has a button would send as it stands."""
    form, pressed = the_form(page.text, button, within)
    found: dict[str, Any] = {}
    for one in form.iter():
        name = one.get("name", "")
        if one.get("type") == "checkbox":
            found[name] = found.get(name, []) + ([one.get("value")] if "checked" in one.attrib else [])
        elif one.tag == "select":
            options = list(one.iter("option"))
            found[name] = next((o for o in options if "selected" in o.attrib), options[0]).get("value", "")
        elif one.tag == "textarea":
            found[name] = (one.text or "").removeprefix("\n")
        elif one.tag == "input" and name:
            found[name] = one.get("value", "")
    return found | ({pressed.get("name", ""): pressed.get("value", "")} if pressed.get("name") else {})


def send(browser: Browser, page: TestResponse, button: str, within: str | None = None, **typed: Any) -> TestResponse:
    form, _ = the_form(page.text, button, within)
    data = filled(page, button, within) | typed
    return browser.post(form.get("action", ""), data=data, headers={"Origin": HOME})


def add(browser: Browser, url: str = URL, **typed: Any) -> str:
    """Add an endpoint; the address of its page."""
    answer = send(browser, browser.get(PAGE), "Add it", url=url, **typed)
    assert answer.status_code == 200, answer.text
    return the_form(answer.text, "Save", None)[0].get("action", "")


def secrets(page: TestResponse) -> list[str]:
    return re.findall(r'id="secret"[^>]* value="([^"]+)"', page.text)


def stored() -> list[Endpoint]:
    db.session.rollback()
    db.session.expire_all()
    return db.session.query(Endpoint).all()


def work() -> int:
    """What workers do, who have not looked at the database before; how many deliveries were tried."""
    db.session.rollback()
    return send_due()


def written(action: str) -> int:
    return db.session.query(AuditEntry).filter_by(action=action).count()


def test_owners_are_led_there_and_moderators_are_not(olga: Browser, anna: Browser) -> None:
    assert f'href="{PAGE}"' in olga.get("/desk/").text and f'href="{PAGE}"' not in anna.get("/desk/").text
    assert "You are the owner of no site." in words(anna.get(PAGE))


def test_an_endpoint_is_added_and_its_secret_is_shown_once(olga: Browser, receiver: Receiver) -> None:
    answer = send(olga, olga.get(PAGE), "Add it", url=receiver.url, events=["comment.approved"], note="Our wiki")
    (secret,) = secrets(answer)
    there = the_form(answer.text, "Save", None)[0].get("action", "")
    assert secret not in olga.get(there).text + olga.get(PAGE).text
    (one,) = stored()
    assert (one.url, one.events, one.note, one.format, one.include_email) == (
        receiver.url, ["comment.approved"], "Our wiki", "standard", False,
    )  # fmt: skip
    assert there == f"{PAGE}/{one.id}" and written("webhook.added") == 1
    listed = words(olga.get(PAGE))
    assert "127.0.0.1" in listed and "A comment was approved" in listed and "Our wiki" in listed
    assert "/hook" not in listed
    send(olga, olga.get(there), "Send a test")
    work()
    Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)


def test_the_same_form_sent_twice_adds_one_and_shows_no_secret_again(olga: Browser) -> None:
    page = olga.get(PAGE)
    first, again = (send(olga, page, "Add it", url=URL) for _ in range(2))
    assert len(secrets(first)) == 1 and secrets(again) == []
    assert "the secret was shown then" in words(again) and len(stored()) == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("url", "https://10.0.0.1/", "Nothing may be sent to a private network."),
        ("url", "https://2130706433/", "The address has no valid name of a host, or no valid port."),
        ("url", "http://receiver.example.org/", "The address has to begin with https://."),
        ("url", "", "This field is required."),
        ("url", "https://receiver.example.org/" + "x" * 2_000, "Length must be between 1 and 2000."),
        ("note", "x" * 201, "At most 200 characters."),
        ("format", "fax", "Must be one of:"),
        ("events", ["comment.sung", "comment.spam"], "Must be one of:"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("button", ["Add it", "Save"])
def test_what_cannot_be_taken_is_said_beside_its_field_and_all_is_kept(
    olga: Browser, button: str, name: str, value: Any, said: str
) -> None:
    page = olga.get(PAGE if button == "Add it" else add(olga))
    typed: dict[str, Any] = {"url": f"{URL}/2", "note": "Typed at length.", "events": ["comment.spam"]}
    typed |= {"format": "slack", "include_email": "true", name: value}
    before = len(stored())
    answer = send(olga, page, button, **typed)
    assert answer.status_code == 422
    (wrong,) = [one for one in tree(answer.text).iter() if one.get("id") == f"{name}-wrong"]
    assert said in text(wrong)
    described = [one for one in tree(answer.text).iter() if f"{name}-wrong" in one.get("aria-describedby", "")]
    assert described
    kept = filled(answer, button)
    typed |= {"include_email": ["true"]} | ({name: kept[name]} if name == "format" else {})
    typed["events"] = [one for one in typed["events"] if one in EVENT_TYPES]
    assert {one: kept[one] for one in typed} == typed
    assert len(stored()) == before and all(one.note == "" for one in stored())


def test_one_too_many_is_said_and_nothing_is_lost(olga: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_ENDPOINTS", 1)
    add(olga)
    answer = send(olga, olga.get(PAGE), "Add it", url=f"{URL}/2", note="Typed at length.")
    assert answer.status_code == 409 and "A site has 1 endpoints at most." in words(answer)
    assert filled(answer, "Add it")["note"] == "Typed at length." and len(stored()) == 1


def test_what_is_wanted_is_changed(olga: Browser) -> None:
    there = add(olga, events=["comment.spam"], note="Old", include_email="true")
    page = olga.get(there)
    assert filled(page, "Save")["events"] == ["comment.spam"] and filled(page, "Save")["include_email"] == ["true"]
    done = send(olga, page, "Save", url=f"{URL}/2", events=[], note="", format="discord", include_email=[])
    assert done.status_code == 303 and "Saved." in words(olga.get(done.headers["Location"]))
    (one,) = stored()
    assert (one.url, one.events, one.note, one.format, one.include_email) == (f"{URL}/2", [], "", "discord", False)


def test_a_form_that_is_sent_as_it_is_changes_nothing(olga: Browser) -> None:
    there = add(olga, events=["comment.spam"], note="First line.\nSecond line.", include_email="true")
    with transaction():
        db.session.query(Endpoint).update({"events": ["ping", "comment.spam"]})
    assert send(olga, olga.get(there), "Save").status_code == 303
    (one,) = stored()
    assert sorted(one.events) == ["comment.spam", "ping"] and one.note == "First line.\nSecond line."
    assert one.include_email


def test_a_new_secret_is_shown_once_beside_the_old_one(olga: Browser, receiver: Receiver) -> None:
    there = add(olga, receiver.url)
    page = olga.get(there)
    answer = send(olga, page, "Make a new secret")
    (secret,) = secrets(answer)
    assert "The old secret signs, too, until" in words(answer)
    assert secrets(send(olga, page, "Make a new secret")) == [] and written("webhook.rotated") == 1
    send(olga, olga.get(there), "Send a test")
    work()
    Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)


def test_it_is_removed_for_good(olga: Browser) -> None:
    there = add(olga)
    done = send(olga, olga.get(there), "Remove it")
    assert done.status_code == 303 and "its log is forgotten" in words(olga.get(done.headers["Location"]))
    assert stored() == [] and olga.get(there).status_code == 404


def test_whoever_owns_several_sites_says_which(olga: Browser) -> None:
    other = add_site("news", ["https://news.example.org"])
    assert '<select id="site"' not in olga.get(PAGE).text
    with transaction():
        me = people.moderator_at("olga@desk.example.org")
        assert me
        accounts.grant(me, other.id, "owner", actor="test")
    add(olga, site="news", note="Of the news")
    add(olga, site="blog", note="Of the blog")
    assert {one.site_id for one in stored() if one.note == "Of the news"} == {other.id}
    of_news = words(olga.get(f"{PAGE}?site=news"))
    assert "Of the news" in of_news and "Of the blog" not in of_news
    assert send(olga, olga.get(PAGE), "Add it", url=URL, site="").status_code == 422
    assert send(olga, olga.get(PAGE), "Add it", url=URL, site="elsewhere").status_code == 404


def test_the_list_is_paged(olga: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "LISTED", 1)
    add(olga, note="The first")
    add(olga, note="The second")
    page = olga.get(PAGE)
    assert "The second" in words(page) and "The first" not in words(page)
    (older,) = [one.get("href", "") for one in tree(page.text).iter("a") if one.get("rel") == "next"]
    assert "The first" in words(olga.get(older)) and "The second" not in words(olga.get(older))


def forged(browser: Browser, deed: str) -> dict[str, Any]:
    """What a page of this browser could send to any door."""
    told = {"url": "https://evil.example/", "since": "2026-01-01T00:00", "id": str(UUID(int=0)), "site": "blog"}
    return fields(the_form(browser.get("/desk/").text, "Sign out", None)[0]) | told | {"deed": deed}


@pytest.mark.parametrize("deed", webhooks._DEEDS)
def test_whoever_does_not_manage_the_site_can_do_nothing(
    olga: Browser, anna: Browser, signed_in: Callable[..., Browser], deed: str
) -> None:
    there = add(olga, note="Canary")
    nora = signed_in("Nora", "owner", add_site("news", ["https://news.example.org"]).id)
    for browser, status in ((anna, 403), (nora, 404)):
        page = browser.get(there)
        assert page.status_code == status and "Canary" not in page.text
        answer = browser.post(there, data=forged(browser, deed), headers={"Origin": HOME})
        assert answer.status_code == (404 if deed == "again" else status) and "Canary" not in answer.text
        added = browser.post(PAGE, data=forged(browser, deed), headers={"Origin": HOME})
        assert added.status_code == status
        assert "Canary" not in words(browser.get(PAGE))
    (one,) = stored()
    assert (one.url, one.note) == (URL, "Canary")
    assert {action for (action,) in db.session.query(AuditEntry.action) if "webhook" in action} == {"webhook.added"}


@pytest.mark.parametrize("deed", webhooks._DEEDS)
def test_a_forged_form_does_nothing(olga: Browser, deed: str) -> None:
    there = add(olga)
    whole = forged(olga, deed)
    for data, origin in ((whole | {"csrf_token": ""}, HOME), (whole, "https://evil.example"), (whole, "null")):
        for path in (there, PAGE):
            assert olga.post(path, data=data, headers={"Origin": origin}).status_code == 403
    (one,) = stored()
    assert one.url == URL and written("webhook.added") == 1


def test_a_form_that_is_none_of_ours_is_refused(olga: Browser) -> None:
    there = add(olga)
    assert olga.post(there, data=forged(olga, "become-admin"), headers={"Origin": HOME}).status_code == 422


def test_what_an_owner_types_is_text(olga: Browser) -> None:
    evil = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>"
    there = add(olga, note=evil)
    refused = send(olga, olga.get(PAGE), "Add it", url=f'"><script>alert(1)</script>{URL}', note=evil)
    for page in (olga.get(PAGE), olga.get(there), refused):
        assert "<script>alert" not in page.text and "<img" not in page.text and "&lt;img" in page.text


def test_everything_that_can_be_shown_has_words() -> None:
    assert set(endpoints.EVENTS) == set(EVENT_TYPES)
    assert (set(endpoints.FORMATS), set(endpoints.STATES)) == (set(policy.FORMATS), set(policy.STATES))
    source = "".join(one.read_text() for one in Path(operations.__file__).parent.glob("*.py"))
    actions = set(re.findall(r'"(webhook\.[a-z]+)"', source))
    assert len(actions) >= 8 and actions <= {action for action, _ in deeds.deeds()}


def test_the_pages_say_nothing_that_is_not_in_the_catalogs(
    olga: Browser, site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = add(olga, receiver.url, note="Xyzzy", include_email="true")
    receiver.answers, receiver.body = [(500, {}), (410, {})], b"Xyzzy"
    for _ in range(2):
        send(olga, olga.get(there), "Send a test")
        work()
    monkeypatch.setattr(Domain, "get_translations", lambda self: Marked())
    known = ("Greenroom", "Olga", "Xyzzy", "Slack", "Discord", "Telegram", "http", "hook", site.name)
    for path in (PAGE, there, f"{there}?state=blocked", f"{there}?done=tested", f"{PAGE}?done=removed", "/desk/"):
        page = olga.get(path, headers={"Accept-Language": "de"})
        assert "⟦" in page.text and unasked(page.text, *known) == [], path
