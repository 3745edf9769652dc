"""Reporting: moderators are told, the reader learns nothing, and enough reports put a comment back in the queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.audit.models import AuditDetail, AuditEntry
from service.audit.operations import verify
from service.comments.models import HoldReason
from service.db import db, now
from service.reactions import worker
from service.reactions.models import Report
from service.sites.models import Site
from service.webhooks.models import Event
from tests.comments.test_at_once import all_at_once
from tests.comments.test_submitting import set_site
from tests.conftest import ORIGIN, add_site
from tests.desk.conftest import Browser, tree, words
from tests.moderation.conftest import Desk
from tests.support import post, thread

from .conftest import device, one, react

READERS = 8


def report(app: Flask, comment_id: str, n: int = 0, **values: Any) -> None:
    answer = react(app, "report", comment_id, n, **({"reason": "spam"} | values))
    assert (answer.status_code, answer.json) == (202, {"reported": True})


def rows() -> list[Report]:
    db.session.rollback()
    return list(db.session.scalars(select(Report).order_by(Report.id)))


def flagged() -> list[dict[str, Any]]:
    """What the events of this kind carry."""
    return [event.data for event in events("comment.flagged")]


def events(*types: str) -> list[Event]:
    db.session.rollback()
    return list(db.session.scalars(select(Event).where(Event.type.in_(types)).order_by(Event.id)))


def why() -> list[str]:
    """What moderators read of reports, among the reasons of the one comment."""
    return [reason.detail for reason in one().reasons if reason.code == "reported"]


def test_a_report_is_kept_and_told_to_moderators(app: Flask, desk: Desk, said: str) -> None:
    report(app, said, reason="private", note="My  number\nstands here.")
    told = desk.get(f"/moderation/comments/{said}").json
    assert [(row["reason"], row["note"]) for row in told["reports"]] == [("private", "My  number\nstands here.")]
    assert told["reports"][0]["at"].endswith("Z")
    assert told["reasons"] == [{"code": "reported", "detail": "Readers reported this: once, as private details."}]
    assert told["risk"] > 0
    found = desk.get("/moderation/comments", reason="reported", sort="risk").json["comments"]
    assert [row["id"] for row in found] == [said]


def test_it_is_audited_and_announced_and_nobody_learns_by_whom(app: Flask, said: str) -> None:
    report(app, said, reason="abuse", note="He means me.")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "comment.flagged")).one()
    detail = db.session.scalars(select(AuditDetail).where(AuditDetail.entry_id == entry.id)).one()
    assert (entry.actor, str(entry.subject_id), detail.details) == ("reader", said, {"reason": "abuse", "reports": 1})
    assert all(verdict.broken is None for verdict in verify())
    (data,) = flagged()
    assert (data["actor"], data["reason"], data["reports"]) == ("reader", "abuse", 1)
    assert (data["comment"]["id"], data["comment"]["reasons"]) == (said, ["reported"])
    (row,) = rows()
    assert len(row.device_digest) == 32 and len(row.network_label or "") == 16
    for kept in (repr(vars(row)), repr(data)):
        assert device(0) not in kept and "203.0" not in kept


def test_more_reports_are_one_reason_that_weighs_more(app: Flask, said: str) -> None:
    report(app, said, 0)
    before = one().risk
    report(app, said, 1, reason="off-topic")
    report(app, said, 2, reason="other")
    assert why() == ["Readers reported this: 3 times, last as something else."]
    assert one().risk == 3 * before > 0
    assert [data["reports"] for data in flagged()] == [1, 2, 3]


def test_a_second_report_of_a_device_or_a_network_is_not_counted_and_told_the_same(app: Flask, said: str) -> None:
    report(app, said)
    before = (one().risk, why())
    report(app, said, network=9, reason="abuse")
    report(app, said, 1, network=0, reason="abuse")
    assert (one().risk, why()) == before
    assert (len(rows()), len(flagged())) == (1, 1)


def test_the_reason_stands_beside_those_that_were_there(app: Flask, client: FlaskClient, desk: Desk) -> None:
    held = post(client).json["id"]
    desk.decide(held, "approve")
    report(app, held)
    assert [(reason.n, reason.code) for reason in one().reasons] == [(0, "pre-moderation"), (1, "reported")]


def test_a_report_makes_no_decision_stale(app: Flask, desk: Desk, said: str) -> None:
    seen = desk.get(f"/moderation/comments/{said}").headers["ETag"]
    report(app, said, 0)
    report(app, said, 1)
    assert (one().version, one().status) == (1, "approved")
    assert desk.decide(said, "reject", seen).status_code == 200


def test_enough_reports_put_it_back_in_the_queue(app: Flask, client: FlaskClient, site: Site, said: str) -> None:
    set_site(site, hold_after_reports=3)
    for n in range(2):
        report(app, said, n)
    assert (one().status, len(thread(client)["comments"])) == ("approved", 1)
    report(app, said, 2)
    assert (one().status, one().decided_by, thread(client)["comments"]) == ("pending", "reader", [])
    (event,) = events("comment.restored")
    told = {name: event.data[name] for name in ("actor", "previous_status")}
    assert told == {"actor": "reader", "previous_status": "approved"}
    assert event.data["comment"]["status"] == "pending"
    assert react(app, "report", said, 3, reason="spam").status_code == 404


def test_without_the_setting_no_number_of_reports_does(app: Flask, said: str) -> None:
    """Control for the one before."""
    for n in range(READERS):
        report(app, said, n)
    assert (one().status, len(rows())) == ("approved", READERS)


def test_what_was_reported_before_a_decision_counts_no_more(app: Flask, site: Site, desk: Desk, said: str) -> None:
    set_site(site, hold_after_reports=2)
    report(app, said, 0)
    report(app, said, 1)
    assert desk.decide(said, "approve").status_code == 200
    report(app, said, 2, reason="abuse")
    assert (one().status, why()) == ("approved", ["Readers reported this: once, as abuse."])
    report(app, said, 3)
    assert (one().status, [data["reports"] for data in flagged()]) == ("pending", [1, 2, 1, 2])
    assert len(desk.get(f"/moderation/comments/{said}").json["reports"]) == 4


def test_a_conflict_says_that_a_reader_was_first(app: Flask, site: Site, desk: Desk, said: str) -> None:
    set_site(site, hold_after_reports=1)
    seen = desk.get(f"/moderation/comments/{said}").headers["ETag"]
    report(app, said)
    late = desk.decide(said, "reject", seen)
    assert (late.status_code, late.json["current"]["by"]) == (412, "a reader")


def test_only_what_is_published_here_can_be_reported(app: Flask, desk: Desk, client: FlaskClient, said: str) -> None:
    add_site("other", ["https://other.example.org"])
    waiting = post(client, body="Links: https://a.example https://b.example").json["id"]
    missing = [react(app, "report", one, reason="spam") for one in (waiting, str(uuid4()))]
    missing.append(react(app, "report", said, reason="spam", site="other"))
    for decision in ("reject", "spam", "delete"):
        desk.decide(said, decision, "*")
        missing.append(react(app, "report", said, reason="spam"))
    assert {(one.status_code, one.json["detail"]) for one in missing} == {
        (404, "There is no published comment by that id.")
    }
    assert (rows(), flagged()) == ([], [])


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"device": "short"}, "device", "device"),
        ({"reason": None}, "reason", "invalid"),
        ({"reason": "boring"}, "reason", "invalid"),
        ({"note": "x" * 501}, "note", "too-long"),
        ({"note": "  "}, "note", "blank"),
        ({"note": "\u200b"}, "note", "blank"),
        ({"note": 7}, "note", "invalid"),
        ({"reports": 7}, "reports", "unknown"),
    ],
)
def test_what_cannot_be_taken_is_named(app: Flask, said: str, values: dict[str, Any], field: str, code: str) -> None:
    answer = react(app, "report", said, **({"reason": "spam"} | values))
    assert (answer.status_code, answer.json["errors"][field][0]["code"]) == (422, code)
    assert rows() == []


@pytest.mark.parametrize(("origin", "status"), [(ORIGIN, 202), ("https://evil.example", 403), ("null", 403)])
def test_a_page_of_another_site_cannot_report(app: Flask, said: str, origin: str, status: int) -> None:
    answer = react(app, "report", said, reason="spam", headers={"Origin": origin})
    assert (answer.status_code, len(rows())) == (status, int(status == 202))
    assert "Set-Cookie" not in answer.headers


def test_networks_are_forgotten_after_their_time(app: Flask, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    report(app, said, note="Kept.")
    worker.forget()
    assert rows()[0].network_label
    later = now() + timedelta(days=366)
    monkeypatch.setattr("service.reactions.operations.now", lambda: later)
    while worker.forget():
        pass
    assert (rows()[0].network_label, rows()[0].note) == (None, "Kept.")


@pytest.mark.parametrize(("networks", "counted"), [(READERS, READERS), (1, 1)])
def test_many_who_report_at_once_are_counted_rightly(app: Flask, said: str, networks: int, counted: int) -> None:
    def act(n: int) -> int:
        return react(app, "report", said, n, network=n % networks, reason="spam").status_code

    assert all_at_once([lambda n=n: act(n) for n in range(READERS)]) == [202] * READERS
    assert (len(rows()), sorted(data["reports"] for data in flagged())) == (counted, [*range(1, counted + 1)])
    assert len(list(db.session.scalars(select(HoldReason)))) == 1
    assert one().version == 1


def test_many_at_once_put_it_back_once(app: Flask, site: Site, said: str) -> None:
    set_site(site, hold_after_reports=4)
    codes = all_at_once([
        lambda n=n: react(app, "report", said, n, reason="spam").status_code for n in range(READERS)
    ])  # fmt: skip
    assert sorted(codes) == [202] * 4 + [404] * 4
    assert (one().status, len(events("comment.restored"))) == ("pending", 1)


@pytest.mark.parametrize(("value", "code"), [("0", 65), ("101", 65), ("many", 65), ("1", 0), ("100", 0), ("", 0)])
def test_the_setting_takes_1_to_100_or_nothing(app: Flask, site: Site, value: str, code: int) -> None:
    done = app.test_cli_runner().invoke(args=["sites", "set", "blog", f"hold_after_reports={value}"])
    assert done.exit_code == code, done.output


def test_the_desk_shows_what_readers_reported(app: Flask, anna: Browser, said: str) -> None:
    assert "What readers reported" not in words(anna.get(f"/desk/comments/{said}"))
    report(app, said, 0, note="<b>Buy</b> & sell")
    report(app, said, 1, reason="off-topic")
    page = anna.get(f"/desk/comments/{said}")
    shown = words(page)
    assert "off topic" in shown and "spam : “<b>Buy</b> & sell”" in shown
    assert "Readers reported this: 2 times, last as off topic." in shown
    assert "Reported by a reader" in shown
    assert tree(page.text).find(".//main//ol//b//b") is None
    assert said in anna.get("/desk/?reason=reported&status=approved").text
