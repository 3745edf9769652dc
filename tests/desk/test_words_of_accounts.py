"""The pages about accounts speak the reader's language: each sentence of theirs is one that translators know."""

from __future__ import annotations

from collections.abc import Callable

import flask_babel
import pytest

from service.accounts import factors, invites, queries
from service.accounts import operations as accounts
from service.accounts.models import Passkey
from service.accounts.operations import NewToken
from service.db import db, transaction
from service.sites.models import Site
from tests.desk.conftest import HOME, Browser
from tests.desk.test_languages import Marked, unasked

KNOWN = ("Greenroom", "Anna", "Olga", "Xyzzy", "Blog", "desk.example.org", "olga", "localhost")


def test_pages_say_nothing_that_is_not_in_the_catalogs(
    signed_in: Callable[..., Browser], anna: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = signed_in("Olga", "owner")
    with transaction():
        me = queries.moderator_at("olga@desk.example.org")
        assert me
        secret = invites.invite(site.id, "viewer", "Xyzzy", actor=f"moderator:{me.id}").secret
        accounts.issue_token(me, NewToken("Xyzzy", ["read", "manage"], site.id), actor="test")
        accounts.issue_token(me, NewToken("Xyzzy", ["moderate"]), actor="test")
        key = {"credential_id": b"x", "public_key": b"x", "sign_count": 0}
        db.session.add(Passkey(moderator_id=me.id, name="Xyzzy", **key))
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda self: Marked())
    german = {"Accept-Language": "de"}
    for path in ("/desk/account", "/desk/team", "/desk/team?done=role", "/desk/account?done=name", "/desk/sign-up"):
        page = olga.get(path, headers=german)
        assert "⟦" in page.text and unasked(page.text, *KNOWN) == [], path
    assert unasked(anna.get("/desk/team", headers=german).text, *KNOWN) == []
    told = {"headers": german | {"Origin": HOME}}
    for form in ({"invite": secret}, {"invite": "x"}):
        assert unasked(olga.post("/desk/sign-up", data=form, **told).text, *KNOWN) == []
        assert unasked(Browser(olga.application).post("/desk/sign-up", data=form, **told).text, *KNOWN) == []


def test_the_second_step_says_nothing_that_is_not_in_the_catalogs(
    anna: Browser, open_browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        me = queries.moderator_at("anna@desk.example.org")
        assert me
        secret = factors.start(me)
    from passlib.totp import TOTP

    with transaction():
        factors.confirm(me, str(TOTP(secret).generate().token), factors.mark_of(secret))
    browser = open_browser()
    assert browser.sign_in(me.email).headers["Location"] == "/desk/sign-in/code"
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda self: Marked())
    for one, path in ((anna, "/desk/account"), (browser, "/desk/sign-in/code")):
        assert unasked(one.get(path, headers={"Accept-Language": "de"}).text, *KNOWN, "anna") == [], path
