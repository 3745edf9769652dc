"""Events as people read them in a chat: what happened, where, the words, and a link to the desk.

What visitors and moderators wrote is text there and nothing else: no link, no markup, no mention of anybody. Each
service has another way to say so. An e-mail address is never among it, whatever the endpoint asked for.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

_LONGEST = 600
"""Characters of a text that are shown; the rest is behind the link."""
_LONGEST_LINE = 200
_LINK = "Open the desk"
_MARKS = str.maketrans({one: f"\\{one}" for one in string.punctuation})

_CREATED = {
    "pending": "A comment waits",
    "approved": "A comment was published",
    "rejected": "A comment was rejected",
    "spam": "A comment was taken for spam",
}
_EDITED = {
    "held": "An author's change of a published comment waits",
    "accepted": "An author's change of a comment was accepted",
    "refused": "An author's change of a comment was refused",
}
_HEADLINES = {
    "comment.approved": "A comment was approved",
    "comment.rejected": "A comment was rejected",
    "comment.spam": "A comment was marked as spam",
    "comment.deleted": "A comment was deleted",
    "comment.restored": "A comment is back in the queue",
    "comment.edited": "The text of a comment was changed",
    "comment.flagged": "A reader reported a comment",
    "comment.erased": "An author had a comment erased",
    "thread.opened": "A page has a thread",
    "thread.closed": "A thread was closed",
    "queue.overdue": "Comments wait too long",
    "flood.started": "Unusually many comments come in",
    "endpoint.disabled": "A webhook was switched off",
    "ping": "A test: messages from Greenroom arrive here",
}


@dataclass(frozen=True)
class Note:
    """A message before it is written for a service. Only `headline` and `link` are our own words."""

    headline: str
    lines: tuple[str, ...]
    """Who and where, and why; each at most 200 characters."""
    text: str
    link: str


def message(service: str, envelope: Mapping[str, Any], link: str) -> bytes:
    """The body for one of CHATS: JSON. `link` leads to what it is about, at the desk."""
    told = _WRITTEN[service](_note(envelope, link))
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _note(envelope: Mapping[str, Any], link: str) -> Note:
    type_, data = envelope["type"], envelope["data"]
    text = data.get("comment", {}).get("text", "")
    lines = (_short(one, _LONGEST_LINE) for one in (_who(data), _where(data), _why(type_, data)) if one)
    return Note(_headline(type_, data), tuple(lines), _short(text, _LONGEST), link)


def _headline(type_: str, data: Mapping[str, Any]) -> str:
    if type_ == "comment.created":
        return _CREATED.get(data["comment"]["status"], "A comment came in")
    return _EDITED.get(data.get("revision", ""), "") or _HEADLINES.get(type_, type_)


def _who(data: Mapping[str, Any]) -> str:
    comment = data.get("comment", {})
    rating = f", rating {comment['rating']:g}" if comment.get("rating") is not None else ""
    return f"by {comment['author']['name']}{rating}" if comment and comment["author"]["name"] else ""


def _where(data: Mapping[str, Any]) -> str:
    site = (data.get("comment") or data.get("queue") or data.get("flood") or {}).get("site", "")
    page = data.get("page", {})
    place = page.get("title") or page.get("url") or ""
    return ", ".join(filter(None, (f"on {place}" if place else "", f"site {site}" if site else "")))


def _why(type_: str, data: Mapping[str, Any]) -> str:
    """Of a new comment, for what it was held; of a decision or a report its reason; else what is the matter."""
    if type_ == "comment.created":
        return ", ".join(data["comment"]["reasons"])
    if "queue" in data:
        return f"{data['queue']['pending']} wait, the oldest since {data['queue']['oldest_pending_at']}"
    if "flood" in data:
        return f"{data['flood']['comments']} within {data['flood']['minutes']} minutes"
    if "because" in data:
        return f"{data['endpoint']['host']}: {data['because']}"
    return str(data.get("reason", ""))


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _slack(note: Note) -> dict[str, Any]:
    """Blocks of rich text, whose text elements Slack shows as they are; `text` is for notifications, in its escapes."""
    told = [_text(note.headline) | {"style": {"bold": True}}, *(_text(f"\n{one}") for one in note.lines)]
    link = {"type": "link", "url": note.link, "text": _LINK}
    quoted = [_part("section", told), _part("quote", [_text(note.text)]), _part("section", [link])]
    elements = quoted if note.text else [_part("section", [*told, _text("\n"), link])]
    return {
        "text": escape("\n".join((note.headline, *note.lines)), quote=False),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [{"type": "rich_text", "elements": elements}],
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _part(kind: str, elements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": f"rich_text_{kind}", "elements": elements}


def _discord(note: Note) -> dict[str, Any]:
    """Discord reads Markdown, addresses and mentions anywhere: every sign gets a backslash, and nobody is called."""
    quoted = "\n".join(f"> {_marked(one)}" for one in note.text.splitlines())
    said = "\n".join(filter(None, (*map(_marked, note.lines), quoted)))
    embed = {"title": note.headline, "url": note.link} | ({"description": said} if said else {})
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _marked(text: str) -> str:
    return text.translate(_MARKS)


def _telegram(note: Note) -> dict[str, Any]:
    """Telegram looks for names, addresses and commands everywhere but in code. The chat is named in the URL."""
    said = [f"<b>{escape(note.headline)}</b>", *(f"<code>{escape(one)}</code>" for one in note.lines)]
    said += [f"<pre>{escape(note.text)}</pre>"] if note.text else []
    said.append(f'<a href="{escape(note.link)}">{_LINK}</a>')
    return {"text": "\n".join(said), "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}


_WRITTEN: dict[str, Callable[[Note], dict[str, Any]]] = {"slack": _slack, "discord": _discord, "telegram": _telegram}
CHATS = tuple(_WRITTEN)
"""The formats that people read."""
