"""A site's settings by API: seen, changed knowing what was seen, and tried on what was said already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.comments.models import Comment
from service.comments.operations import write
from service.comments.restoring import restore
from service.db import new_id, now, transaction
from service.sites.models import Site
from service.sites.schemas import SiteSettings
from tests.comments.test_submitting import set_site
from tests.conftest import ORIGIN, add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import clock as clock
from tests.moderation.still import entries, row, said
from tests.support import post

LINKS = "See https://a.example.org and https://b.example.org"


@pytest.fixture
def owner(app: Flask, site: Site) -> Desk:
    return Desk(app, token_of("olga", site.id, "owner"))


def change(desk: Desk, if_match: str | None = "*", **values: Any) -> Any:
    headers = {"If-Match": if_match} if if_match else None
    return desk.call("PATCH", "/sites/blog", json=values, headers=headers)


def test_a_viewer_sees_every_setting(app: Flask, site: Site) -> None:
    viewer = Desk(app, token_of("vera", site.id, "viewer"))
    answer = viewer.get("/sites/blog")
    assert set(answer.json) == {*SiteSettings().fields, "key", "role", "version"}
    assert (answer.json["mode"], answer.json["origins"], answer.json["role"]) == ("pre", [ORIGIN], "viewer")
    assert answer.headers["ETag"] == f'"v{answer.json["version"]}"'


def test_an_owner_changes_settings_and_it_is_written_down(owner: Desk) -> None:
    seen = owner.get("/sites/blog").headers["ETag"]
    answer = change(owner, seen, mode="post", target_age_minutes=90, rating_max=10.0, rating_halves=True)
    assert answer.status_code == 200, answer.text
    assert (answer.json["mode"], answer.json["target_age_minutes"], answer.json["rating_max"]) == ("post", 90, 10)
    assert answer.headers["ETag"] != seen
    (entry,) = entries("site.changed")
    assert entry[0].startswith("token:") and entry[3]["before"]["mode"] == "pre"
    assert entry[3]["after"] == {"mode": "post", "target_age_minutes": 90, "rating_max": 10.0, "rating_halves": True}


def test_what_stands_so_already_is_no_change(owner: Desk) -> None:
    seen = owner.get("/sites/blog").headers["ETag"]
    assert change(owner, seen, mode="pre", origins=[ORIGIN + "/"]).headers["ETag"] == seen
    assert entries("site.changed") == []


def test_a_change_needs_to_say_what_was_seen(owner: Desk) -> None:
    answer = change(owner, None, mode="post")
    assert answer.status_code == 428 and answer.headers["ETag"] == owner.get("/sites/blog").headers["ETag"]


def test_a_stale_change_is_told_and_saves_nothing(owner: Desk) -> None:
    seen = owner.get("/sites/blog").headers["ETag"]
    change(owner, seen, name="First")
    answer = change(owner, seen, name="Second", mode="post")
    assert answer.status_code == 412 and "They were changed by test on" in answer.json["detail"]
    assert answer.headers["ETag"] == owner.get("/sites/blog").headers["ETag"]
    assert (owner.get("/sites/blog").json["name"], owner.get("/sites/blog").json["mode"]) == ("First", "pre")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "all"), ("origins", []), ("origins", ["nonsense"]), ("origins", "https://a.example"),
        ("target_age_minutes", 0), ("target_age_minutes", "60"), ("target_age_minutes", 1.5),
        ("retention_days", None), ("retention_days", True), ("rating_halves", "true"), ("rating_halves", 1),
        ("rating_max", "10"), ("depth", 11), ("language", "englisch"), ("name", ""), ("privacy_url", "example.org"),
        ("max_links", -1), ("max_links", 101), ("max_links", "2"), ("max_links", 1.5),
        ("limit_submit", ""), ("limit_page", "six/minute"), ("limit_site", "0/minute"), ("limit_page", "6/2year"),
        ("limit_submit", 6), ("limit_submit", "1000001/minute"), ("limit_submit", "1/minute;" * 11 + "1/minute"),
        ("limit_site", "1/99999999999999999999year"), ("colour", "red"),
    ],
)  # fmt: skip
def test_an_odd_value_is_refused_by_its_name(owner: Desk, name: str, value: Any) -> None:
    answer = change(owner, mode="post", **{name: value}) if name != "mode" else change(owner, mode=value)
    assert answer.status_code == 422 and [one.partition(".")[0] for one in answer.json["errors"]] == [name]
    assert owner.get("/sites/blog").json["mode"] == "pre"


def test_a_scale_that_ratings_do_not_fit_is_a_conflict(client: FlaskClient, owner: Desk) -> None:
    assert change(owner, rating_max=5).status_code == 200
    assert post(client, rating=4).status_code == 202
    assert change(owner, rating_max=10).status_code == 409
    assert change(owner, name="Still the same scale").status_code == 200


def test_moderators_may_not_and_others_find_nothing(app: Flask, desk: Desk, site: Site) -> None:
    assert change(desk, mode="post").status_code == 403
    assert desk.call("POST", "/sites/blog/policy-preview", json={}).status_code == 403
    other = add_site("other", ["https://other.example.org"])
    nora = Desk(app, token_of("nora", other.id, "owner"))
    assert nora.get("/sites/blog").status_code == change(nora, mode="post").status_code == 404
    assert nora.call("POST", "/sites/blog/policy-preview", json={}).status_code == 404


def tried(desk: Desk, **values: Any) -> dict[str, Any]:
    answer = desk.call("POST", "/sites/blog/policy-preview", json=values)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found


def test_a_policy_is_tried_on_what_was_said(client: FlaskClient, owner: Desk) -> None:
    said(client)
    held = str(said(client, body=LINKS))
    found = tried(owner, mode="post")
    assert (found["judged"], found["now"], found["then"]) == (
        2,
        {"approved": 0, "pending": 2, "spam": 0},
        {"approved": 1, "pending": 1, "spam": 0},
    )
    (one,) = found["first"]
    assert found["changed"] == 1 and one["id"] != held
    assert (one["now"], one["then"], one["reasons"]) == ("pending", "approved", [])
    assert len(found["not_known"]) == 4


def test_trying_changes_nothing(client: FlaskClient, owner: Desk) -> None:
    said(client)
    before = owner.get("/sites/blog").json
    tried(owner, mode="post", name="Another")
    assert owner.get("/sites/blog").json == before
    assert owner.get("/moderation/comments", status="pending").json["comments"]
    assert entries("site.changed") == []


def test_the_reasons_of_the_other_policy_are_told(client: FlaskClient, site: Site, owner: Desk) -> None:
    set_site(site, mode="post")
    said(client)
    (one,) = tried(owner, mode="first_timers")["first"]
    assert [reason["code"] for reason in one["reasons"]] == ["first-timer"]


def test_another_number_of_links_is_tried(client: FlaskClient, site: Site, owner: Desk) -> None:
    set_site(site, mode="post")
    said(client, body=LINKS)
    said(client, body="See https://a.example.org")
    strict, free = tried(owner, max_links=0), tried(owner, max_links=None)
    assert strict["now"] == free["now"] == {"approved": 1, "pending": 1, "spam": 0}
    assert strict["then"]["pending"] == 2 and free["then"]["approved"] == 2
    (one,) = strict["first"]
    assert [reason["detail"] for reason in one["reasons"]] == ["The text holds a link."]


@pytest.mark.parametrize("windows", ["6/minute", "6/minute;60/hour", "6 per 10 minutes, 60 per day", "1000000/year"])
def test_a_limit_is_saved_and_given_up_again(owner: Desk, windows: str) -> None:
    assert change(owner, limit_submit=windows).json["limit_submit"] == windows
    assert change(owner, limit_submit=None).json["limit_submit"] is None


def test_who_was_known_then_is_known_in_the_trial(client: FlaskClient, owner: Desk, clock: Any) -> None:
    first = post(client, body="The first.").json
    clock.shift(timedelta(minutes=1))
    owner.decide(first["id"], "approve")
    clock.shift(timedelta(minutes=1))
    again = post(client, headers={"Authorization": f"Author {first['author_token']}"}, body="The second.")
    assert again.status_code == 202
    found = tried(owner, mode="first_timers")
    assert [one["id"] for one in found["first"]] == [again.json["id"]]


def test_what_only_the_door_knew_is_known_by_what_was_found(client: FlaskClient, site: Site, owner: Desk) -> None:
    set_site(site, mode="post")
    post(client, honeypot="filled")
    found = tried(owner, mode="pre")
    assert (found["now"]["spam"], found["then"]["spam"], found["changed"]) == (1, 1, 0)


def test_what_is_erased_or_our_own_is_not_judged(client: FlaskClient, owner: Desk) -> None:
    one = post(client).json
    owner.call("POST", f"/moderation/comments/{one['id']}/reply", json={"body": "Ours.", "approve": True})
    assert tried(owner, mode="post")["judged"] == 1
    client.delete("/v1/mine?everything=true", headers={"Authorization": f"Author {one['author_token']}"})
    assert tried(owner, mode="post")["judged"] == 0


def test_only_the_last_500_are_tried(client: FlaskClient, owner: Desk, clock: Any) -> None:
    oldest = row(said(client, body=LINKS))
    later = now() + timedelta(minutes=1)
    with transaction():
        restore([(another(oldest, created_at=later), "pending") for _ in range(499)])
    assert tried(owner, mode="post")["then"] == {"approved": 499, "pending": 1, "spam": 0}
    with transaction():
        restore([(another(oldest, created_at=later), "pending")])
    found = tried(owner, mode="post")
    assert (found["judged"], found["changed"], found["then"]) == (500, 500, {"approved": 500, "pending": 0, "spam": 0})


def another(like: Comment, **more: Any) -> Comment:
    """One more on the same page, by the same person, as an import would bring it."""
    of_it = {name: getattr(like, name) for name in ("site_id", "page_id", "author_id", "name")}
    one = Comment(id=new_id(), is_moderator=False, reasons=[], **of_it, **more)
    write(one, "Plain words.", "md")
    return one


def test_of_many_the_newest_ten_are_shown(client: FlaskClient, owner: Desk, clock: Any) -> None:
    for n in range(12):
        clock.shift(timedelta(seconds=1))
        said(client, body=f"Number {n}.")
    found = tried(owner, mode="post")
    assert (found["changed"], [one["text"] for one in found["first"]]) == (
        12,
        [f"Number {n}." for n in range(11, 1, -1)],
    )


def test_words_hold_and_make_spam_from_then_on(client: FlaskClient, owner: Desk) -> None:
    answer = change(owner, mode="post", hold_words=["perhaps"], spam_words=["casin*", "cheap pills"])
    assert answer.json["spam_words"] == ["casin*", "cheap pills"]
    assert post(client, body="Plain words.").json["status"] == "approved"
    held, spam = post(client, body="Perhaps.").json, post(client, body="All casinos.").json
    assert (held["status"], spam["status"]) == ("pending", "pending")
    found = {one["id"]: one for one in owner.get("/moderation/comments").json["comments"]}
    assert (found[held["id"]]["status"], found[spam["id"]]["status"]) == ("pending", "spam")
    assert found[spam["id"]]["reasons"] == [{"code": "spam-word", "detail": "The site lists “casin*” as spam."}]
    change(owner, spam_words=[])
    assert post(client, body="More casinos.").json["status"] == "approved"


def test_of_a_changed_list_what_came_and_went_is_written_down(owner: Desk) -> None:
    change(owner, hold_words=["stays", "goes"])
    change(owner, hold_words=["stays", "comes"])
    entry = entries("site.changed")[-1]
    assert (entry[3]["before"], entry[3]["after"]) == ({"hold_words": ["goes"]}, {"hold_words": ["comes"]})


def test_words_are_tried_before_they_are_saved(client: FlaskClient, site: Site, owner: Desk) -> None:
    set_site(site, mode="post")
    said(client, body="All about casinos.")
    said(client, body="Plain words.")
    found = tried(owner, spam_words=["casin*"])
    assert (found["now"], found["then"]) == (
        {"approved": 2, "pending": 0, "spam": 0},
        {"approved": 1, "pending": 0, "spam": 1},
    )
    assert found["first"][0]["reasons"] == [{"code": "spam-word", "detail": "The site lists “casin*” as spam."}]


@pytest.mark.parametrize("word", ["", "  ", "...", "*", "a*b", "x" * 101, "a b c d e f g h i", "two\nlines", 7])
def test_what_is_no_word_is_refused(owner: Desk, word: Any) -> None:
    answer = change(owner, hold_words=[word])
    assert answer.status_code == 422 and list(answer.json["errors"]) == ["hold_words.0"]


def test_a_list_of_two_megabytes_is_taken_and_a_larger_one_is_not(owner: Desk) -> None:
    words = [f"word {n} {'x' * 25}" for n in range(49_000)]
    assert change(owner, hold_words=words).status_code == 200
    assert owner.get("/sites/blog").json["hold_words"] == words
    assert change(owner, hold_words=[f"{word}{'y' * 20}" for word in words]).status_code == 413
    assert change(owner, hold_words=["x"] * 50_001).status_code == 422
