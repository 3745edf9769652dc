"""Words of moderators about themselves: names, tokens, invitations; kept, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from uuid import UUID, uuid4

from werkzeug.test import TestResponse

from service.accounts import operations as accounts
from service.accounts.holders.queries import token_with
from service.accounts.operations import NewToken
from service.accounts.principal import of_moderator, of_token
from service.db import transaction
from service.errors import Invalid
from service.moderation import operations as moderation
from service.moderation.operations import Verdict
from tests.desk.conftest import HOME, PASSWORD, Browser

from .other_words import SOME, Found, Packs
from .parsers import by_lexbor
from .payloads import written
from .stage import Stage
from .world import sent
from .write_paths import planted


def of_staff(stage: Stage, names: Packs, folder: Path) -> Found:
    """Names of moderators and of their tokens, and what says which of them did something."""
    ids = planted(stage, SOME, folder)
    turns = [(one, decision) for decision in ("reject", "spam") for one in ids]
    told: list[str] = []

    def write(name: str) -> bool:
        one, decision = turns[len(told) % len(turns)]
        try:
            with transaction():
                address = f"m{len(told)}@staff.example.org"
                person = accounts.add_moderator(address, name, None, actor="test", is_admin=True)
                token = accounts.issue_token(person, NewToken(name, ("moderate",)), actor="test").token
                found = token_with(id_=token.id)
                for who in (of_moderator(person), found and of_token(*found)):
                    assert who
                    moderation.reveal(UUID(one), who)
                moderation.decide(UUID(one), Verdict(decision), of_moderator(person), "*")
        except Invalid:
            return False
        told.append(name)
        return True

    number = written(names, write)
    return number, list(stage.page_faults(["/desk/?status=all&limit=100", *(f"/desk/comments/{one}" for one in ids)]))


def names(stage: Stage, packs: Packs) -> Found:
    """Names of tokens, notes on invitations, one's own name and a newcomer's; the pages that show them."""
    ways = cycle((_token, _token_at_desk, _invitation, _invitation_at_desk, _own_name, _newcomer))
    way, before = next(ways), _tokens(stage)

    def write(name: str) -> bool:
        nonlocal way
        is_taken = way(stage, name[:80])
        way = next(ways) if is_taken else way
        return is_taken

    number = written(packs, write)
    faults = list(stage.page_faults(["/desk/account", "/desk/team?site=blog"]))
    with transaction():
        accounts.rename(stage.admin(), "Admin", actor="test")
    for one in _tokens(stage) - before:  # an account has so many at most
        sent(stage.client, f"/v1/tokens/{one}", method="DELETE", headers=stage.bearer)
    return number, faults


def _tokens(stage: Stage) -> set[str]:
    return {one["id"] for one in stage.ask("GET", "/v1/tokens")["tokens"]}


def _token(stage: Stage, name: str) -> bool:
    made = stage.ask("POST", "/v1/tokens", {"name": name, "scopes": ["read"], "site": "blog"})
    return "errors" not in made


def _token_at_desk(stage: Stage, name: str) -> bool:
    typed = {"deed": "token", "name": name, "power": "read", "site": "blog", "days": "9", "old": PASSWORD}
    return stage.at_desk("/desk/account", typed).status_code == 200


def _invitation(stage: Stage, name: str) -> bool:
    made = stage.ask("POST", "/v1/moderators/invites", {"site": "blog", "role": "viewer", "name": name})
    return "errors" not in made


def _invitation_at_desk(stage: Stage, name: str) -> bool:
    typed = {"deed": "invite", "site": "blog", "role": "viewer", "name": name}
    return stage.at_desk("/desk/team", typed).status_code == 200


def _own_name(stage: Stage, name: str) -> bool:
    return stage.at_desk("/desk/account", {"deed": "name", "name": name}).status_code == 303


def _newcomer(stage: Stage, name: str) -> bool:
    """Somebody is invited, and calls themselves so."""
    answer = sign_up(stage, {"email": f"n{uuid4().hex}@staff.example.org", "name": name, "password": PASSWORD})
    return answer.status_code == 303


def sign_up(stage: Stage, typed: Mapping[str, str]) -> TestResponse:
    """The form behind a new invitation, filled in by somebody who is not signed in."""
    made = stage.ask("POST", "/v1/moderators/invites", {"site": "blog", "role": "viewer"})
    client = Browser(stage.app, stage.client.response_wrapper, use_cookies=True)
    form = {"invite": made["link"].partition("#")[2]}
    page = client.post("/desk/sign-up", data=form, headers={"Origin": HOME})
    csrf = next(one.get("value") for one in by_lexbor(page.text) if one.get("name") == "csrf_token")
    form |= {"accept": "yes", "csrf_token": csrf, **typed}
    answer: TestResponse = client.post("/desk/sign-up", data=form, headers={"Origin": HOME})
    if answer.status_code != 303:
        stage.ask("DELETE", f"/v1/moderators/invites/{made['id']}")
    return answer
