"""The guard: who gets in, how far, and what it takes to change something."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy.exc import OperationalError

from service.accounts import operations, queries
from service.accounts.models import ApiToken
from service.accounts.principal import acting
from service.db import db, now, transaction
from tests.accounts.conftest import Browser, People, bearer

GETS_IN = {
    "viewer": {"read"},
    "moderator": {"read", "moderate"},
    "owner": {"read", "moderate", "manage"},
    "admin": {"read", "moderate", "manage"},
}
SCOPES = ("read", "moderate", "manage")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("role", GETS_IN)
def test_a_role_opens_what_it_should_on_its_site(people: People, browser: Browser, role: str, scope: str) -> None:
    site = people.site("here")
    who = people.moderator(is_admin=True) if role == "admin" else people.moderator(**{role: site})
    answer = browser.get(f"/sites/{site}/{scope}", headers=bearer(people.token(who)))
    assert answer.status_code == (200 if scope in GETS_IN[role] else 403)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("role", ["viewer", "moderator", "owner"])
def test_a_role_opens_nothing_on_another_site(people: People, browser: Browser, role: str, scope: str) -> None:
    there = people.site("there")
    who = people.moderator(**{role: people.site("here")})
    token = bearer(people.token(who))
    answer = browser.get(f"/sites/{there}/{scope}", headers=token)
    assert answer.status_code == 404
    assert answer.json["detail"] == browser.get(f"/sites/{uuid4()}/{scope}", headers=token).json["detail"]


@pytest.mark.parametrize("held", SCOPES)
@pytest.mark.parametrize("asked", SCOPES)
def test_a_token_opens_no_more_than_its_scopes(people: People, browser: Browser, held: str, asked: str) -> None:
    site = people.site("here")
    token = people.token(people.moderator(owner=site), held)
    answer = browser.get(f"/sites/{site}/{asked}", headers=bearer(token))
    assert answer.status_code == (200 if held == asked else 403)


def test_a_token_of_one_site_opens_nothing_on_the_owners_other_sites(people: People, browser: Browser) -> None:
    here, there = people.site("here"), people.site("there")
    who = people.moderator(owner=here)
    people.change(who, lambda one: operations.grant(one, there, "owner", actor="test"))
    token = bearer(people.token(who, site_id=here))
    assert browser.get(f"/sites/{here}/manage", headers=token).status_code == 200
    assert browser.get(f"/sites/{there}/read", headers=token).status_code == 404


def test_an_admins_token_of_one_site_is_no_admin(people: People, browser: Browser) -> None:
    here, there = people.site("here"), people.site("there")
    token = bearer(people.token(people.moderator(is_admin=True), site_id=here))
    assert browser.get(f"/sites/{here}/manage", headers=token).status_code == 200
    assert browser.get(f"/sites/{there}/read", headers=token).status_code == 404
    assert browser.post("/admin", headers=token).status_code == 403


def test_only_an_admin_who_may_manage_administers_the_install(people: People, browser: Browser) -> None:
    admin = people.moderator(is_admin=True)
    owner = people.moderator("owner@example.org", owner=people.site("here"))
    assert browser.post("/admin", headers=bearer(people.token(admin))).status_code == 200
    assert browser.post("/admin", headers=bearer(people.token(admin, "read"))).status_code == 403
    assert browser.post("/admin", headers=bearer(people.token(owner))).status_code == 403


def test_the_principal_says_where_it_may_do_what(people: People, browser: Browser) -> None:
    here, there, other = people.site("here"), people.site("there"), people.site("other")
    who = people.moderator(moderator=here)
    people.change(who, lambda one: operations.grant(one, there, "viewer", actor="test"))
    told = browser.get("/me", headers=bearer(people.token(who))).json
    assert told["sites"] == {"read": sorted([str(here), str(there)]), "moderate": [str(here)], "manage": []}
    told = browser.get("/me", headers=bearer(people.token(who, "read"))).json
    assert told["sites"]["moderate"] == []
    admin = people.moderator("root@example.org", is_admin=True)
    told = browser.get("/me", headers=bearer(people.token(admin))).json
    assert told["sites"]["manage"] == sorted([str(here), str(there), str(other)])


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer grm_", f"Bearer grm_{'x' * 43}", f"Bearer grm_{'ä' * 43}", "Basic YTpi", "grm_x"],
)
def test_a_stranger_is_asked_to_prove_who_it_is(app: Flask, browser: Browser, header: str) -> None:
    answer = browser.get("/me", headers={"Authorization": header.encode().decode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json["type"] == "/problems/sign-in-needed"


def test_a_good_token_gets_in_whatever_the_case_of_bearer(people: People, browser: Browser) -> None:
    token = people.token(people.moderator())
    assert browser.get("/me", headers={"Authorization": f"bearer  {token}"}).json["kind"] == "token"


def test_a_token_with_one_other_character_is_none(people: People, browser: Browser) -> None:
    token = people.token(people.moderator())
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert browser.get("/me", headers=bearer(changed)).status_code == 401


def test_an_expired_token_is_none(people: People, browser: Browser) -> None:
    token = people.token(people.moderator(), expires_at=now() + timedelta(hours=1))
    assert browser.get("/me", headers=bearer(token)).status_code == 200
    with time_machine.travel(now() + timedelta(hours=2)):
        assert browser.get("/me", headers=bearer(token)).status_code == 401


def test_a_revoked_token_is_none(people: People, app: Flask, browser: Browser) -> None:
    who = people.moderator()
    token = people.token(who)
    with app.app_context(), transaction():
        operations.revoke_token(queries.tokens_of(who)[0], actor="test")
    assert browser.get("/me", headers=bearer(token)).status_code == 401


def test_a_token_of_a_closed_account_is_none(people: People, browser: Browser) -> None:
    who = people.moderator()
    token = people.token(who)
    people.change(who, lambda one: operations.set_active(one, False, actor="test"))
    assert browser.get("/me", headers=bearer(token)).status_code == 401


def test_a_role_that_is_taken_away_is_gone_with_the_next_request(people: People, browser: Browser) -> None:
    site = people.site("here")
    who = people.moderator(moderator=site)
    browser.sign_in()
    token = bearer(people.token(who))
    assert browser.get(f"/sites/{site}/read").status_code == 200
    people.change(who, lambda one: operations.withdraw(one, site, actor="test"))
    assert browser.get(f"/sites/{site}/read").status_code == 404
    assert browser.get(f"/sites/{site}/read", headers=token).status_code == 404


def test_no_log_line_holds_a_token(people: People, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = people.token(people.moderator())
    browser.get("/me", headers=bearer(token))
    browser.get("/me", headers=bearer(token[:-1]))
    browser.post("/admin", headers=bearer(token))
    logging.getLogger("control").info("a line is caught")
    assert "a line is caught" in caplog.text
    assert "grm_" not in caplog.text and token[4:20] not in caplog.text


def test_a_new_token_does_not_print_its_secret(people: People, app: Flask) -> None:
    who = people.moderator()
    with app.app_context(), transaction():
        owner = queries.moderator_by_id(who)
        assert owner is not None
        issued = operations.issue_token(owner, operations.NewToken("x", ["read"]), actor="test")
        assert issued.secret not in repr(issued)
        assert issued.token.digest == operations.digest_of(issued.secret)


def test_a_bad_token_is_not_saved_by_a_good_session(people: People, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    assert browser.get("/me").status_code == 200
    assert browser.get("/me", headers=bearer(f"grm_{'x' * 43}")).status_code == 401


@pytest.mark.parametrize("path", ["/me", "/missing", "/sites/00000000-0000-0000-0000-000000000000/read"])
@pytest.mark.parametrize("known", [True, False])
def test_no_cache_keeps_what_a_guarded_door_says(people: People, browser: Browser, path: str, known: bool) -> None:
    headers = bearer(people.token(people.moderator())) if known else {}
    answer = browser.get(path, headers=headers)
    assert answer.headers["Cache-Control"] == "no-store"
    assert {"Cookie", "Authorization"} <= {one.strip() for one in answer.headers["Vary"].split(",")}


def test_a_view_that_forgot_its_scope_is_still_behind_the_guard(people: People, browser: Browser) -> None:
    assert browser.get("/unmarked").status_code == 401
    assert browser.get("/unmarked", headers=bearer(people.token(people.moderator()))).status_code == 200


def test_guarded_views_carry_their_scope_and_others_do_not(app: Flask) -> None:
    scopes = {name: getattr(view, "guarded_scope", None) for name, view in app.view_functions.items()}
    assert scopes["private.moderate"] == "moderate" and scopes["private.me"] == "read"
    assert scopes["private.unmarked"] is None and scopes["open_door"] is None


def test_an_open_door_reads_no_cookie_and_no_body(people: People, browser: Browser) -> None:
    people.moderator()
    browser.sign_in()
    answers = [browser.get("/open"), browser.post("/open", data="[" * 200_000, content_type="application/json")]
    for answer in answers:
        assert answer.status_code == 200
        assert "Vary" not in answer.headers and "Set-Cookie" not in answer.headers


def test_a_stranger_at_the_desk_is_shown_the_way_in(app: Flask, browser: Browser) -> None:
    answer = browser.get("/desk?status=pending")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/sign-in?next=/desk?status%3Dpending")
    assert browser.get("/desk", headers={"HX-Request": "true"}).status_code == 401
    assert browser.post("/desk").status_code in (401, 405)


def last_used(app: Flask) -> Any:
    with app.app_context():
        return db.session.query(ApiToken).one().last_used_at


def test_the_last_use_of_a_token_is_noted_once_a_minute(people: People, app: Flask, browser: Browser) -> None:
    token = bearer(people.token(people.moderator()))
    start = now()
    with time_machine.travel(start, tick=False) as clock:
        browser.get("/me", headers=token)
        first = last_used(app)
        clock.shift(30)
        browser.get("/me", headers=token)
        assert last_used(app) == first
        clock.shift(31)
        browser.get("/me", headers=token)
        assert last_used(app) > first


def test_a_busy_database_does_not_keep_a_reader_out(
    people: People, browser: Browser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = bearer(people.token(people.moderator()))
    tries = []

    def locked(_token_id: Any) -> None:
        tries.append(1)
        raise OperationalError("UPDATE", {}, Exception("database is locked"))

    monkeypatch.setattr(queries, "see_token", locked)
    assert [browser.get("/me", headers=token).status_code for _ in range(3)] == [200, 200, 200]
    assert (len(tries), last_used(app)) == (1, None)


def test_a_job_acts_with_the_rights_that_its_moderator_has_now(people: People, app: Flask) -> None:
    site = people.site("here")
    who = people.moderator(moderator=site)
    with app.app_context():
        found = acting(f"moderator:{who}")
        assert found is not None and found.may(site, "moderate") and not found.may(site, "manage")
        assert acting(f"moderator:{uuid4()}") is None
    people.change(who, lambda one: operations.set_active(one, False, actor="test"))
    with app.app_context():
        assert acting(f"moderator:{who}") is None


def test_nobody_hands_on_more_than_they_have(people: People, app: Flask) -> None:
    here, there = people.site("here"), people.site("there")
    who = people.moderator(owner=here)
    with app.app_context():
        person = acting(f"moderator:{who}")
        assert person is not None
        assert person.covers(["manage"], here) and person.covers(["read"], None)
        assert not person.covers(["read"], there)


def test_a_door_of_no_blueprint_is_guarded_too(people: People, app: Flask, browser: Browser) -> None:
    who = people.moderator()
    assert browser.post("/alone").status_code == 401
    assert browser.post("/alone", headers=bearer(people.token(who))).text == "a door of no blueprint"
    assert browser.post("/alone", headers=bearer(people.token(who, "manage"))).status_code == 403
    browser.sign_in()
    assert browser.post("/alone", headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.post_own("/alone").status_code == 200


def test_a_program_has_no_session_even_in_a_browser_that_has_one(people: People, browser: Browser) -> None:
    who = people.moderator()
    browser.sign_in()
    with browser.session_transaction() as session:
        mine = session["sign_in"]
    told = browser.get("/me").json
    assert (told["kind"], told["session"], told["account"]) == ("session", mine, "ada@example.org")
    told = browser.get("/me", headers=bearer(people.token(who))).json
    assert (told["kind"], told["session"], told["account"]) == ("token", "None", "ada@example.org")


def test_some_doors_are_for_somebody_in_person(people: People, browser: Browser) -> None:
    refused = browser.get("/in-person", headers=bearer(people.token(people.moderator())))
    assert (refused.status_code, refused.json["detail"]) == (403, "A token cannot do this. Sign in to the desk.")
    browser.sign_in()
    assert browser.get("/in-person").text == "done"
