"""What rules do to what is sent: nobody is told, nothing is scanned, and what is typed proves nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.db import db, insert_if_new, new_id, now, transaction
from service.moderation import worker
from service.privacy.seal import network_label
from service.rules import operations as rules
from service.rules import queries
from service.rules.models import Rule
from service.sites.models import Site
from tests.authors.conftest import Author
from tests.comments.test_submitting import set_site
from tests.comments.test_threads import assert_in_step
from tests.conftest import add_site
from tests.moderation.conftest import Desk
from tests.moderation.still import entries
from tests.rules.conftest import Make, codes, say, stored
from tests.support import PAGE, thread


@pytest.fixture(autouse=True)
def open_site(site: Site) -> None:
    """Nothing waits that no rule holds."""
    set_site(site, mode="post")


BLOCKED: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("domain", "spam.example", {"email": "ada@Mail.Spam.Example"}, {"email": "ada@notspam.example"}),
    ("domain", "xn--bcher-kva.example", {"email": "ada@bücher.example"}, {"email": "ada@bucher.example"}),
    ("cidr", "203.0.113.0/24", {"ip": "203.0.113.200"}, {"ip": "203.0.114.1"}),
    ("cidr", "203.0.113.7/32", {"ip": "::ffff:203.0.113.7"}, {"ip": "203.0.113.8"}),
    ("cidr", "2001:db8::/32", {"ip": "2001:db8:77::1"}, {"ip": "2001:db9::1"}),
    ("link_host", "spam.example", {"body": "[fine](https://cdn.Spam.example/x)"}, {"body": "spam.example is bad."}),
    ("link_host", "spam.example", {"website": "https://spam.example"}, {"website": "https://notspam.example"}),
]


@pytest.mark.parametrize(("kind", "value", "hit", "miss"), BLOCKED)
def test_what_a_rule_blocks_is_spam_and_told_that_it_waits(
    client: FlaskClient, make: Make, kind: str, value: str, hit: dict[str, Any], miss: dict[str, Any]
) -> None:
    make(kind, value)
    answer = say(client, **hit)
    assert (answer.status_code, answer.json["status"]) == (202, "pending")
    assert (stored(answer).status, codes(answer)) == ("spam", ["blocked"])
    assert say(client, **miss).status_code == 201
    assert len(thread(client)["comments"]) == 1


def test_a_network_is_blocked_by_its_label(client: FlaskClient, make: Make, site: Site) -> None:
    make("network", network_label(site.id, "203.0.113.1"))
    assert stored(say(client, "203.0.113.99")).status == "spam"
    assert stored(say(client, "203.0.114.99")).status == "approved"


def test_a_person_is_blocked_by_their_token_and_by_their_address(client: FlaskClient, desk: Desk) -> None:
    first = say(client, email="eve@mail.example.org").json
    desk.call("POST", "/rules", json={"kind": "person", "effect": "block", "comment": first["id"]})
    assert stored(say(client, token=first["author_token"])).status == "spam"
    typed = say(client, email="EVE@mail.example.org")
    assert (typed.status_code, stored(typed).status) == (202, "spam")
    assert stored(say(client)).status == "approved"


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("domain", "example.org", "A rule of this site blocks this. The rule is about the e-mail domain example.org."),
        ("cidr", "203.0.113.0/24", "A rule of this site blocks this. The rule is about the address it came from."),
        ("link_host", "spam.example", "A rule of this site blocks this. The rule is about links to spam.example."),
    ],
)
def test_moderators_are_told_which_rule_it_was_and_no_range(
    client: FlaskClient, make: Make, desk: Desk, kind: str, value: str, told: str
) -> None:
    make(kind, value)
    said = say(client, body="See https://spam.example.").json["id"]
    found = desk.get(f"/moderation/comments/{said}")
    assert found.json["reasons"][0] == {"code": "blocked", "detail": told}
    assert "203.0.113" not in found.text


def test_what_a_rule_holds_waits(client: FlaskClient, make: Make) -> None:
    make("domain", "example.org", "hold")
    answer = say(client)
    assert (answer.status_code, stored(answer).status, codes(answer)) == (202, "pending", ["held-by-rule"])


@pytest.mark.parametrize("mode", ["pre", "first_timers"])
def test_who_proves_to_be_trusted_is_published_at_once(client: FlaskClient, desk: Desk, site: Site, mode: str) -> None:
    set_site(site, mode=mode)
    first = say(client, email="ada@mail.example.org").json
    desk.call("POST", "/rules", json={"kind": "person", "effect": "trust", "comment": first["id"]})
    assert say(client, token=first["author_token"]).status_code == 201
    assert say(client, email="ada@mail.example.org").status_code == 202, "an address proves nothing"
    other = say(client).json["author_token"]
    assert say(client, token=other, email="ada@mail.example.org").status_code == 202, "nor does another token"


@pytest.mark.parametrize("kind", ["network", "cidr"])
def test_a_trusted_network_is_published_at_once(client: FlaskClient, make: Make, site: Site, kind: str) -> None:
    set_site(site, mode="pre")
    make(kind, network_label(site.id, "203.0.113.1") if kind == "network" else "203.0.113.0/24", "trust")
    assert (say(client).status_code, say(client, "203.0.114.1").status_code) == (201, 202)


def test_a_trusted_domain_makes_nobody_trusted_who_merely_types_it(client: FlaskClient, make: Make, site: Site) -> None:
    set_site(site, mode="post")
    known = say(client).json["author_token"]
    set_site(site, mode="pre")
    make("domain", "example.org", "trust")
    assert say(client).status_code == 202
    assert say(client, token=known).status_code == 201, "who was approved before, and proves it"
    assert say(client, token=known, email="ada@other.example").status_code == 202


def test_trust_excuses_no_other_reason(client: FlaskClient, make: Make, site: Site) -> None:
    set_site(site, mode="pre")
    make("cidr", "203.0.113.0/24", "trust")
    links = say(client, body="https://a.example https://b.example")
    assert (stored(links).status, codes(links)) == ("pending", ["links"])
    assert stored(say(client, honeypot="x")).status == "spam"
    make("domain", "example.org")
    assert stored(say(client)).status == "spam"


def test_what_is_shadowed_is_published_to_its_author_alone(
    app: Flask, client: FlaskClient, make: Make, desk: Desk
) -> None:
    make("domain", "example.org", "shadow")
    answer = say(client)
    assert (answer.status_code, answer.json["status"]) == (201, "approved")
    assert (stored(answer).status, codes(answer)) == ("spam", ["shadowed"])
    ada = Author(app, answer.json["author_token"])
    assert ada.one()["status"] == "approved"
    said = client.post("/mine", data={"token": ada.token}).text
    assert "Published" in said and "Waits for a moderator" not in said
    assert thread(client)["comments"] == []
    assert client.get(f"/v1/sites/blog/comments/{answer.json['id']}").status_code == 404
    for path in ("latest", "feed.atom", f"counts?page={PAGE}"):
        assert answer.json["id"] not in client.get(f"/v1/sites/blog/{path}").text, path
    assert answer.json["id"] not in client.get(f"/embed/blog?page={PAGE}").text
    assert desk.get(f"/moderation/comments/{answer.json['id']}").json["status"] == "spam"
    assert_in_step()


def test_a_shadowed_author_changes_and_withdraws_as_of_a_published_comment(
    app: Flask, client: FlaskClient, make: Make
) -> None:
    make("domain", "example.org", "shadow")
    answer = say(client)
    ada = Author(app, answer.json["author_token"])
    changed = ada.edit(answer.json["id"], body="Better words.").json
    assert (changed["status"], changed["revision"]["state"]) == ("approved", "held")
    ada.withdraw(answer.json["id"])
    assert ada.one()["status"] == "deleted"


def test_a_moderators_decision_ends_the_shadow(app: Flask, client: FlaskClient, make: Make, desk: Desk) -> None:
    make("domain", "example.org", "shadow")
    answer = say(client)
    desk.decide(answer.json["id"], "reject", '"v1"')
    assert Author(app, answer.json["author_token"]).one()["status"] == "rejected"


def test_who_is_blocked_too_waits_like_anybody_else_who_is(client: FlaskClient, make: Make) -> None:
    make("domain", "example.org", "shadow")
    make("cidr", "203.0.113.0/24")
    answer = say(client)
    assert (answer.status_code, stored(answer).shadowed) == (202, False)


def test_a_rule_past_its_end_does_nothing_and_is_forgotten(client: FlaskClient, make: Make) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        make("domain", "example.org", until=now() + timedelta(days=1))
        assert stored(say(client)).status == "spam"
        clock.shift(timedelta(days=1))
        assert stored(say(client)).status == "approved"
        worker.forget()
        db.session.rollback()
        assert db.session.scalar(select(func.count()).select_from(Rule)) == 0
        make("domain", "example.org")
        worker.forget()
        assert stored(say(client)).status == "spam"


def test_a_rule_that_ended_is_in_no_new_ones_way(client: FlaskClient, make: Make) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        make("domain", "example.org", until=now() + timedelta(days=1))
        clock.shift(timedelta(days=2))
        make("domain", "example.org")
        assert stored(say(client)).status == "spam"


def test_a_rule_is_of_its_site_alone(client: FlaskClient, make: Make) -> None:
    make("cidr", "203.0.113.0/24")
    add_site("zine", ["https://zine.example.org"], mode="post")
    said = {"page": "/x", "name": "Ada", "email": "ada@mail.example.org", "body": "Words."}
    here = {"REMOTE_ADDR": "203.0.113.7"}
    assert client.post("/v1/sites/zine/comments", json=said, environ_base=here).status_code == 201


def test_of_thousands_of_rules_a_submission_reads_those_that_it_falls_under(
    client: FlaskClient, make: Make, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        for n in range(5_000):
            row = {
                "id": new_id(), "site_id": site.id, "kind": "domain", "value": f"d{n}.example", "effect": "block",
                "email_index": None, "comment_id": None, "note": "", "until": None, "created_at": now(),
                "created_by": "test", "created_name": "Test",
            }  # fmt: skip
            insert_if_new(Rule, row)
    make("domain", "example.org", "hold")
    read: list[Any] = []

    def run(*asked: Any, **values: Any) -> list[Any]:
        read[:] = queries_run(*asked, **values).all()
        return read

    queries_run = queries.run
    monkeypatch.setattr(queries, "run", run)
    answer = say(client)
    assert (stored(answer).status, len(read)) == ("pending", 1)


def test_erasing_takes_the_words_and_leaves_the_block(app: Flask, client: FlaskClient, desk: Desk) -> None:
    answer = say(client, email="eve@mail.example.org")
    about = {"kind": "person", "effect": "block", "comment": answer.json["id"], "note": "Eve is rude."}
    desk.call("POST", "/rules", json=about)
    assert Author(app, answer.json["author_token"]).erase().status_code == 204
    (rule,) = desk.get("/rules").json["rules"]
    assert (rule["note"], rule["comment"]) == ("", None)
    assert entries("rule.added") == []  # its words are gone from beside the chain
    assert stored(say(client, email="eve@mail.example.org")).status == "spam"


def test_a_rule_that_knows_a_token_alone_goes_with_it(app: Flask, client: FlaskClient, make: Make) -> None:
    answer = say(client)
    comment = stored(answer)
    make("person", comment.author_id.hex, comment_id=comment.id)
    Author(app, answer.json["author_token"]).erase()
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Rule)) == 0


def test_a_rule_holds_no_address(client: FlaskClient, desk: Desk) -> None:
    answer = say(client, email="eve@mail.example.org")
    desk.call("POST", "/rules", json={"kind": "person", "effect": "block", "comment": answer.json["id"]})
    db.session.rollback()
    (rule,) = db.session.scalars(select(Rule))
    told = f"{vars(rule)} {entries('rule.added')} {desk.get('/rules').text}"
    assert "eve@" not in told and "mail.example" not in told
    assert rule.email_index and rule.email_index.hex() not in desk.get("/rules").text
    assert rules.find(rule.id, None) is rule
