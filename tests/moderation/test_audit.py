"""The audit log by API: whom it shows what, what it can be held to, and as a file."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.accounts import queries as accounts
from service.db import now
from service.moderation import exports
from service.sites.models import Site
from tests.conftest import add_site
from tests.moderation.conftest import Desk, token_of
from tests.moderation.still import clock as clock
from tests.moderation.still import said


def actions(desk: Desk, **query: Any) -> list[str]:
    answer = desk.get("/audit", **query)
    assert answer.status_code == 200, answer.text
    return [one["action"] for one in answer.json["entries"]]


def as_csv(desk: Desk, **query: Any) -> list[dict[str, str]]:
    answer = desk.get("/audit", format="csv", **query)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_it_is_held_to_a_moderator_in_person_and_by_token(
    app: Flask, client: FlaskClient, desk: Desk, site: Site
) -> None:
    bert = Desk(app, token_of("bert", site.id))
    desk.decide(str(said(client)), "approve")
    bert.decide(str(said(client)), "reject")
    found = accounts.moderator_at("bert@staff.example.org")
    assert found is not None
    assert actions(desk, moderator=str(found.id)) == ["comment.rejected"]


def test_it_is_held_to_a_time(client: FlaskClient, desk: Desk, clock: Any) -> None:
    one = str(said(client))
    clock.shift(timedelta(hours=1))
    begin = now().isoformat()
    desk.decide(one, "approve")
    clock.shift(timedelta(hours=1))
    end = now().isoformat()
    desk.decide(one, "spam", "*")
    assert actions(desk, since=begin, until=end) == ["comment.approved"]
    assert actions(desk, since=end) == ["comment.spam"]


def test_pages_of_it_follow_each_other(client: FlaskClient, desk: Desk) -> None:
    for _ in range(3):
        said(client)
    seen, cursor = [], None
    while True:
        query = {"limit": 2, "action": "comment.created"} | ({"cursor": cursor} if cursor else {})
        found = desk.get("/audit", **query).json
        seen += [one["id"] for one in found["entries"]]
        if (cursor := found["next"]) is None:
            break
    assert len(seen) == len(set(seen)) == 3


def test_a_cursor_of_another_list_is_refused(client: FlaskClient, desk: Desk) -> None:
    said(client)
    cursor = desk.get("/audit", limit=1).json["next"]
    answer = desk.get("/audit", limit=1, action="comment.created", cursor=cursor)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])


def test_the_file_holds_all_of_it_in_parts(client: FlaskClient, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_AT_ONCE", 2)
    one = str(said(client))
    desk.decide(one, "reject", reason="Spite, “quoted”,\nover two lines")
    whole = [row["id"] for row in desk.get("/audit", limit=100).json["entries"]]
    rows = as_csv(desk)
    assert [row["id"] for row in rows] == whole and len(whole) > 4
    assert (rows[0]["action"], rows[0]["site"], rows[0]["name"]) == ("comment.rejected", "blog", "test")
    assert rows[0]["reason"] == "Spite, “quoted”,\nover two lines"
    assert json.loads(rows[0]["details"])["to"] == "rejected"


def test_json_lines_are_the_same_rows(client: FlaskClient, desk: Desk) -> None:
    desk.decide(str(said(client)), "reject", reason="=1+1")
    answer = desk.get("/audit", format="jsonl")
    assert answer.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [row["id"] for row in rows] == [one["id"] for one in desk.get("/audit").json["entries"]]
    assert rows[0]["reason"] == "=1+1"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_spreadsheet_calculates_what_somebody_typed(client: FlaskClient, desk: Desk, text: str) -> None:
    desk.decide(str(said(client)), "reject", reason=text)
    (row,) = as_csv(desk, action="comment.rejected")
    assert row["reason"] == f"'{text}" and row["details"].startswith("{")


def test_what_needs_no_apostrophe_has_none(client: FlaskClient, desk: Desk) -> None:
    """Control for the test above."""
    desk.decide(str(said(client)), "reject", reason="1 = 1")
    (row,) = as_csv(desk, action="comment.rejected")
    assert row["reason"] == "1 = 1"


def test_what_was_erased_is_a_line_without_words(client: FlaskClient, desk: Desk) -> None:
    answer = client.post(
        "/v1/sites/blog/comments",
        json={"page": "/p", "name": "Ada", "email": "ada@mail.example.org", "body": "To be erased."},
    ).json
    desk.decide(answer["id"], "reject", reason="A word about Ada.")
    gone = client.delete("/v1/mine?everything=true", headers={"Authorization": f"Author {answer['author_token']}"})
    assert gone.status_code == 204
    (row,) = as_csv(desk, action="comment.rejected")
    assert (row["reason"], row["details"]) == ("", "")


def test_the_files_hold_nothing_of_another_site(app: Flask, client: FlaskClient, desk: Desk) -> None:
    other = add_site("other", ["https://other.example.org"])
    nora = Desk(app, token_of("nora", other.id))
    said(client)
    assert {row["site"] for row in as_csv(nora)} == {"other"}
    assert nora.get("/audit", format="csv", site="blog").status_code == 404


def test_only_admins_see_the_chain_of_the_install(app: Flask, desk: Desk, site: Site) -> None:
    admin = Desk(app, token_of("root", None, is_admin=True))
    assert any(row["action"] == "moderator.added" and row["site"] == "" for row in as_csv(admin))
    assert not any(row["action"] == "moderator.added" for row in as_csv(desk))


@pytest.mark.parametrize("query", [{"since": "x"}, {"until": "2026-01-01"}, {"format": "xml"}, {"moderator": "robin"}])
def test_an_odd_filter_is_refused_by_its_name(desk: Desk, query: dict[str, str]) -> None:
    answer = desk.get("/audit", **query)
    assert (answer.status_code, list(answer.json["errors"])) == (422, list(query))
