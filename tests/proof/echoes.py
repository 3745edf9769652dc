"""What pages show again of what was typed or asked for: a refused form, a preview, a search, a sign-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from werkzeug.test import TestResponse

from service.embed import mine
from service.errors import TooManyRequests
from tests.desk.conftest import HOME

from .other_words import Found, Packs
from .staff_words import sign_up
from .stage import TALK, Stage
from .world import SOME_ID, sent
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


def _refused_reply(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    one, _ = _author(stage)
    values = {"body": typed["body"] + 10_000 * "x", "back": typed["back"]}
    return stage.at_desk(f"/desk/comments/{one}/reply", values)


def _refused_settings(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """The form of a site's settings, one of which cannot be taken."""
    long = {name: value + _TOO_LONG for name, value in typed.items()}
    return stage.at_desk("/desk/sites/blog", {"mode": "pre", "depth": "many"} | long)


def _tried_settings(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """What other settings would have done to the comments that there are."""
    return stage.settings({"deed": "preview"} | dict(typed))


def _refused_reasons(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """A reason whose short name, title and sentence are all too long."""
    long = {name: value + _TOO_LONG for name, value in typed.items()}
    return stage.at_desk("/desk/reasons", {"site": "blog"} | long)


def _refused_webhook(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """An endpoint whose address and note are both too long."""
    long = {name: value + _TOO_LONG for name, value in typed.items()}
    return stage.at_desk("/desk/webhooks", {"site": "blog"} | long)


def _refused_rule(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """A rule about what has no name."""
    return stage.at_desk("/desk/rules", {"site": "blog", "kind": "cidr", "deed": "hold"} | dict(typed))


def _refused_lines(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """Rules about several things, of which the second has no name."""
    return _refused_rule(stage, {**typed, "value": f"192.0.2.0/24\n{typed['value']}"})


def _refused_look_up(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """Somebody is looked for by what is no address."""
    return stage.at_desk("/desk/people/lookup", {"site": "blog"} | dict(typed))


def _author(stage: Stage) -> tuple[str, str]:
    """The id of a comment, always the same one until all is wiped, and its author's token."""
    if stage.author is None:
        said = stage.say({"page": TALK, "name": "Ada", "email": stage.email, "body": "A word."}).json or {}
        stage.author = said["id"], said["author_token"]
    return stage.author


def _late_ruling(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """A decision on a change in whose place is another one by now."""
    one, token = _author(stage)
    assert stage.change(token, one, "Another word.", on_page=False).status_code == 200
    values = {"decision": "accept", "revision": str(SOME_ID)}
    return stage.at_desk(f"/desk/comments/{one}/revision", values | dict(typed))


def _refused_change(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    one, token = _author(stage)
    return stage.change(token, one, typed["body"] + 10_000 * "x", on_page=True)


def _change_for_later(stage: Stage, typed: Mapping[str, str]) -> Any:
    """A change by somebody who was there too often: all that was typed is to be sent again."""
    with stage.app.test_request_context("/mine", method="POST", data=typed):
        return SimpleNamespace(text=mine.problem_page(TooManyRequests()).get_data(as_text=True))


def _without_a_fragment(text: str) -> str:
    """Of a private link, only what is behind the last such mark is a token."""
    return text.replace("#", "")


def _sign_in(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    return sent(stage.client, "/desk/sign-in", method="POST", data=typed, headers={"Origin": HOME})


def _refused_name(stage: Stage, typed: Mapping[str, str], path: str, deed: str) -> TestResponse:
    values = {"deed": deed, "site": "blog", "old": "x", "credential": "x", "name": typed["name"] + _TOO_LONG}
    return stage.at_desk(path, values)


def _invited(stage: Stage, _typed: Mapping[str, str]) -> TestResponse:
    """What somebody who is signed in sees behind a link."""
    made = stage.ask("POST", "/v1/moderators/invites", {"site": "blog", "role": "viewer"})
    answer = stage.at_desk("/desk/sign-up", {"invite": made["link"]})
    stage.ask("DELETE", f"/v1/moderators/invites/{made['id']}")
    return answer


def _sign_up(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    return sign_up(stage, dict(typed) | {"password": "short"})


def _up_to(most: int) -> Callable[[str], str]:
    return lambda text: text[:most]


def _in_one_line(text: str) -> str:
    """Where each line is a thing of its own, and the refusal says again only the one that is wrong."""
    return " ".join(text.splitlines())[:300]


def _id(text: str) -> str:
    """What of a text can be the id of a page."""
    return "x " + "".join(filter(str.isprintable, text))[:150]


_OURS = ("name", "email", "website", "page_title", "redirect_to", "rating")
_THEIRS = ("author", "email", "url", "comment", "comment_post_ID", "comment_parent")
Send = Callable[[Stage, Mapping[str, str]], TestResponse]
ECHOES: list[tuple[str, Send, Callable[[str], str], tuple[str, ...]]] = [
    ("desk: late ruling", _late_ruling, _up_to(500), ("reason", "back")),  # first: the desk counts what waits
    ("embed: refused", _refused_form, str, (*_OURS, "page", "page_url", "parent_id", "body")),
    ("embed: refused in WordPress' names", _refused_form, str, _THEIRS),
    ("embed: previewed", _previewed_form, str, _OURS),
    ("embed: form", _form, _up_to(300), ("page_title", "redirect_to")),
    ("desk: search", _search, _up_to(200), ("q",)),
    ("desk: filter", _search, _up_to(40), ("reason",)),
    ("desk: page", _search, _id, ("page",)),
    ("desk: late", _late, _up_to(500), ("reason", "note", "back")),
    ("desk: refused edit", _refused_edit, str, ("body", "back")),
    ("desk: refused reply", _refused_reply, str, ("body", "back")),
    ("desk: refused settings", _refused_settings, str, ("name", "privacy_text", "privacy_url", "language", "origins")),
    ("desk: tried settings", _tried_settings, str, ("unasked",)),
    ("embed: refused change", _refused_change, str, ("body",)),
    ("embed: change for later", _change_for_later, _without_a_fragment, tuple(mine.Typed.__dataclass_fields__)),
    ("desk: refused reasons", _refused_reasons, str, ("code", "title", "sentence")),
    ("desk: refused webhook", _refused_webhook, str, ("url", "note")),
    ("desk: refused rule", _refused_rule, _up_to(300), ("value", "note", "until")),
    ("desk: refused lines", _refused_lines, _in_one_line, ("value", "note")),
    ("desk: refused look-up", _refused_look_up, _up_to(300), ("email",)),
    ("desk: sign-in", _sign_in, str, ("email", "next")),
    ("desk: sign-up", _sign_up, str, ("email", "name")),
    ("desk: invited", _invited, str, ()),
    ("desk: refused name", partial(_refused_name, path="/desk/account", deed="name"), str, ("name",)),
    ("desk: refused token", partial(_refused_name, path="/desk/account", deed="token"), str, ("name",)),
    ("desk: refused passkey", partial(_refused_name, path="/desk/account", deed="passkey"), str, ("name",)),
    ("desk: refused invitation", partial(_refused_name, path="/desk/team", deed="invite"), str, ("name",)),
]
"""What is sent, what of a text it takes, and the fields that come back."""
