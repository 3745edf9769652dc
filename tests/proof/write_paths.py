"""Every way in which words get into the service: each writes some payloads, and says what has to come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from service.transfer import importer
from service.transfer.task import Order
from tests.transfer.exports import comment, export, item, saved

from .payloads import html_of
from .stage import TALK, Said, Stage

_NAME = 80

Unit = tuple[str, list[str], str]
"""What a comment is made of: a name, payloads that share its text, and the title of its page."""


def by_json(stage: Stage, batch: Sequence[Unit]) -> dict[str, Said]:
    """As JSON, some with pages, addresses and websites that are hostile too; each third one answers the one before."""
    said: dict[str, Said] = {}
    answered = ""
    for n, (name, pack, title) in enumerate(batch):
        own, one = _has_own_page(n, batch), pack[0]
        page = f"/{n}/{quote(one[:200], safe='')}" if own else TALK
        values: dict[str, Any] = {
            "page": page, "page_title": title if own else batch[0][2], "name": name, "email": stage.email,
            "body": "\n\n".join(pack), "website": f"https://example.org/{n}" if n % 2 else None, "rating": 7,
        }  # fmt: skip
        fitting = values | {
            "page_title": "",
            "name": "Ada",
            "website": f"https://example.org/?{quote(one[:14], safe='')}",
        }
        values |= _odd(n, one) if own else {}
        fitting |= {"page": str(n), "page_url": page} if "page_url" in values else {}
        if answered and n % 3 == 0:
            values |= {"parent_id": answered, "rating": None}
        answer = stage.say_fitting(values, fitting)
        said[answer["id"]] = Said(values["name"], values["body"], html_of(pack), values["page_title"], values["page"])
        if not own and answer["status"] == "approved" and (not answered or "parent_id" in values):
            answered = answer["id"]
    stage.publish_all()
    return said


def _odd(n: int, one: str) -> dict[str, str]:
    """A hostile website and address; a page that is hostile by its path, by its id, or by both."""
    kinds: list[dict[str, str]] = [
        {"website": f"https://example.org/?{one[:150]}", "email": f'"{one[:40]}"@mail.example.org'},
        {"page": f"/{n}/{one[:900]}"},
        {"page": f"{n} {one[:150]}", "page_url": f"/{n}/{one[:900]}"},
        {"page": f"{n} {one[:150]}"},
    ]
    return kinds[n % 4]


def _has_own_page(n: int, batch: Sequence[Any]) -> bool:
    """Whether a comment of a batch stands on a page of its own, whose title and address it brings."""
    return n < 3 + len(batch) // 5 and n < len(batch) // 2


def by_form(stage: Stage, batch: Sequence[Unit]) -> dict[str, Said]:
    """By a plain form: by turns with our names and, as replies, with those that WordPress' themes have."""
    sent: list[Said] = []
    first = ""
    for n, (name, pack, _) in enumerate(batch):
        body = "\n\n".join(pack)
        page, there = (TALK, {}) if n % 2 or not n else _places(n, pack[0])[n // 2 % 3]
        ours = {"page": page, "name": name, "email": stage.email, "body": body, "website": f"http://example.org/{n}"}
        ours |= there
        theirs = {
            "page": TALK, "author": name, "email": stage.email, "comment": body, "url": "", "comment_parent": first,
        }  # fmt: skip
        form = theirs if n % 2 else ours
        answer = stage.fill_in(form)
        if answer.status_code == 422:
            form |= {"author" if form is theirs else "name": "Ada"} | ({"page": str(n)} if there else {})
            answer = stage.fill_in(form)
        assert answer.status_code == 303, answer.text
        sent.append(Said(form.get("author") or form.get("name", ""), body, html_of(pack), page=form["page"]))
        if not first:
            stage.publish_all()
            first = stage.newest()
    stage.publish_all()
    newest = list(stage.told())[: len(sent)]
    return dict(zip(reversed(newest), sent, strict=True))


def _places(n: int, one: str) -> list[tuple[str, dict[str, str]]]:
    """The page that they have in common; one whose path is hostile; one whose id is, at such a path."""
    path = f"/form/{n}/{quote(one[:200], safe='')}"
    return [(TALK, {}), (path, {}), (f"{n} {one[:150]}", {"page_url": path})]


_FIRST = datetime(2020, 5, 1, tzinfo=UTC)


def by_import(stage: Stage, batch: Sequence[tuple[str, str]], folder: Path) -> dict[str, Said]:
    """Each payload is the name, website and HTML of a comment; some bring the address and title of a page."""
    own, talk = [], []
    for n, (one, title) in enumerate(batch):
        moment = f"{_FIRST + timedelta(minutes=n):%Y-%m-%d %H:%M:%S}"
        its = comment(
            id=str(n + 1), author=escape(one[:_NAME]), author_url=escape(f"http://x.org/{one}"),
            content=escape(one), date=moment, date_gmt=moment,
        )  # fmt: skip
        link = escape(f"{stage.origin}/{n}/{one}")
        if _has_own_page(n, batch):
            own.append(item(its, title=escape(title), link=link, post_id=str(n + 10)))
        else:
            talk.append(its)
    path = saved(
        folder, export(*own, item(*talk, title=escape(batch[0][1]), link=f"{stage.origin}{TALK}", post_id="9"))
    )
    importer.run(Order(path=path, site_id=stage.site_id))
    found = {one["created_at"][:19]: one for one in stage.told().values()}
    said = {}
    for n, (one, title) in enumerate(batch):
        brought = found.get(f"{_FIRST + timedelta(minutes=n):%Y-%m-%dT%H:%M:%S}")
        if brought:  # one of which nothing is left, such as controls alone, does not come in
            page = (brought["page"]["url"] or f"wp:{n + 10}") if _has_own_page(n, batch) else TALK
            its_title = unescape(title) if _has_own_page(n, batch) else ""
            said[brought["id"]] = Said(unescape(one[:_NAME]), one, None, its_title, page)
    return said


def planted(stage: Stage, number: int, folder: Path) -> list[str]:
    """So many harmless comments on one page, published."""
    rows = [comment(id=str(n + 1), content=f"Number {n}.") for n in range(number)]
    path = saved(folder, export(item(*rows, link=f"{stage.origin}{TALK}")))
    importer.run(Order(path=path, site_id=stage.site_id))
    return list(stage.told())


def by_api_edit(stage: Stage, ids: Sequence[str], batch: Sequence[list[str]]) -> dict[str, Said]:
    """Each comment gets payloads for its text from a moderator's program."""
    said = {}
    for id_, pack in zip(ids, batch, strict=True):
        body = "\n\n".join(pack)
        stage.ask("PATCH", f"/v1/moderation/comments/{id_}", {"body": body})
        said[id_] = Said("Ada", body, html_of(pack))
    return said


def by_desk_edit(stage: Stage, ids: Sequence[str], batch: Sequence[list[str]]) -> dict[str, Said]:
    """Each comment gets payloads for its text from a moderator at the desk."""
    said = {}
    for id_, pack in zip(ids, batch, strict=True):
        body = "\n\n".join(pack)
        assert stage.at_desk(f"/desk/comments/{id_}", {"body": body}).status_code == 303
        said[id_] = Said("Ada", body, html_of(pack))
    return said


def by_author_edit(stage: Stage, batch: Sequence[list[str]]) -> dict[str, Said]:
    """Each author gets payloads for their text, by a program and on their page: of what is published and then
    accepted, by a moderator's program and at the desk, and of what waits and is changed in place."""
    said = {}
    for n, pack in enumerate(batch):
        body = "\n\n".join(pack)
        mine = stage.say({"page": TALK, "name": "Ada", "email": stage.email, "body": UNLIKE}).json or {}
        one, waits = mine["id"], n % 3 == 2
        if waits:
            stage.ask("POST", f"/v1/moderation/comments/{one}/decision", {"decision": "restore"})
        assert stage.change(mine["author_token"], one, body, on_page=bool(n % 2)).status_code == 200
        if not waits:
            (held,) = stage.ask("GET", f"/v1/moderation/comments/{one}")["revisions"]
            settle(stage, one, {"decision": "accept", "revision": held["id"]}, at_desk=n % 3 == 1)
        said[one] = Said("Ada", body, html_of(pack))
    stage.publish_all()
    return said


UNLIKE = "\N{GREEK CAPITAL LETTER OMEGA}mega"
"""A word that no payload has: then nothing of a text stays when it is changed."""


def settle(stage: Stage, comment_id: str, wanted: dict[str, str], *, at_desk: bool) -> None:
    """Decide on an author's change."""
    if at_desk:
        assert stage.at_desk(f"/desk/comments/{comment_id}/revision", wanted).status_code == 303
    else:
        stage.ask("POST", f"/v1/moderation/comments/{comment_id}/revision", wanted)


def by_reply(stage: Stage, ids: Sequence[str], batch: Sequence[list[str]]) -> dict[str, Said]:
    """Replies in the name of the site to these comments, by turns from a moderator's program and at the desk."""
    said, name = {}, stage.ours().name
    for n, pack in enumerate(batch):
        body, path = "\n\n".join(pack), f"comments/{ids[n % len(ids)]}/reply"
        if n % 2:
            assert stage.at_desk(f"/desk/{path}", {"body": body}).status_code == 303
            made = stage.newest()
        else:
            made = stage.ask("POST", f"/v1/moderation/{path}", {"body": body})["id"]
        said[made] = Said(name, body, html_of(pack))
    return said
