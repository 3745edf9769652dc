"""What a device remembers for who writes: the draft of the tab, and who they are, if they ask for it."""

from __future__ import annotations

import json

import pytest

from tests.processes import ask

from .reader import TYPED, Reader
from .talk import Talk

pytestmark = pytest.mark.browser


def test_a_draft_outlives_a_reload(reader: Reader) -> None:
    reader.opens()
    reader.types(name="Ada", body="Half a thought")
    reader.window.reload()
    reader.waits()

    assert reader.field("body").input_value() == "Half a thought"
    reader.posts(body="A whole thought.")
    reader.window.reload()
    reader.waits()
    assert reader.field("body").input_value() == ""


def test_the_draft_of_a_reply_stays_one_where_its_comment_is_not_shown(reader: Reader, talk: Talk) -> None:
    """The comment is on a second page of the list, which is not read after a reload."""
    *_, last = talk.say_many(51)
    reader.opens()
    reader.goes_on("more")
    reader.answers(last)
    reader.types(name="Ada", body="Half a thought")
    reader.window.reload()
    reader.waits()

    assert reader.comment(last).count() == 0
    assert "Reply to Reader 51" in reader.part("form").inner_text()
    reader.types(body="Half a thought still")
    reader.window.reload()
    reader.waits()
    reader.hears("greenroom:posted")
    reader.types(**TYPED)
    reader.sends()
    reader.told("greenroom:posted")
    status, told = ask(f"{talk.door}/comments/{last}")
    assert status == 200
    assert [one["html"] for one in told["comment"]["replies"]] == ["<p>What a <em>fine</em> series.</p>\n"]


def test_a_draft_is_not_taken_to_another_page(reader: Reader, talk: Talk) -> None:
    reader.opens()
    reader.types(body="Half a thought")
    reader.page = f"{talk.page}/other"
    reader.opens()

    assert reader.field("body").input_value() == ""


def test_nobody_is_remembered_unasked(reader: Reader) -> None:
    reader.opens()
    reader.types(**TYPED)
    while_typing = json.dumps(reader.keeps())
    reader.posts()
    kept = json.dumps(reader.keeps()) + reader.window.evaluate("JSON.stringify({ ...sessionStorage })")
    reader.window.reload()
    reader.waits()

    assert "ada@" not in while_typing + kept
    assert reader.field("email").input_value() == ""
    assert all(name.startswith("greenroom:") for name in reader.keeps())
    assert reader.window.context.cookies() == []


def test_who_asks_for_it_is_remembered(reader: Reader) -> None:
    reader.opens()
    reader.window.get_by_label("Remember me on this device").check()
    reader.posts(website="https://ada.example.org")
    reader.window.reload()
    reader.waits()

    typed = [reader.field(name).input_value() for name in ("name", "email", "website", "body")]
    assert typed == ["Ada", "ada@mail.example.org", "https://ada.example.org", ""]
    reader.window.get_by_label("Remember me on this device").uncheck()
    reader.posts(body="No longer.")
    assert "ada@" not in json.dumps(reader.keeps())


@pytest.mark.parametrize(
    ("typed", "knows"),
    [({"name": "Bea", "email": "bea@mail.example.org"}, False), ({"email": " Ada@mail.example.org"}, True)],
)
def test_nobody_writes_as_somebody_else_who_is_remembered(reader: Reader, typed: dict[str, str], knows: bool) -> None:
    """Several people may write on one device: what they are known by goes with their own address only."""
    reader.opens()
    reader.window.get_by_label("Remember me on this device").check()
    reader.posts()
    (me,) = [json.loads(value) for name, value in reader.keeps().items() if ":me:" in name]
    reader.window.reload()
    reader.waits()
    reader.posts(**{"body": "Another thought."} | typed)

    posts = [one for one in reader.asked if one.method == "POST" and one.url.endswith("/comments")]
    assert [me["token"] in one.headers["authorization"] for one in posts] == [False, knows]
    tokens = {one["token"] for name, value in reader.keeps().items() if ":mine:" in name for one in json.loads(value)}
    assert len(tokens) == 2 - knows


def test_who_had_everything_erased_is_remembered_no_more(reader: Reader) -> None:
    """On another device, or by the private page: the token is nobody's now."""
    reader.opens()
    reader.window.get_by_label("Remember me on this device").check()
    reader.posts()
    (me,) = [json.loads(value) for name, value in reader.keeps().items() if ":me:" in name]
    status = reader.window.evaluate(
        "([url, token]) => fetch(url, { method: 'DELETE', headers: { Authorization: `Author ${token}` } })"
        ".then((answer) => answer.status)",
        [f"{reader.service}/v1/mine?everything=true", me["token"]],
    )
    assert status == 204
    reader.window.reload()
    reader.waits()

    reader.until("() => !JSON.stringify({ ...localStorage }).includes('ada@')")
