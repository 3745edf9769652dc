"""What pages show again of what was typed or asked for: a refused form, a preview, a search, a sign-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from werkzeug.test import TestResponse

from tests.desk.conftest import HOME

from .other_words import Found, Packs
from .stage import Stage
from .world import sent
from .write_paths import planted


def echoes(stage: Stage, packs: Packs, folder: Path) -> Found:
    """Type and ask for each text wherever it comes back at once."""
    faults: list[str] = []
    planted(stage, 1, folder)
    for pack in packs:
        text = " ".join(pack).translate(_NOT_IN_AN_ADDRESS)
        for key, send, fitting, fields in ECHOES:
            faults += stage.echo_faults(key, partial(send, stage), dict.fromkeys(fields, fitting(text)))
    return sum(map(len, packs)), faults


_NOT_IN_AN_ADDRESS = dict.fromkeys(map(ord, "\0\ufffd"))
_TOO_LONG = "x" * 3_000
"""Whatever stands before it, each field is refused for one reason."""


def _refused_form(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    long = {name: value + _TOO_LONG for name, value in typed.items()}
    return stage.fill_in(long)


def _previewed_form(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    return stage.fill_in({"page": "/", "preview": "1", "body": "x"} | dict(typed))


def _form(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    return sent(stage.client, f"/embed/blog/form?{urlencode({'page': '/'} | dict(typed))}")


def _search(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    answer: TestResponse = stage.desk.get(f"/desk/?{urlencode({'status': 'deleted', 'site': 'blog'} | dict(typed))}")
    return answer


def _late(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """A decision on what has changed since."""
    values = {"decision": "spam", "seen": '"v0"', "at": "comment"}
    return stage.at_desk(f"/desk/comments/{stage.newest()}/decision", values | dict(typed))


def _refused_edit(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    values = {"body": typed["body"] + 10_000 * "x", "back": typed["back"]}
    return stage.at_desk(f"/desk/comments/{stage.newest()}", values)


def _sign_in(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    return sent(stage.client, "/desk/sign-in", method="POST", data=typed, headers={"Origin": HOME})


def _up_to(most: int) -> Callable[[str], str]:
    return lambda text: text[:most]


def _id(text: str) -> str:
    """What of a text can be the id of a page."""
    return "x " + "".join(filter(str.isprintable, text))[:150]


_OURS = ("name", "email", "website", "page_title", "redirect_to", "rating")
_THEIRS = ("author", "email", "url", "comment", "comment_post_ID", "comment_parent")
Send = Callable[[Stage, Mapping[str, str]], TestResponse]
ECHOES: list[tuple[str, Send, Callable[[str], str], tuple[str, ...]]] = [
    ("embed: refused", _refused_form, str, (*_OURS, "page", "page_url", "parent_id", "body")),
    ("embed: refused in WordPress' names", _refused_form, str, _THEIRS),
    ("embed: previewed", _previewed_form, str, _OURS),
    ("embed: form", _form, _up_to(300), ("page_title", "redirect_to")),
    ("desk: search", _search, _up_to(200), ("q",)),
    ("desk: filter", _search, _up_to(40), ("reason",)),
    ("desk: page", _search, _id, ("page",)),
    ("desk: late", _late, _up_to(500), ("reason", "note", "back")),
    ("desk: refused edit", _refused_edit, str, ("body", "back")),
    ("desk: sign-in", _sign_in, str, ("email", "next")),
]
"""What is sent, what of a text it takes, and the fields that come back."""
