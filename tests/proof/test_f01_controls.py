"""Figure 1 can fail: without the sanitiser, with something after it, and wherever a page forgets to escape a text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader, Environment, Template
from sqlalchemy import update

from service.accounts import invites
from service.accounts import operations as accounts
from service.accounts.models import Moderator, Passkey
from service.accounts.operations import NewToken
from service.accounts.principal import of_moderator
from service.comments import operations, rendering
from service.comments.models import Comment
from service.comments.rendering import render
from service.comments.status import PENDING
from service.db import db, now, transaction
from service.moderation import claims
from service.moderation.queries import Filter
from service.sites import operations as sites
from tests.comments.test_rendering import PAYLOADS
from tests.support import FULL

from .echoes import ECHOES
from .hooked import planted_hook
from .parsers import PARSERS
from .stage import Stage
from .test_f01_markup import on_talk, pages
from .twins import TYPED, WORD, Twin, Words, harmless
from .wordless import is_wordless
from .write_paths import by_desk_edit, by_import, by_json

pytestmark = pytest.mark.one_database

SOME = [one for one in PAYLOADS if "\ud800" not in one and "&#0;" not in one][:: 1 if FULL else 4]
TELLING = [
    '[x](https://x.example "title")',
    "```html\nx\n```",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<a href=javascript:x>x</a>",
]


@pytest.fixture
def stage(app: Flask) -> Stage:
    return Stage(app)


@pytest.mark.control("1")
def test_without_the_sanitiser_markup_survives(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rendering, "clean", lambda markup: markup)
    found = list(stage.faults(by_json(stage, [("Ada", [one], "") for one in [*TELLING, *SOME]])))
    assert any("attribute title on a" in one for one in found) and any("class on code" in one for one in found)
    stage.wipe()
    found = list(stage.faults(by_import(stage, [(one, "") for one in [*TELLING, *SOME]], tmp_path)))
    assert any("attribute onerror" in one or "element" in one for one in found) and any(
        "address 'java" in one for one in found
    )


@pytest.mark.control("1")
def test_what_is_unescaped_after_the_sanitiser_is_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "render", lambda body, kind: html.unescape(render(body, kind)))
    found = list(stage.faults(by_json(stage, [("Ada", [one], "") for one in [*TELLING, *SOME]])))
    assert any("element script" in one for one in found)


HOSTILE = "</textarea></title></option><b id=x>'\"><img src=x onerror=alert(1)>"
QUOTE = "'"
_EXPRESSION = re.compile(r"\{\{-?\s*((?:[^}]|\}(?!\}))*?)\s*-?\}\}")
SENTENCE = re.compile(r"\b(?:_|ngettext)(?=\()")
_BARE_MACROS = "star_shapes|needed|caller|opening|erase|meanings"
_MACROS = re.compile(rf"^(?:(?!_\(|ngettext\()\w+\((?!\)).*\)|(?:{_BARE_MACROS})\(\))$")
"""A call of another piece of a template, which does its own escaping."""


def unescaped(environment: Environment) -> Iterator[tuple[str, str, str]]:
    """Every place where a template shows a text: (template, expression, the template with that text unescaped)."""
    assert environment.loader
    for name in environment.list_templates(filter_func=lambda name: name.startswith(("embed/", "desk/"))):
        source, _, _ = environment.loader.get_source(environment, name)
        for found in _EXPRESSION.finditer(source) if name.endswith(".html") else ():
            if not _MACROS.match(found[1]) and "|safe" not in found[1] and "|tojson" not in found[1]:
                spoilt = f"{{{{ ({SENTENCE.sub('raw', found[1])})|safe }}}}"
                yield name, found[1], source[: found.start()] + spoilt + source[found.end() :]


def in_a_sentence(sentence: str, *others: object, **values: object) -> str:
    """A sentence of the desk with what it holds as it is: the catalogs' own way escapes it."""
    number = next((one for one in others if isinstance(one, int)), None)
    return sentence % ({"num": number} | values)


_OF_SITES = (
    "/desk/numbers", "/desk/audit?action=site.changed", "/desk/audit?action=comment.rejected", "/desk/sites",
    "/desk/sites/other",
)  # fmt: skip
"""The log is held to what is over: it grows while the pages are compared."""


_ECHOES = {key: rest for key, *rest in ECHOES}


class Shown:
    """A stage on which every text is hostile, and every page that shows one."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        said = by_json(stage, [(HOSTILE, [f"{HOSTILE} {n}"], HOSTILE) for n in range(10)])
        one, other, third, *_ = on_talk(said)
        by_import(stage, [(f"<a href='mailto:{HOSTILE.replace(QUOTE, '')}'>x</a>", "")], folder)
        by_desk_edit(stage, [one] * 2, [[HOSTILE], [f"{HOSTILE} again"]])
        for decision in ("reject", "approve"):
            stage.at_desk(f"/desk/comments/{one}/decision", {"decision": decision, "reason": HOSTILE})
        with transaction():
            sites.change_site(stage.ours(), {"name": HOSTILE, "target_age_minutes": 1}, actor="test")
            accounts.rename(db.session.get_one(Moderator, stage.who.moderator_id), HOSTILE, actor="test")
            made = sites.add_site("other", HOSTILE, ["https://other.example.org"], actor="test")
            sites.change_site(
                made, {"privacy_text": HOSTILE, "privacy_url": f"https://x.example/?{HOSTILE}"}, actor="test"
            )
        self._team()
        path, note = f"/v1/moderation/comments/{one}/decision", {"reason": HOSTILE, "note": HOSTILE}
        for decision in ("reject", "approve"):
            stage.ask("POST", path, {"decision": decision} | note)
        for about in ({"kind": "person", "comment": one}, {"kind": "domain", "site": "blog", "value": "x.example"}):
            stage.ask("POST", "/v1/rules", about | {"effect": "hold", "note": HOSTILE})
        told = {"device": "d" * 32, "reason": "other", "note": HOSTILE}
        stage.ask("POST", f"/v1/sites/blog/comments/{one}/report", told)
        mine = {"page": "/own", "page_title": HOSTILE, "name": HOSTILE, "email": stage.email, "body": "Omega"}
        wish = stage.say(mine | {"notify": True}).json or {}
        stage.change(wish["author_token"], wish["id"], HOSTILE, on_page=False)
        self._take_one()
        self._wait(3)
        kept = [{"code": "c0", "title": HOSTILE, "sentence": HOSTILE}]
        stage.ask("PUT", "/v1/sites/blog/reasons", {"reasons": kept})
        refused = stage.say({"page": "/own", "name": "Ada", "email": stage.email, "body": "Psi"}).json or {}
        why = {"decision": "reject", "reason_code": "c0"}
        stage.ask("POST", f"/v1/moderation/comments/{refused['id']}/decision", why)
        stage.ask("POST", "/v1/moderation/filters", {"name": HOSTILE[:60], "filter": {"status": "deleted"}})
        items = [{"id": third, "if_match": "*"}, {"id": one, "if_match": '"v0"'}]
        many = stage.ask("POST", "/v1/moderation/decisions", {"decision": "spam", "items": items})
        of_author = [f"/desk/comments/{wish['id']}", f"/mine#{wish['author_token']}"]
        of_author += [f"/mine#{refused['author_token']}", f"/desk/people/{one}", "/desk/rules"]
        hook = f"/desk/webhooks/{planted_hook(stage, HOSTILE)}"
        of_people = [
            "/desk/webhooks",
            hook,
            f"{hook}?state=failed",
            "/desk/account",
            "/desk/team?site=blog",
            "/desk/reasons",
            "/desk/sites/blog#late",
            f"/desk/decisions/{many['id']}",
        ]
        self.paths = [
            *of_people, *of_author, *_OF_SITES, *pages([one, other], every=True), "/embed/other/form?page=x",
        ]  # fmt: skip
        stage.visit(self.paths[-2])  # a decision leaves its traces once

    def _wait(self, number: int) -> None:
        """Comments that are alike, and have waited for too long."""
        for _ in range(number):
            self._waits(HOSTILE, f"[x](https://alike.example.net/) {HOSTILE}")
        with transaction():
            waits = update(Comment).where(Comment.status == PENDING)
            db.session.execute(waits.values(waiting_since=now() - timedelta(hours=1)))

    def _waits(self, name: str, body: str) -> None:
        said = self.stage.say({"page": "/taken", "name": name, "email": self.stage.email, "body": body}).json or {}
        self.stage.at_desk(f"/desk/comments/{said['id']}/decision", {"decision": "restore", "seen": "*"})

    def _take_one(self) -> None:
        """A comment that waits, taken by somebody else."""
        self._waits("Ada", "Omega")
        with transaction():
            other = accounts.add_moderator("other@staff.example.org", HOSTILE, None, actor="test", is_admin=True)
            claims.take(Filter([self.stage.site_id]), "oldest", 1, of_moderator(other))

    def _team(self) -> None:
        """Somebody else on the site, somebody invited, a token and a passkey."""
        with transaction():
            site, admin = self.stage.ours(), self.stage.admin()
            other = accounts.add_moderator("kim@staff.example.org", HOSTILE, None, actor="test")
            accounts.grant(other, site.id, "viewer", actor="test")
            invites.invite(site.id, "viewer", HOSTILE, actor=f"moderator:{admin.id}")
            accounts.issue_token(admin, NewToken(HOSTILE, ["read"], site.id), actor="test")
            key = {"credential_id": b"x", "public_key": b"x", "sign_count": 0}
            db.session.add(Passkey(moderator_id=admin.id, name=HOSTILE, **key))

    def places(self, room: str) -> list[str]:
        """What a room draws, of all for no room: what is shown again first, since the desk counts what waits."""
        return [*(one for one in _ECHOES if room in one), *(path for path in self.paths if _is_of(room, path))]

    def drawn(self, place: str) -> str:
        """As it is now."""
        if place not in _ECHOES:
            return self.stage.visit(place)
        send, fitting, fields = _ECHOES[place]
        return send(self.stage, dict.fromkeys(fields, fitting(HOSTILE))).text

    def twins(self, room: str) -> dict[str, tuple[Twin, Words]]:
        """The same with harmless words; what was said is lost."""
        found: dict[str, tuple[Twin, Words]] = {}
        for key, send, fitting, fields in (one for one in ECHOES if room in one[0]):
            names = {name: WORD.format(n) for n, name in enumerate(fields, TYPED)}
            found[key] = (Twin(send(self.stage, names).text), dict.fromkeys(names.values(), fitting(HOSTILE)))
        words = harmless()
        return found | {path: (Twin(self.stage.visit(path)), words) for path in self.paths if _is_of(room, path)}


def _is_of(room: str, path: str) -> bool:
    return room in path or (room == "embed" and path.startswith("/mine"))


class _Noting(ChoiceLoader):
    """Notes what is asked of it."""

    names: set[str]

    def load(self, environment: Environment, name: str, globals: Any = None) -> Template:  # noqa: A002 - jinja2's name
        self.names.add(name)
        return super().load(environment, name, globals)


@pytest.mark.control("1")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_place_that_forgets_to_escape_is_seen(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The clock stands still: what a page tells of it would be a difference of all that are compared."""
    shown, environment = Shown(stage, tmp_path), stage.app.jinja_env
    monkeypatch.setitem(environment.globals, "raw", in_a_sentence)
    places, loader = list(unescaped(environment)), environment.loader
    assert loader and len(places) > 120
    room = "" if FULL else "desk"
    with time_machine.travel(now(), tick=False):
        sound, uses = drawn_with(_Noting([loader]), shown, room, monkeypatch)
        spoilt = []
        for name, expression, source in places if FULL else [one for one in places if one[1] == "done.author.name"]:
            monkeypatch.setattr(environment, "loader", ChoiceLoader([DictLoader({name: source}), loader]))
            environment.cache.clear()  # type: ignore[union-attr]
            markup = {place: shown.drawn(place) for place in sound if name in uses[place]}
            spoilt.append((f"{name}: {expression}", markup))
        monkeypatch.setattr(environment, "loader", loader)
        environment.cache.clear()  # type: ignore[union-attr]
        twins = shown.twins(room)
    assert list(faults(sound, twins)) == []
    missed = [place for place, markup in spoilt if not any(faults(markup, twins))]
    unknown = [place for place in missed if not is_wordless(place.partition(": ")[2])]
    assert not unknown, "\n".join(unknown)


def drawn_with(
    loader: _Noting, shown: Shown, room: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, str], dict[str, set[str]]]:
    """What a room draws, by place, and which templates that takes."""
    environment = shown.stage.app.jinja_env
    monkeypatch.setattr(environment, "loader", loader)
    markup, uses = {}, {}
    for place in shown.places(room):
        environment.cache.clear()  # type: ignore[union-attr]
        loader.names = uses[place] = set()
        markup[place] = shown.drawn(place)
    return markup, uses


def faults(markup: Mapping[str, str], twins: Mapping[str, tuple[Twin, Words]]) -> Iterator[str]:
    for where, shown in markup.items():
        twin, words = twins[where]
        yield from (f"{where}: {one}" for one in twin.differences(shown, words, {"lexbor": PARSERS["lexbor"]}))
