"""Messages for chats: readable, with a link, and nothing that somebody wrote is more than text there."""

from __future__ import annotations

import json
import re
import string
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from service.webhooks import catalogue, chat
from service.webhooks.policy import FORMATS, STANDARD

LINK = "https://comments.example.org/desk/comments/01a20663-fd7b-73c1-a60a-694fbb05e3ce"
_MARKED = re.compile(rf"\\([{re.escape(string.punctuation)}])")
HOSTILE = [
    "@everyone @here <@123> <@&1> <#1> <!channel> <!here> <!subteam^S1> @greenroom_bot /start #tag",
    "[x](https://evil.example) <https://evil.example|Open the desk> https://evil.example evil.example a@evil.example",
    "**b** __u__ *i* _i_ ~~s~~ ||s|| `c` ```c``` # h\n> q\n- l\n1. l <t:1> <:x:1> :tada: </pre></code><b>&amp;&lt;",
    '"},{"type":"link","url":"https://evil.example"',
]


def event(type_: str = "comment.created", **changes: Any) -> dict[str, Any]:
    """An envelope; `changes` of the comment, and `name`, `title` and what else there is in `data`."""
    comment = {
        "id": "01a20663-fd7b-73c1-a60a-694fbb05e3ce", "site": "blog", "page_id": "…", "parent_id": None,
        "status": "pending", "author": {"name": "Ada", "website": None, "avatar": "7e", "email": "ada@secret.example"},
        "text": "What a fine series.", "truncated": False, "url": "/v1/moderation/comments/…", "rating": None,
        "reasons": ["pre-moderation", "links"], "created_at": "2026-03-01T12:00:00.000Z", "version": 1,
    }  # fmt: skip
    page = {"id": "…", "url": "https://blog.example.org/salt", "title": "The Salt Ledger", "state": "open"}
    comment["author"] |= {"name": changes.pop("name", "Ada")}
    page["title"] = changes.pop("title", page["title"])
    more = {name: changes.pop(name) for name in list(changes) if name not in comment}
    return {
        "type": type_,
        "timestamp": "2026-03-01T12:00:00.000Z",
        "data": {"comment": comment | changes, "page": page, "actor": "author:…"} | more,
    }


def written(service: str, envelope: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(chat.message(service, envelope, LINK))
    return found


def unmarked(text: str) -> str:
    """Discord's Markdown read back. Fails at a sign without a backslash; a quote's, where a line starts, is ours."""
    said = re.sub("^> ", "", text, flags=re.MULTILINE)
    left = re.sub(_MARKED, "", said)
    assert not set(left) & set(string.punctuation), left
    return re.sub(_MARKED, r"\1", said)


class _Reader(HTMLParser):
    """What Telegram makes of its HTML: every text with the tags around it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.links: list[str | None] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.links += [value for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self.open), data))


def elements(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Every element of Slack's rich text, in order."""
    (block,) = told["blocks"]
    assert block["type"] == "rich_text"
    return [one for part in block["elements"] for one in part["elements"]]


def words(service: str, envelope: dict[str, Any]) -> str:
    """What somebody reads, as one text; whatever is no plain text there is checked to be ours."""
    told = written(service, envelope)
    if service == "slack":
        found = elements(told)
        assert [one["url"] for one in found if one["type"] == "link"] == [LINK]
        assert {one["type"] for one in found} == {"text", "link"}
        return "".join(one["text"] for one in found)
    if service == "discord":
        (embed,) = told["embeds"]
        assert (embed["url"], told["allowed_mentions"]) == (LINK, {"parse": []})
        assert set(told) == {"embeds", "allowed_mentions"}
        return f"{embed['title']}\n{unmarked(embed.get('description', ''))}"
    reader = _Reader(told["text"])
    assert reader.links == [LINK]
    loose = {text.strip() for tags, text in reader.texts if not {"code", "pre"} & set(tags)}
    assert len(loose - {""}) == 2, loose  # the headline and the link, which are ours
    return "".join(text for _, text in reader.texts)


every_chat = pytest.mark.parametrize("service", chat.CHATS)


def test_every_format_but_the_standard_is_a_chat() -> None:
    assert {STANDARD, *chat.CHATS} == set(FORMATS)


@every_chat
def test_a_new_comment_is_told_with_who_where_why_and_what(service: str) -> None:
    told = words(service, event(rating=8.0))
    for part in ("A comment waits", "by Ada, rating 8", "on The Salt Ledger, site blog", "pre-moderation, links"):
        assert part in told
    assert "What a fine series." in told


@every_chat
@pytest.mark.parametrize("text", HOSTILE)
def test_what_somebody_wrote_is_text_and_nothing_else(service: str, text: str) -> None:
    line = " ".join(text.split())
    told = words(service, event(text=text, name=line, title=line, reasons=[line]))
    flat = " ".join(told.split())
    for part in (f"by {line}", f"on {line}"):
        assert part[:190] in flat
    assert flat.count(line[:150]) >= 3


@every_chat
def test_hostile_lists_of_others_are_text_too(service: str, shared: Path) -> None:
    strings = json.loads((shared / "corpora/blns/strings.json").read_text())
    assert len(strings) > 400
    for one in strings:
        words(service, event(text=one, name=one or "-", title=one))


def test_slacks_words_for_notifications_are_escaped() -> None:
    told = written("slack", event(name="<!channel> & <@U1>"))
    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in told["text"]
    assert not re.search("[<>]", told["text"])
    assert told["mrkdwn"] is False


@every_chat
def test_an_address_is_never_told(service: str) -> None:
    envelope = event()
    assert "secret.example" in json.dumps(envelope)
    assert b"secret.example" not in chat.message(service, envelope, LINK)


@every_chat
def test_a_long_text_is_cut_and_the_message_fits(service: str) -> None:
    """Telegram takes 4,096 characters, Discord as many in an embed's description, Slack 3,000 in a text."""
    told = written(service, event(text="*" * 4_000, name="*" * 80, title="*" * 300, reason="*" * 500))
    longest = {
        "slack": lambda: max(len(one["text"]) for one in elements(told)),
        "discord": lambda: len(told["embeds"][0]["description"]),
        "telegram": lambda: len(told["text"]),
    }[service]()
    assert 600 <= longest < 3_000
    assert "*…" in words(service, event(text="*" * 4_000))


@every_chat
@pytest.mark.parametrize(
    ("type_", "data", "headline"),
    [
        ("comment.created", {"status": "approved"}, "A comment was published"),
        ("comment.created", {"status": "spam"}, "A comment was taken for spam"),
        ("comment.approved", {"status": "approved", "previous_status": "pending"}, "A comment was approved"),
        ("comment.edited", {}, "The text of a comment was changed"),
        ("comment.edited", {"revision": "held"}, "An author's change of a published comment waits"),
        ("comment.edited", {"revision": "refused", "reason": "No."}, "An author's change of a comment was refused"),
        ("comment.flagged", {"reason": "abuse", "reports": 2}, "A reader reported a comment"),
        ("a.new_type", {}, "a.new_type"),
    ],
)
def test_the_headline_says_what_happened(service: str, type_: str, data: dict[str, Any], headline: str) -> None:
    told = words(service, event(type_, **data))
    assert told.startswith(headline)
    assert data.get("reason", "") in told


@every_chat
def test_why_a_comment_was_held_is_told_only_while_it_waits(service: str) -> None:
    assert "pre-moderation" not in words(service, event("comment.approved", previous_status="pending"))


@every_chat
@pytest.mark.parametrize(
    ("type_", "data", "said"),
    [
        ("thread.closed", {"page": {"id": "…", "url": "https://blog.example.org/salt", "title": ""}},
         "on https://blog.example.org/salt"),
        ("thread.opened", {"page": {"id": "…", "url": None, "title": ""}}, "A page has a thread"),
        ("queue.overdue", {"queue": {"site": "blog", "pending": 12, "oldest_pending_at": "2026-03-01T09:00:00.000Z"}},
         "12 wait, the oldest since 2026-03-01T09:00:00.000Z"),
        ("flood.started", {"flood": {"site": "blog", "comments": 90, "minutes": 5}}, "90 within 5 minutes"),
        ("endpoint.disabled", {"endpoint": {"id": "…", "host": "hooks.example.org", "note": ""}, "because": "Gone."},
         "hooks.example.org: Gone."),
        ("ping", {"endpoint": {"id": "…"}, "actor": "moderator:…"}, "A test"),
    ],
)  # fmt: skip
def test_events_without_a_comment_are_told(service: str, type_: str, data: dict[str, Any], said: str) -> None:
    assert said in words(service, {"type": type_, "timestamp": "…", "data": data})


@every_chat
def test_an_erased_comment_is_told_without_its_words(service: str) -> None:
    told = words(service, event("comment.erased", text="", name="", previous_status="approved"))
    assert told.startswith("An author had a comment erased") and "by " not in told


def test_every_type_has_a_headline() -> None:
    assert set(catalogue.TYPES) == {*chat._HEADLINES, "comment.created"}
