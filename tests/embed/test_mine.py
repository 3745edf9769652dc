"""One's own comments without JavaScript: the page, its forms, and what it never tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from service.comments.models import Comment
from service.db import db, transaction
from service.embed import mine
from service.sites.models import Site
from tests.authors.conftest import Author, revisions
from tests.authors.conftest import ada as ada
from tests.authors.conftest import desk as desk
from tests.authors.conftest import held as held
from tests.authors.conftest import limited as limited
from tests.authors.conftest import said as said
from tests.embed.browser import HTML, by_id, parse, visit, words
from tests.moderation.conftest import Desk
from tests.support import post, thread

HOME = "http://127.0.0.1:8080"
POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'self'",
    "base-uri 'none'", "frame-ancestors 'none'",
}  # fmt: skip


def send(client: FlaskClient, headers: dict[str, str] | None = None, **typed: str) -> TestResponse:
    return client.post("/mine", data=typed, headers=HTML | {"Origin": "null"} | (headers or {}))


def opened(ada: Author, **typed: str) -> Element:
    answer = send(ada.client, token=ada.token, **typed)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def fields(form: Element) -> dict[str, str]:
    """What a form would send as it stands."""
    sent = {one.get("name", ""): one.get("value", "") for one in form.iter("input") if one.get("type") == "hidden"}
    return sent | {one.get("name", ""): (one.text or "").removeprefix("\n") for one in form.iter("textarea")}


def press(client: FlaskClient, page: Element, deed: str, **typed: str) -> TestResponse:
    """Press the first button of the page that does this."""
    (form, *_) = [one for one in page.iter("form") if any(b.get("value") == deed for b in one.iter("button"))]
    assert (form.get("method"), (form.get("action") or "").partition("#")[0]) == ("post", "/mine")
    return send(client, **fields(form) | {"deed": deed} | typed)


def deeds(page: Element) -> list[str]:
    return [one.get("value", "") for one in page.iter("button") if one.get("name") == "deed"]


def test_the_page_asks_for_the_private_link(client: FlaskClient, site: Site) -> None:
    answer = visit(client, "/mine")
    page = parse(answer.text)
    form = by_id(page, "gr-open")
    assert (form.get("method"), form.get("action")) == ("post", "/mine")
    assert by_id(page, "gr-token").get("type") == "password"
    assert [one.get("type") for one in page.iter("script")] == ["module"]
    assert not [one for one in page.iter("script") if one.text]


@pytest.mark.parametrize("token", [None, "gra_wrong"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_answer_keeps_to_itself(ada: Author, method: str, token: str | None) -> None:
    data = {"data": {"token": token or ada.token}} if method == "POST" else {}
    headers = ada.client.open("/mine", method=method, headers=HTML, **data).headers
    assert set(headers["Content-Security-Policy"].split("; ")) == POLICY
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "Access-Control-Allow-Origin" not in headers
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("shape", ["{}", f"{HOME}/mine#{{}}", "#{}", " {} "])
def test_the_link_and_its_token_open_the_list(ada: Author, held: str, shape: str) -> None:
    answer = send(ada.client, token=shape.format(ada.token))
    page = parse(answer.text)
    assert "Your comments on Blog" in words(page)
    article = by_id(page, f"comment-{held}")
    assert "Waits for a moderator" in words(article)
    assert [one.text for one in article.iter("em")] == ["fine"]


def test_the_token_stands_in_no_address(ada: Author, held: str) -> None:
    page = opened(ada)
    named = [value for one in page.iter() for name, value in one.items() if name != "value"]
    assert not [value for value in named if ada.token in value]
    assert ada.token in {one.get("value") for one in page.iter("input")}


@pytest.mark.parametrize("token", ["", "gra_wrong", "é", f"{HOME}/mine#"])
def test_a_link_that_is_nobodys_is_asked_for_again(client: FlaskClient, site: Site, token: str) -> None:
    answer = send(client, token=token)
    assert answer.status_code == 401
    assert "Nobody has this private link" in words(parse(answer.text))
    assert by_id(parse(answer.text), "gr-open").get("method") == "post"


@pytest.mark.parametrize(
    ("decision", "told"),
    [("approve", "Published"), ("reject", "Not published: a moderator turned it down"), ("delete", "Deleted"),
     ("spam", "Waits for a moderator")],
)  # fmt: skip
def test_each_state_is_told_in_words(ada: Author, desk: Desk, held: str, decision: str, told: str) -> None:
    desk.decide(held, decision)
    page = opened(ada)
    (state,) = [one for one in page.iter("p") if (one.get("class") or "").startswith("gr-state")]
    assert state.text == told
    assert deeds(page) == (["erase"] if decision == "delete" else ["edit", "withdraw", "erase"])


def test_a_text_is_changed(ada: Author, held: str) -> None:
    answer = press(ada.client, opened(ada), "edit", body="Now\r\nbetter.")
    page = parse(answer.text)
    assert (answer.status_code, ada.one()["body"]) == (200, "Now\nbetter.")
    assert "Your change is saved." in words(page)


def test_a_change_of_a_published_text_waits(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    answer = press(ada.client, opened(ada), "edit", body="Second.")
    assert "Your change waits for a moderator. Until then the text stays as it is." in words(parse(answer.text))
    assert revisions() == [("held", "Second.")]
    page = opened(ada)
    assert fields(next(iter(by_id(page, f"comment-{held}").iter("form"))))["body"] == "Second."


def test_a_change_that_changes_nothing_is_not_said_to_wait(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    published = ada.one()["body"]
    said = "The published text stays as it is. No change of yours waits."
    assert said in words(parse(press(ada.client, opened(ada), "edit").text))
    press(ada.client, opened(ada), "edit", body="Second.")
    answer = press(ada.client, opened(ada), "edit", body=published)
    assert said in words(parse(answer.text))
    assert "waits for a moderator" not in words(parse(answer.text))
    assert revisions() == []


def test_after_a_refusal_one_begins_with_what_is_published(ada: Author, desk: Desk, held: str) -> None:
    """As in the widget. What was refused stands above; saving the form as it is does not ask for it again."""
    desk.decide(held, "approve")
    published = ada.one()["body"]
    press(ada.client, opened(ada), "edit", body="Second.")
    with transaction():
        db.session.connection().exec_driver_sql("UPDATE comment_revisions SET state = 'refused'")
    article = by_id(opened(ada), f"comment-{held}")
    assert [one.text for one in article.iter("pre")] == ["Second."]
    assert fields(next(iter(article.iter("form"))))["body"] == published


def test_a_text_that_cannot_be_taken_stays_in_the_form(ada: Author, held: str) -> None:
    answer = press(ada.client, opened(ada), "edit", body="x" * 10_001)
    page = parse(answer.text)
    assert answer.status_code == 422
    assert "A comment has at most 10,000 characters. Yours has 10,001." in words(page)
    area = by_id(page, f"body-{held}")
    assert (area.text or "").strip() == "x" * 10_001
    assert area.get("aria-describedby") == f"error-{held}" == by_id(page, f"error-{held}").get("id")


def test_a_change_of_what_was_not_seen_stays_in_the_form_beside_what_is_there(ada: Author, held: str) -> None:
    before = opened(ada)
    ada.edit(held, body="From elsewhere.")
    answer = press(ada.client, before, "edit", body="From here.")
    page = parse(answer.text)
    assert answer.status_code == 412
    assert "This comment is not as you saw it any more." in words(page)
    assert "From elsewhere." in words(by_id(page, f"comment-{held}"))
    assert press(ada.client, page, "edit").status_code == 200
    assert ada.one()["body"] == "From here."


def test_a_comment_is_withdrawn(ada: Author, desk: Desk, held: str) -> None:
    desk.decide(held, "approve")
    answer = press(ada.client, opened(ada), "withdraw")
    assert "Your comment is withdrawn." in words(parse(answer.text))
    assert thread(ada.client)["comments"] == []


def test_mail_is_stopped(ada: Author) -> None:
    ada.say(body="Tell me.", notify=True)
    page = opened(ada)
    assert deeds(page).count("stop") == 1
    answer = press(ada.client, page, "stop")
    assert "You will get no mail about answers to this comment." in words(parse(answer.text))
    assert "stop" not in deeds(parse(answer.text))


def test_everything_is_erased_by_whoever_is_sure(ada: Author, held: str) -> None:
    page = opened(ada)
    assert press(ada.client, page, "erase").status_code == 422
    assert ada.one()["status"] == "pending"
    answer = press(ada.client, page, "erase", sure="true")
    assert answer.status_code == 200
    assert "Everything of yours is erased." in words(parse(answer.text))
    assert ada.token not in answer.text
    db.session.rollback()
    assert db.session.query(Comment).one().body == ""
    assert send(ada.client, token=ada.token).status_code == 401


def test_what_is_another_authors_is_not_there(ada: Author) -> None:
    other = post(ada.client, body="Another.", email="bea@mail.example.org").json["id"]
    for deed in ("edit", "withdraw", "stop"):
        answer = send(ada.client, token=ada.token, deed=deed, comment=other, body="Mine.")
        assert answer.status_code == 404
        assert "You have no comment by that id." in words(parse(answer.text))


def test_a_deed_with_a_broken_cursor_is_not_done(ada: Author, held: str) -> None:
    answer = send(ada.client, token=ada.token, deed="withdraw", comment=held, cursor="x")

    assert answer.status_code == 422
    assert db.session.query(Comment).one().status != "deleted"


@pytest.mark.parametrize("typed", [{"comment": "x"}, {"deed": "odd"}, {"cursor": "x"}, {"comment": "\0"}])
def test_odd_forms_are_answered_with_the_list(ada: Author, held: str, typed: dict[str, str]) -> None:
    answer = send(ada.client, **{"token": ada.token, "deed": "edit", "comment": held, "body": "Odd?"} | typed)
    assert answer.status_code in (200, 422)
    assert by_id(parse(answer.text), f"comment-{held}").tag == "article"


def test_older_comments_are_behind_a_button(ada: Author, held: str) -> None:
    for n in range(20):
        ada.say(body=f"Word {n}", page=f"/{n}")
    first = opened(ada)
    assert len(list(first.iter("article"))) == 20
    (form,) = [one for one in first.iter("form") if "gr-more" in (one.get("class") or "")]
    (button,) = form.iter("button")
    second = opened(ada, cursor=button.get("value", ""))
    assert [one.get("id") for one in second.iter("article")] == [f"comment-{held}"]
    assert "To the newest" in words(second)
    assert press(ada.client, second, "edit", body="Changed.").status_code == 200


@pytest.mark.parametrize(
    ("headers", "taken"),
    [
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": HOME, "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": HOME}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://blog.example.org"}, False),
        ({"Origin": "https://evil.example.com", "Sec-Fetch-Site": "same-origin"}, False),
    ],
)
def test_only_forms_of_this_page_are_taken(ada: Author, held: str, headers: dict[str, str], taken: bool) -> None:
    answer = send(ada.client, headers, token=ada.token, deed="withdraw", comment=held)
    assert answer.status_code == (200 if taken else 403)
    assert ada.one()["status"] == ("deleted" if taken else "pending")
    assert taken or ada.token not in answer.text


def test_only_forms_are_taken(ada: Author) -> None:
    assert ada.client.post("/mine", json={"token": ada.token}).status_code == 415


def test_each_address_has_a_limit_and_loses_no_words(
    ada: Author, held: str, limited: Callable[[str], FlaskClient]
) -> None:
    client = limited("1/minute")
    assert send(client, token=ada.token).status_code == 200
    answer = send(client, token=ada.token, deed="edit", comment=held, body="My words.")
    assert answer.status_code == 429
    page = parse(answer.text)
    assert "You can try again in" in words(page)
    again = press(ada.client, page, "edit")
    assert (again.status_code, ada.one()["body"]) == (200, "My words.")


def test_words_outlive_a_database_that_is_away(ada: Author, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("SELECT 1", None, Exception("away"))

    monkeypatch.setattr(mine.authors, "recognise", away)
    answer = send(ada.client, token=ada.token, deed="edit", comment=held, body="My words.")
    monkeypatch.undo()
    assert answer.status_code == 503
    assert press(ada.client, parse(answer.text), "edit").status_code == 200
    assert ada.one()["body"] == "My words."


def test_names_and_titles_are_text(app: Flask, client: FlaskClient, site: Site, desk: Desk) -> None:
    marked = "<b>Bold</b>"
    answer = post(client, name=marked, page_title=marked, body="`<i>`").json
    desk.decide(answer["id"], "approve")
    author = Author(app, answer["author_token"])
    author.edit(answer["id"], body="</pre><u>under</u>")
    page = opened(author)
    assert not [one for one in page.iter() if one.tag in ("i", "u")]
    assert [one.text for one in by_id(page, f"on-{answer['id']}").iter("a")] == [marked]


def test_the_script_is_a_file_of_ours(client: FlaskClient, site: Site) -> None:
    (script,) = parse(visit(client, "/mine").text).iter("script")
    answer = client.get(script.get("src", ""))
    assert (answer.status_code, answer.content_type) == (200, "text/javascript; charset=utf-8")
    assert "immutable" in answer.headers["Cache-Control"]
