"""The settings of a site at the desk: explained, kept when they are wrong, told when they are stale, tried first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.accounts.models import Moderator
from service.db import db
from service.desk.sites import SETTINGS
from service.sites.models import Site
from service.sites.schemas import SiteSettings
from tests.comments.test_submitting import set_site
from tests.conftest import ORIGIN, add_site
from tests.desk.conftest import HOME, Browser, fields, text, the_form, tree, words

Leave = Callable[..., UUID]
PAGE = "/desk/sites/blog"


@pytest.fixture
def olga(signed_in: Callable[..., Browser]) -> Browser:
    return signed_in("Olga", "owner")


def filled(page: TestResponse) -> dict[str, str]:
    """What the form would send as it stands, with its lists and boxes."""
    form, _ = the_form(page.text, "Save", None)
    found = {name: value for name, value in fields(form).items() if name != "rating_halves"}
    for select in form.iter("select"):
        found[select.get("name", "")] = next(
            o.get("value", "") for o in select.iter("option") if "selected" in o.attrib
        )
    return found


def send(browser: Browser, page: TestResponse, deed: str = "save", **typed: str) -> TestResponse:
    return browser.post(PAGE, data=filled(page) | {"deed": deed} | typed, headers={"Origin": HOME})


def stored() -> Site:
    db.session.rollback()
    db.session.expire_all()
    return db.session.query(Site).filter_by(key="blog").one()


def test_every_setting_is_in_the_form_and_explained(olga: Browser) -> None:
    assert {one.name for one in SETTINGS} == set(SiteSettings().fields)
    page = tree(olga.get(PAGE).text)
    named = {
        one.get("name"): one for one in page.iter() if one.get("name") and one.tag in ("input", "select", "textarea")
    }
    ids = {one.get("id"): one for one in page.iter() if one.get("id")}
    for setting in SETTINGS:
        told = [ids[one] for one in named[setting.name].get("aria-describedby", "").split()]
        assert told and text(told[-1]).endswith("."), setting.name
        labels = [one for one in page.iter("label") if one.get("for") == setting.name or list(one.iter("input"))]
        assert labels, setting.name


def test_sites_are_listed_with_policy_and_role(olga: Browser) -> None:
    assert "Blog Every comment waits. Your role: Owner." in words(olga.get("/desk/sites"))


def test_settings_are_saved(olga: Browser) -> None:
    answer = send(
        olga, olga.get(PAGE), name="The Blog", mode="post", origins=f"{ORIGIN}\nhttps://two.example.org/\n",
        target_age_minutes="90", rating_max="10", rating_halves="true", close_after_days="", limit_submit="6/minute",
        max_links="",
    )  # fmt: skip
    assert answer.status_code == 303
    assert "Saved." in words(olga.get(answer.headers["Location"]))
    site = stored()
    assert (site.name, site.mode, site.origins) == ("The Blog", "post", [ORIGIN, "https://two.example.org"])
    assert (site.target_age_minutes, site.rating_max, site.rating_halves, site.close_after_days) == (90, 10, True, None)
    assert (site.limit_submit, site.limit_page, site.max_links) == ("6/minute", None, None)


def test_a_form_that_is_sent_as_it_is_changes_nothing(olga: Browser, site: Site) -> None:
    set_site(site, rating_max=5.0, target_age_minutes=60, limit_site="9/hour")
    set_site(site, privacy_url="https://blog.example.org/privacy")
    version = stored().version
    assert send(olga, olga.get(PAGE)).status_code == 303
    assert stored().version == version


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("target_age_minutes", "soon", "Not a valid integer."),
        ("depth", "", "Not a valid integer."),
        ("retention_days", "0", "Must be greater than or equal to 1"),
        ("rating_max", "many", "Not a valid number."),
        ("origins", "not an origin", ""),
        ("language", "<b>", "String does not match expected pattern."),
        ("name", "", "Length must be between 1 and 200."),
        ("privacy_url", "nowhere", "Not a valid URL."),
        ("limit_page", "many/minute", "Write a limit like 6/minute, or several like 6/minute;60/hour."),
        ("max_links", "-1", "Must be greater than or equal to 0"),
    ],
)
def test_what_cannot_be_taken_is_said_beside_its_field_and_all_is_kept(
    olga: Browser, name: str, value: str, said: str
) -> None:
    typed = {"privacy_text": "Typed at length.", "mode": "post"} | {name: value}
    answer = send(olga, olga.get(PAGE), **typed)
    assert answer.status_code == 422
    page = tree(answer.text)
    (wrong,) = [one for one in page.iter() if one.get("id") == f"{name}-wrong"]
    (field,) = [one for one in page.iter() if one.get("name") == name]
    assert said in text(wrong) and field.get("aria-invalid") == "true"
    assert f"{name}-wrong" in field.get("aria-describedby", "")
    kept = filled(answer)
    assert {one: kept[one] for one in typed} == typed
    assert stored().mode == "pre"


def test_a_scale_that_does_not_fit_keeps_what_was_typed(olga: Browser, site: Site, comment: Leave) -> None:
    set_site(site, rating_max=5.0)
    comment(rating=4)
    answer = send(olga, olga.get(PAGE), rating_max="10", name="Kept")
    assert answer.status_code == 409 and "There are ratings on another scale already." in words(answer)
    assert filled(answer)["name"] == "Kept"


def test_a_stale_form_is_told_and_nothing_is_lost(olga: Browser, site: Site) -> None:
    page = olga.get(PAGE)
    set_site(site, mode="post")
    answer = send(olga, page, name="Typed", privacy_text="Typed at length.")
    assert answer.status_code == 412
    assert "Somebody changed these settings since you looked." in words(answer)
    assert "It stands as “Comments are published at once” now." in words(answer)
    assert (filled(answer)["name"], filled(answer)["mode"]) == ("Typed", "pre")
    assert stored().name == "Blog"
    assert send(olga, answer, mode="post").status_code == 303
    assert (stored().name, stored().mode) == ("Typed", "post")


def test_a_policy_is_tried_before_it_is_saved(olga: Browser, comment: Leave) -> None:
    one = comment(name="Ada", body="Plain words.")
    answer = send(olga, olga.get(PAGE), deed="preview", mode="post", name="Typed")
    assert answer.status_code == 200
    assert "What it would have done to the last comment" in words(answer)
    assert "Ada : waiting → approved" in words(answer)
    assert f'href="/desk/comments/{one}"' in answer.text
    assert (filled(answer)["mode"], filled(answer)["name"], stored().mode) == ("post", "Typed", "pre")
    assert send(olga, answer).status_code == 303 and stored().mode == "post"


def test_a_policy_is_tried_on_several(olga: Browser, comment: Leave) -> None:
    comment(), comment(), comment(body="See https://a.example and https://b.example")
    told = words(send(olga, olga.get(PAGE), deed="preview", mode="post"))
    assert "What it would have done to the last 3 comments" in told
    assert "2 comments would be treated differently." in told and "The newest of them:" not in told
    assert "approved 0 2" in told and "waiting 3 1" in told


def test_who_may_not_change_them_sees_them(signed_in: Callable[..., Browser], site: Site) -> None:
    for name, role in (("Mona", "moderator"), ("Vera", "viewer")):
        browser = signed_in(name, role)
        page = browser.get(PAGE)
        assert page.status_code == 200 and "Only owners of the site can change them." in words(page)
        assert "Save</button>" not in page.text and "<fieldset disabled>" in page.text
        form, _ = the_form(page.text, "Sign out", None)
        sent = browser.post(PAGE, data=fields(form) | {"name": "Forged", "seen": "*"}, headers={"Origin": HOME})
        assert sent.status_code == 403 and stored().name == "Blog"


def test_another_sites_settings_are_not_there(signed_in: Callable[..., Browser], site: Site) -> None:
    nora = signed_in("Nora", "owner", add_site("news", ["https://news.example.org"]).id)
    assert nora.get(PAGE).status_code == 404 and "Blog" not in words(nora.get("/desk/sites"))
    data = filled(nora.get("/desk/sites/news")) | {"name": "Forged"}
    assert nora.post(PAGE, data=data, headers={"Origin": HOME}).status_code == 404


def test_a_form_without_its_token_is_refused(olga: Browser, app: Flask) -> None:
    data: dict[str, Any] = filled(olga.get(PAGE)) | {"name": "Forged", "csrf_token": ""}
    assert olga.post(PAGE, data=data, headers={"Origin": HOME}).status_code == 403
    assert stored().name == "Blog"
    assert db.session.query(Moderator).count() == 1


def test_long_lists_of_words_are_saved(olga: Browser) -> None:
    words_ = "\r\n".join(f"word {n} long enough" for n in range(20_000))
    assert len(words_) > 300_000
    assert send(olga, olga.get(PAGE), spam_words=words_ + "\r\n\r\n").status_code == 303
    assert len(stored().spam_words) == 20_000 and stored().hold_words == []


def test_a_wrong_word_is_said_beside_its_list(olga: Browser) -> None:
    answer = send(olga, olga.get(PAGE), hold_words="fine\n\n***\nalso fine")
    assert answer.status_code == 422
    assert "Line 3: Write a word or a phrase; a star may stand at its end." in words(answer)
    assert filled(answer)["hold_words"] == "fine\n\n***\nalso fine"


def test_to_try_settings_sees_nothing_that_another_owner_saved(olga: Browser, site: Site) -> None:
    page = olga.get(PAGE)
    set_site(site, hold_words=["poker"])
    tried = send(olga, page, "preview", hold_words="casino")
    assert tried.status_code == 200
    told = send(olga, tried)
    assert (told.status_code, stored().hold_words) == (412, ["poker"])
    assert "It stands as “poker” now." in words(told)
