"""A person's page and the rules of a site at the desk, without JavaScript; and what is pinned there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from service.db import db, now
from service.desk.people_schemas import LINES
from service.rules.models import Rule
from service.sites.models import Site
from tests.comments.test_submitting import set_site
from tests.desk.conftest import Browser, fields, text, the_form, tree, words
from tests.moderation.still import entries
from tests.support import thread

Leave = Callable[..., UUID]


def rules() -> list[Rule]:
    db.session.rollback()
    return db.session.query(Rule).order_by(Rule.created_at).all()


def test_a_comment_leads_to_its_person(anna: Browser, comment: Leave) -> None:
    one = comment()
    comment(name="A. Lovelace")
    page = tree(anna.get("/desk/").text)
    links = [link.get("href") for link in page.iter("a") if link.get("title") == "All about this person"]
    assert f"/desk/people/{one}" in links
    shown = words(anna.get(f"/desk/people/{one}"))
    assert "A. Lovelace, Ada" in shown and "a…@mail.example.org" in shown and "2 waiting" in shown
    assert "ada@mail" not in shown


def test_a_person_shows_their_comments_as_the_queue_does(anna: Browser, comment: Leave) -> None:
    ids = [comment() for _ in range(3)]
    comment(email="bea@mail.example.org")
    page = anna.get(f"/desk/people/{ids[0]}")
    assert [one.get("id") for one in tree(page.text).iter("article")] == [f"c-{one}" for one in reversed(ids)]
    answer = anna.press(page, "Approve", within=f"c-{ids[1]}")
    assert answer.status_code == 303 and f"person={ids[0]}" in answer.headers["Location"]


@pytest.mark.parametrize(
    ("button", "effect", "days"),
    [
        ("Block", "block", None), ("Time-out for a day", "block", 1), ("Time-out for a week", "block", 7),
        ("Time-out for a month", "block", 30), ("Hold", "hold", None), ("Shadow", "shadow", None),
        ("Trust", "trust", None),
    ],
)  # fmt: skip
def test_each_button_makes_its_rule(anna: Browser, comment: Leave, button: str, effect: str, days: int | None) -> None:
    one = comment()
    answer = anna.press(anna.get(f"/desk/people/{one}"), button, note="Ask the lawyers.")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/desk/people/{one}")
    (rule,) = rules()
    assert (rule.kind, rule.effect, rule.note) == ("person", effect, "Ask the lawyers.")
    lasts = round((rule.until - rule.created_at).total_seconds() / 86_400) if rule.until else None
    assert lasts == days
    shown = words(anna.get(f"/desk/people/{one}"))
    assert "Ask the lawyers." in shown and ("until" in shown) is (days is not None)


def test_a_network_is_ruled_from_a_comment(anna: Browser, comment: Leave) -> None:
    one = comment()
    anna.press(anna.get(f"/desk/people/{one}"), "Block", kind="network")
    (rule,) = rules()
    assert rule.kind == "network" and f"the network {rule.value}" in words(anna.get("/desk/rules"))


def test_the_same_rule_again_says_so_and_keeps_the_note(anna: Browser, comment: Leave) -> None:
    one = comment()
    page = anna.get(f"/desk/people/{one}")
    anna.press(page, "Block")
    again = anna.press(page, "Time-out for a day", note="Kept")
    assert (again.status_code, len(rules())) == (409, 1)
    assert "There is this rule already." in words(again) and 'value="Kept"' in again.text


def test_too_long_a_note_is_said_to_be(anna: Browser, comment: Leave) -> None:
    one = comment()
    answer = anna.press(anna.get(f"/desk/people/{one}"), "Block", note="x" * 501)
    assert (answer.status_code, rules()) == (422, [])
    assert "At most 500 characters." in words(answer)


def test_a_rule_is_ended_where_it_stands(anna: Browser, comment: Leave) -> None:
    one = comment()
    here = f"/desk/people/{one}"
    anna.press(anna.get(here), "Block")
    answer = anna.press(anna.get(here), "A week from now")
    assert answer.headers["Location"] == here and rules()[0].until is not None
    anna.press(anna.get(here), "For good")
    assert rules()[0].until is None
    assert anna.press(anna.get(here), "Remove").headers["Location"] == here
    assert rules() == []


def test_an_owner_adds_and_removes_rules(signed_in: Callable[..., Browser]) -> None:
    olga = signed_in("Olga", "owner")
    page = olga.get("/desk/rules")
    answer = olga.press(page, "Block", kind="domain", value="@Spam.Example", note="A wave")
    assert answer.headers["Location"] == "/desk/rules?site=blog"
    shown = olga.get(answer.headers["Location"])
    assert "Blocked: e-mail at spam.example" in words(shown) and "for good" in words(shown)
    olga.press(shown, "Remove")
    assert rules() == []


def test_older_rules_are_of_the_same_kind_and_as_many(signed_in: Callable[..., Browser]) -> None:
    olga = signed_in("Olga", "owner")
    page = olga.get("/desk/rules")
    for n in range(3):
        olga.press(page, "Block", kind="domain", value=f"spam{n}.example")
        olga.press(page, "Hold", kind="link_host", value=f"shop{n}.example")
    first = tree(olga.get("/desk/rules?kind=domain&limit=2").text)
    (older,) = [link.get("href", "") for link in first.iter("a") if link.get("rel") == "next"]
    assert "kind=domain" in older and "limit=2" in older
    rest = olga.get(older)
    assert rest.status_code == 200 and "spam0.example" in words(rest) and "shop" not in words(rest)


def test_what_is_no_domain_stays_in_the_form(signed_in: Callable[..., Browser]) -> None:
    olga = signed_in("Olga", "owner")
    answer = olga.press(olga.get("/desk/rules"), "Block", kind="domain", value='not "a" name', note="Kept")
    assert answer.status_code == 422 and "Write a name like example.org" in words(answer)
    assert "not &#34;a&#34; name</textarea>" in answer.text and 'value="Kept"' in answer.text
    assert "Line 1" not in words(answer)


@pytest.mark.parametrize("button", ["Block", "Hold", "Shadow", "Trust"])
def test_a_rule_may_end_with_a_day(anna: Browser, comment: Leave, button: str) -> None:
    here = f"/desk/people/{comment()}"
    anna.press(anna.get(here), button, until="2031-05-03")
    assert rules()[0].until == datetime(2031, 5, 3, 23, 59, 59, tzinfo=UTC)
    shown = anna.get(here)
    assert "3 May 2031, 23:59 UTC" in shown.text
    anna.press(shown, "At the end of this day", until="2032-01-31")
    assert rules()[0].until == datetime(2032, 1, 31, 23, 59, 59, tzinfo=UTC)


def test_a_rule_of_an_owner_may_end_today(signed_in: Callable[..., Browser]) -> None:
    olga = signed_in("Olga", "owner")
    today = now().date()
    page = olga.get("/desk/rules")
    assert f'min="{today}"' in page.text
    olga.press(page, "Hold", kind="domain", value="spam.example", until=str(today))
    (rule,) = rules()
    assert rule.until is not None and rule.until.date() == today
    there = olga.press(olga.get("/desk/rules?site=blog"), "At the end of this day", until="2032-01-31")
    assert there.headers["Location"] == "/desk/rules?site=blog"
    assert rules()[0].until == datetime(2032, 1, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("button", "until", "said"),
    [
        ("Block", "2020-05-03", "Name a time to come, a hundred years from now at most."),
        ("Block", "2526-05-03", "Name a time to come, a hundred years from now at most."),
        ("Block", "2031-02-31", "Not a valid date."),
        ("Time-out for a week", "2031-05-03", "A time-out has an end of its own."),
    ],
)
def test_a_day_that_cannot_be_is_said_to_be_none(
    anna: Browser, comment: Leave, button: str, until: str, said: str
) -> None:
    answer = anna.press(anna.get(f"/desk/people/{comment()}"), button, until=until, note="Kept")
    assert (answer.status_code, rules()) == (422, [])
    assert said in words(answer) and f'value="{until}"' in answer.text and 'value="Kept"' in answer.text


@pytest.mark.parametrize(("until", "said"), [("", "Choose a day."), ("2020-05-03", "Name a time to come")])
def test_an_end_without_a_day_to_come_changes_nothing(anna: Browser, comment: Leave, until: str, said: str) -> None:
    here = f"/desk/people/{comment()}"
    anna.press(anna.get(here), "Block")
    answer = anna.press(anna.get(here), "At the end of this day", until=until)
    assert answer.status_code == 422 and said in words(answer)
    assert rules()[0].until is None


RANGES = "198.51.100.0/24\r\n\r\n  2001:db8::/32 \r\n203.0.113.7\r\n"


def test_each_line_becomes_a_rule(signed_in: Callable[..., Browser]) -> None:
    olga = signed_in("Olga", "owner")
    olga.press(olga.get("/desk/rules"), "Block", kind="cidr", value=RANGES, note="A wave", until="2031-05-03")
    found = rules()
    assert {one.value for one in found} == {"198.51.100.0/24", "2001:db8::/32", "203.0.113.7/32"}
    assert {(one.kind, one.effect, one.note, str(one.until)) for one in found} == {
        ("cidr", "block", "A wave", "2031-05-03 23:59:59+00:00")
    }
    assert len(entries("rule.added")) == 3


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ("198.51.100.0/33", 422, "Write an address or a range, like 198.51.100.0/24 or 2001:db8::/32."),
        ("198.51.100.9/24", 409, "There is this rule already."),
    ],
)
def test_with_one_wrong_line_no_rule_is_made(
    signed_in: Callable[..., Browser], wrong: str, status: int, said: str
) -> None:
    olga = signed_in("Olga", "owner")
    answer = olga.press(olga.get("/desk/rules"), "Block", kind="cidr", value=RANGES + wrong, note="Kept")
    assert (answer.status_code, rules(), entries("rule.added")) == (status, [], [])
    assert f"Line 5: {wrong} . None of the rules was made." in words(answer) and said in words(answer)
    assert wrong + "</textarea>" in answer.text and 'value="Kept"' in answer.text
    form, _ = the_form(answer.text, "Block", None)
    assert fields(form)["value"].split() == (RANGES + wrong).split()


def test_as_many_lines_as_are_taken_at_once(signed_in: Callable[..., Browser]) -> None:
    olga = signed_in("Olga", "owner")
    page = olga.get("/desk/rules")
    lines = [f"2001:db8:{n:x}::/48" for n in range(LINES + 1)]
    refused = olga.press(page, "Block", kind="cidr", value="\n".join(lines))
    assert (refused.status_code, rules()) == (422, [])
    assert f"Name at most {LINES} at once." in words(refused)
    assert olga.press(page, "Block", kind="cidr", value="\n".join(lines[1:])).status_code == 303
    assert len(rules()) == LINES


def test_a_moderator_reads_the_rules_and_adds_none(
    anna: Browser, signed_in: Callable[..., Browser], comment: Leave
) -> None:
    olga = signed_in("Olga", "owner")
    olga.press(olga.get("/desk/rules"), "Block", kind="domain", value="spam.example")
    shown = anna.get("/desk/rules")
    assert "spam.example" in words(shown)
    assert not [
        one for one in tree(shown.text).iter("form") if one.get("method") == "post" and "rules" in one.get("action", "")
    ]


def test_a_viewer_sees_a_person_and_no_buttons(signed_in: Callable[..., Browser], comment: Leave) -> None:
    vera = signed_in("Vera", "viewer")
    page = tree(vera.get(f"/desk/people/{comment()}").text)
    main = page.find(".//main")
    assert main is not None and list(main.iter("form")) == []


def test_a_network_leads_to_all_that_came_from_it(anna: Browser, client: FlaskClient, comment: Leave) -> None:
    one = comment()
    page = tree(anna.get("/desk/").text)
    (link,) = [link for link in page.iter("a") if link.get("title") == "All from this network"]
    shown = anna.get(link.get("href", ""))
    assert [one.get("id") for one in tree(shown.text).iter("article")] == [f"c-{one}"]
    assert f"network: {text(link)}" in words(shown)


def test_a_comment_is_pinned_and_taken_down(anna: Browser, client: FlaskClient, comment: Leave, site: Site) -> None:
    set_site(site, mode="post")
    first, second = comment(), comment(email="bea@mail.example.org")
    here = f"/desk/comments/{second}"
    assert anna.press(anna.get(here), "Pin to the top of its page").headers["Location"] == here
    assert [one["id"] for one in thread(client)["comments"]] == [str(second), str(first)]
    shown = anna.get(here)
    assert "pinned" in words(shown) and "Pinned by Anna" in words(shown)
    anna.press(shown, "Unpin")
    db.session.rollback()
    assert [one["id"] for one in thread(client)["comments"]] == [str(first), str(second)]


def test_what_cannot_be_pinned_is_said_beside_it(anna: Browser, comment: Leave, site: Site) -> None:
    set_site(site, mode="post")
    ids = [comment(email=f"{n}@mail.example.org") for n in range(4)]
    page = anna.get("/desk/?status=approved")
    for one in ids[:3]:
        anna.press(page, "Pin to the top of its page", within=f"c-{one}")
    refused = anna.htmx(page, "Pin to the top of its page", within=f"c-{ids[3]}")
    assert refused.status_code == 409 and "pinned already" in refused.text
