"""A moderator's own account at the desk: name, password, sessions, tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from service.accounts import passwords, queries
from service.accounts.models import ApiToken, Moderator, Passkey, SignIn
from service.audit.models import AuditEntry
from service.db import db, new_id, transaction
from service.sites.models import Site
from tests.desk.conftest import HOME, PASSWORD, Browser, fields, the_form, words

PAGE = "/desk/account"
ANNA = "anna@desk.example.org"
NEW = "another horse battery"
REPORT = {"name": "A report", "power": "read", "site": "blog", "days": "30"}


def me() -> Moderator:
    db.session.rollback()
    db.session.expire_all()
    found = queries.moderator_at(ANNA)
    assert found is not None
    return found


def deeds(action: str) -> int:
    return db.session.query(AuditEntry).filter_by(action=action).count()


def test_the_page_leads_from_the_desk_and_says_who_one_is(anna: Browser) -> None:
    assert f'href="{PAGE}"' in anna.get("/desk/").text
    page = anna.get(PAGE)
    assert ANNA in words(page) and 'value="Anna"' in page.text


def test_a_name_is_changed(anna: Browser) -> None:
    done = anna.press(anna.get(PAGE), "Change the name", name="  Anna   Ito ")
    assert (done.status_code, me().name) == (303, "Anna Ito")
    assert "Your name is changed." in words(anna.get(done.headers["Location"]))
    assert deeds("moderator.renamed") == 1


def test_a_name_that_is_none_is_refused_beside_its_form(anna: Browser) -> None:
    answer = anna.press(anna.get(PAGE), "Change the name", name="x" * 81)
    assert answer.status_code == 422
    assert "A name has 1 to 80 characters." in words(answer)
    assert me().name == "Anna"


def test_a_new_password_ends_every_other_session_and_keeps_this_one(
    anna: Browser, open_browser: Callable[[], Browser]
) -> None:
    other = open_browser()
    other.sign_in(ANNA)
    done = anna.press(anna.get(PAGE), "Change the password", old=PASSWORD, password=NEW)
    assert done.status_code == 303, words(done)
    assert "every other session has ended" in words(anna.get(done.headers["Location"]))
    assert other.get(PAGE).status_code == 303  # to the sign-in page
    assert passwords.fits(NEW, me().password)
    assert open_browser().sign_in(ANNA).status_code == 422
    assert open_browser().sign_in(ANNA, NEW).status_code == 303
    assert deeds("moderator.password") == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("a wrong password", NEW, "This is not your present password."),
        (PASSWORD, "short", "A password has at least 12 characters."),
        (PASSWORD, ANNA, "A password must not be the e-mail address."),
    ],
)
def test_a_password_is_not_changed(anna: Browser, old: str, new: str, told: str) -> None:
    answer = anna.press(anna.get(PAGE), "Change the password", old=old, password=new)
    assert (answer.status_code, told in words(answer)) == (422, True)
    assert new not in answer.text.replace(ANNA, "") or new == ANNA
    assert passwords.fits(PASSWORD, me().password)


def test_sessions_are_listed_and_ended_one_by_one_or_all(anna: Browser, open_browser: Callable[[], Browser]) -> None:
    others = [open_browser() for _ in range(3)]
    for one in others:
        one.sign_in(ANNA)
    page = anna.get(PAGE)
    assert words(page).count("This browser") == 1 and words(page).count("Another browser") == 3
    assert anna.press(page, "End it").status_code == 303
    assert sorted(one.get(PAGE).status_code for one in others) == [200, 200, 303]
    assert anna.press(anna.get(PAGE), "End all others").status_code == 303
    assert [one.get(PAGE).status_code for one in others] == [303, 303, 303]
    assert anna.get(PAGE).status_code == 200


def test_of_a_browser_a_few_words_are_kept(app: Flask, person: Callable[..., Moderator]) -> None:
    person("Anna")
    client = Browser(app, app.response_class, use_cookies=True)
    client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64; rv:151.0) Gecko/20100101 Firefox/151.0"
    client.sign_in(ANNA)
    assert db.session.query(SignIn).one().browser == "Firefox, Linux"
    assert "Firefox, Linux" in words(client.get(PAGE))


def test_nobody_ends_a_session_of_somebody_else(anna: Browser, signed_in: Callable[..., Browser]) -> None:
    bert = signed_in("Bert")
    theirs = db.session.query(SignIn).join(Moderator).filter(Moderator.name == "Bert").one().id
    page = anna.get(PAGE)
    form = fields(the_form(page.text, "Change the name", None)[0]) | {"deed": "end", "id": str(theirs)}
    answer = anna.post(PAGE, data=form, headers={"Origin": HOME})
    assert answer.status_code == 404 and "no open session of yours" in words(answer)
    assert bert.get(PAGE).status_code == 200


def test_a_token_is_shown_once_and_works_and_is_revoked(app: Flask, anna: Browser, site: Site) -> None:
    made = anna.press(anna.get(PAGE), "Make the token", **REPORT, old=PASSWORD)
    assert made.status_code == 200
    (secret,) = re.findall(r'value="(grm_[^"]+)"', made.text)
    page = anna.get(PAGE)
    assert secret not in page.text and "A report" in words(page)
    bearer = {"Authorization": f"Bearer {secret}"}
    assert app.test_client().get("/v1/moderation/comments", headers=bearer).status_code == 200
    assert db.session.query(ApiToken).one().scopes == ["read"]
    assert anna.press(page, "Revoke").status_code == 303
    db.session.rollback()
    db.session.expire_all()
    assert app.test_client().get("/v1/moderation/comments", headers=bearer).status_code == 401
    assert (deeds("token.issued"), deeds("token.revoked")) == (1, 1)


def test_a_token_needs_the_password(anna: Browser, site: Site) -> None:
    answer = anna.press(anna.get(PAGE), "Make the token", **REPORT, old="a wrong password")
    assert (answer.status_code, "This is not your present password." in words(answer)) == (422, True)
    assert 'value="A report"' in answer.text
    assert anna.press(anna.get(PAGE), "Make the token", **REPORT).status_code == 422
    assert db.session.query(ApiToken).count() == 0


def test_a_session_needs_the_password_at_the_api_too(anna: Browser, site: Site) -> None:
    csrf = fields(the_form(anna.get(PAGE).text, "Change the name", None)[0])["csrf_token"]
    told = {"name": "A report", "scopes": ["read"], "site": "blog"}
    headers = {"Origin": HOME, "X-CSRFToken": csrf, "Accept": "application/json", "Idempotency-Key": "one"}
    for typed in ({}, {"password": None}, {"password": ""}, {"password": "a wrong password"}):
        answer = anna.post("/v1/tokens", json=told | typed, headers=headers)
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["password"])
    assert db.session.query(ApiToken).count() == 0
    for status in (201, 201):
        answer = anna.post("/v1/tokens", json=told | {"password": PASSWORD}, headers=headers)
        assert answer.status_code == status, answer.text
    db.session.rollback()
    assert db.session.query(ApiToken).count() == 1


def test_a_new_password_tells_what_still_opens_the_account(anna: Browser, site: Site) -> None:
    for name in ("One", "Two", "Three"):
        anna.press(anna.get(PAGE), "Make the token", **REPORT | {"name": name}, old=PASSWORD)
    anna.press(anna.get(PAGE), "Revoke")
    with transaction():
        key = {"credential_id": b"1", "public_key": b"2", "sign_count": 0}
        db.session.add(Passkey(id=new_id(), moderator_id=me().id, name="Phone", **key))
    done = anna.press(anna.get(PAGE), "Change the password", old=PASSWORD, password=NEW)
    told = words(anna.get(done.headers["Location"]))
    assert "2 tokens still open your account." in told and "1 passkey still opens your account." in told
    assert "still open" not in words(anna.get(PAGE))


def test_a_token_for_a_site_of_others_cannot_be(anna: Browser, site: Site) -> None:
    answer = anna.press(anna.get(PAGE), "Make the token", **REPORT | {"site": "elsewhere"}, old=PASSWORD)
    assert answer.status_code == 404
    assert 'value="A report"' in answer.text
    assert db.session.query(ApiToken).count() == 0


def test_an_account_is_for_somebody_in_person(app: Flask, anna: Browser) -> None:
    made = anna.press(anna.get(PAGE), "Make the token", name="x", power="manage", days="", old=PASSWORD)
    (secret,) = re.findall(r'value="(grm_[^"]+)"', made.text)
    told: Any = {"headers": {"Authorization": f"Bearer {secret}", "Accept": "text/html"}}
    client = app.test_client()
    assert client.get(PAGE, **told).status_code == 403
    assert client.post(PAGE, data={"deed": "name", "name": "Mallory"}, **told).status_code == 403
    assert me().name == "Anna"


def test_a_forged_form_changes_nothing(anna: Browser) -> None:
    for data, origin in (({"deed": "name", "name": "M"}, HOME), (None, "https://evil.example")):
        form = data or fields(the_form(anna.get(PAGE).text, "Change the name", None)[0]) | {"name": "M"}
        assert anna.post(PAGE, data=form, headers={"Origin": origin}).status_code == 403
    assert me().name == "Anna"


def test_a_form_that_is_none_of_ours_is_refused(anna: Browser) -> None:
    form = fields(the_form(anna.get(PAGE).text, "Change the name", None)[0]) | {"deed": "become-admin"}
    assert anna.post(PAGE, data=form, headers={"Origin": HOME}).status_code == 422
