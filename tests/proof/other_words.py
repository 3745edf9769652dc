"""Words that are no comments: titles, ids of pages, reasons, sites and staff.

All of them are lines in which several payloads stand together; each has to come back whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

from service.accounts import operations as accounts
from service.accounts.operations import NewToken
from service.accounts.principal import of_moderator, of_token
from service.db import transaction
from service.errors import Invalid
from service.moderation import operations as moderation
from service.moderation.operations import Verdict
from service.sites import operations as sites
from service.sites.schemas import settings_from
from tests.support import FULL

from .parsers import same
from .payloads import written
from .stage import TALK, Stage
from .world import sent
from .write_paths import planted

SOME = 5 if FULL else 2
"""Comments on which the reasons of many decisions, and the names of many moderators, are seen together."""

Found = tuple[int, list[str]]
"""How many payloads were tried, and what was wrong."""
Packs = Sequence[list[str]]


def _back(told: Mapping[Any, str], shown: Mapping[Any, str | None], what: str) -> Iterator[str]:
    for key, text in told.items():
        if not same(text, shown.get(key) or ""):
            yield f"the {what} {text!r} came back as {shown.get(key)!r}"


def titles(stage: Stage, opened: Packs, renamed: Packs) -> Found:
    """Titles with which moderators open pages, and to which they rename them."""
    told: dict[str, str] = {}

    def opens(title: str) -> bool:
        page = stage.ask("POST", "/v1/pages", {"site": "blog", "page": f"{len(told)} {title[:150]}", "title": title})
        return "errors" not in page and bool(told.setdefault(page["id"], title))

    def renames(title: str) -> bool:
        again = next(ids)
        is_taken = "errors" not in stage.ask("PATCH", f"/v1/pages/{again}", {"title": title})
        told.update({again: title} if is_taken else {})
        return is_taken

    def shown() -> dict[str, str]:
        return {one["id"]: one["title"] for one in stage.every("/v1/pages?site=blog", "pages")}

    number = sum(written(opened, opens))
    faults = list(_back(told, shown(), "title"))
    ids = cycle(list(told))
    number += sum(written(renamed, renames))
    faults += _back(told, shown(), "title")
    renaming = stage.every("/v1/audit?site=blog&action=page.renamed", "entries")
    latest: dict[str, str] = {}
    for entry in renaming:
        latest.setdefault(entry["subject_id"], entry["details"]["after"])
    faults += _back({id_: told[id_] for id_ in latest}, latest, "title in the audit log")
    return number, faults


def aliases(stage: Stage, packs: Packs) -> Found:
    """Ids by which a site calls its pages, as other addresses of one page."""
    page = stage.ask("POST", "/v1/pages", {"site": "blog", "page": TALK})["id"]
    told: list[str] = []

    def write(name: str) -> bool:
        taken = "errors" not in stage.ask("POST", f"/v1/pages/{page}/aliases", {"page": f"x {name}"})
        told.extend([f"id:x {name}"] if taken else [])
        return taken

    number = sum(written(packs, write))
    shown = [one["details"]["alias"] for one in stage.every("/v1/audit?site=blog&action=page.alias", "entries")]
    return number, list(_back(dict(enumerate(told)), dict(enumerate(reversed(shown))), "id"))


def decisions(stage: Stage, by_api: Packs, by_desk: Packs, folder: Path) -> Found:
    """Reasons and notes of decisions, one by one or many at once, and at the desk; the pages that tell a history."""
    ids = planted(stage, SOME, folder)
    turns = [(one, decision) for decision in ("delete", "restore", "approve") for one in ids]
    told: list[tuple[str, str]] = []

    def at_desk(one: str, values: Mapping[str, str]) -> bool:
        return (
            stage.at_desk(f"/desk/comments/{one}/decision", {**values, "note": f"Note: {values['reason']}"}).status_code
            == 303
        )

    def by_program(one: str, values: Mapping[str, str]) -> bool:
        if len(told) % 2:
            many = dict(values) | {"items": [{"id": one, "if_match": "*"}]}
            return "errors" not in stage.ask("POST", "/v1/moderation/decisions", many)
        noted = dict(values) | {"note": f"Note: {values['reason']}"}
        return "errors" not in stage.ask("POST", f"/v1/moderation/comments/{one}/decision", noted)

    def write(reason: str, by: Callable[[str, Mapping[str, str]], bool]) -> bool:
        one, decision = turns[len(told) % len(turns)]
        is_taken = by(one, {"decision": decision, "reason": reason})
        told.extend([(one, reason)] if is_taken else [])
        return is_taken

    number = sum(written(by_api, partial(write, by=by_program))) + sum(written(by_desk, partial(write, by=at_desk)))
    faults: list[str] = []
    for one in ids:
        history = stage.ask("GET", f"/v1/moderation/comments/{one}")["history"]
        reasons = [entry["details"]["reason"] for entry in history if entry["details"].get("reason")]
        meant = [reason for id_, reason in told if id_ == one]
        faults += _back(dict(enumerate(meant)), dict(enumerate(reversed(reasons))), "reason")
    faults += stage.page_faults(["/desk/?status=all&limit=100", *(f"/desk/comments/{one}" for one in ids)])
    return number, faults


def reports(stage: Stage, packs: Packs, folder: Path) -> Found:
    """Notes of readers who report a comment; the page and the answer that show the latest of them."""
    (one,) = planted(stage, 1, folder)
    told: list[str] = []

    def write(note: str) -> bool:
        is_taken = stage.report(one, note).status_code == 202
        told.extend([note] if is_taken else [])
        return is_taken

    number = sum(written(packs, write))
    shown = [row["note"] for row in stage.ask("GET", f"/v1/moderation/comments/{one}")["reports"]]
    faults = list(_back(dict(enumerate(told[-len(shown) :])), dict(enumerate(reversed(shown))), "note of a report"))
    return number, faults + list(stage.page_faults([f"/desk/comments/{one}"]))


def of_sites(stage: Stage, names: Packs, privacy: Packs, folder: Path) -> Found:
    """Names of sites, the lines about privacy below their forms and where these lead, as the commands set them."""
    planted(stage, 1, folder)
    lines_ = cycle(" ".join(pack) for pack in privacy)
    told: dict[str, str] = {}

    def write(name: str) -> bool:
        key = f"s{len(told)}-{stage.visitors}"
        try:
            with transaction():
                link = "https://example.org/?" + "".join(name.split())
                values = settings_from([f"name={name}", f"privacy_text={next(lines_)}", f"privacy_url={link}"])
                made = sites.add_site(key, values["name"], ["https://s.example.org"], actor="test")
                sites.change_site(made, values, actor="test")
        except Invalid:
            return False
        told[key] = name
        return True

    number = sum(written(names, write))
    with transaction():
        ours = stage.ours()
        sites.change_site(ours, {"name": next(iter(told.values()), "Blog")}, actor="test")
    shown = {one["key"]: one["name"] for one in stage.ask("GET", "/v1/sites?limit=100")["sites"]}
    faults = list(_back(told, shown, "name of a site"))
    for key in list(told)[:5]:
        feed = sent(stage.client, f"/v1/sites/{key}/feed.atom")
        faults += [] if feed.status_code == 200 else [f"the feed of {told[key]!r} is {feed.status_code}"]
    faults += stage.page_faults(["/desk/?status=all", *(f"/embed/{key}/form?page=x" for key in told)])
    return number, faults


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
                for who in (of_moderator(person), of_token(token, person)):
                    moderation.reveal(UUID(one), who)
                moderation.decide(UUID(one), Verdict(decision), of_moderator(person), "*")
        except Invalid:
            return False
        told.append(name)
        return True

    number = sum(written(names, write))
    return number, list(stage.page_faults(["/desk/?status=all&limit=100", *(f"/desk/comments/{one}" for one in ids)]))
