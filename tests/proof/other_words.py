"""Words that are no comments: titles, ids of pages, reasons, sites and staff.

All of them are lines in which several payloads stand together; each has to come back whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote

from service.db import transaction
from service.errors import Invalid
from service.sites import operations as sites
from service.sites.schemas import settings_from
from tests.support import FULL

from .hooked import URL
from .parsers import same
from .payloads import is_a_line, written
from .stage import TALK, Said, Stage
from .world import sent
from .write_paths import UNLIKE, planted, settle

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
        page = stage.ask(
            "POST", "/v1/pages", {"site": "blog", "page": f"{len(told)} {_ascii(title)[:150]}", "title": title}
        )
        return "errors" not in page and bool(told.setdefault(page["id"], title))

    def renames(title: str) -> bool:
        again = next(ids)
        is_taken = "errors" not in stage.ask("PATCH", f"/v1/pages/{again}", {"title": title})
        told.update({again: title} if is_taken else {})
        return is_taken

    def shown() -> dict[str, str]:
        return {one["id"]: one["title"] for one in stage.every("/v1/pages?site=blog", "pages")}

    number = written(opened, opens)
    faults = list(_back(told, shown(), "title"))
    ids = cycle(list(told))
    number += written(renamed, renames)
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

    number = written(packs, write)
    shown = [one["details"]["alias"] for one in stage.every("/v1/audit?site=blog&action=page.alias", "entries")]
    return number, list(_back(dict(enumerate(told)), dict(enumerate(reversed(shown))), "id"))


def settings(stage: Stage, by_api: Packs, by_desk: Packs) -> Found:
    """Names and privacy lines of a site, by API and at the desk, each read back at once; an address of neither kind."""
    faults: list[str] = []

    def takes(text: str) -> bool:
        values = {"name": text, "privacy_text": text, "privacy_url": _led_to(text)}
        answer = stage.ask("PATCH", "/v1/sites/blog", values)
        if "errors" not in answer:
            faults.extend(_back(values, answer, "setting"))
        return "errors" not in answer

    def takes_at_desk(text: str) -> bool:
        values = {"name": text, "privacy_text": text, "privacy_url": _led_to(text)}
        is_taken = stage.at_desk("/desk/sites/blog", _form_of(stage) | values).status_code == 303
        if is_taken:
            faults.extend(_back(values, stage.ask("GET", "/v1/sites/blog"), "setting"))
        return is_taken

    for pack in (*by_api[:1], *by_desk[:1]):
        address = {"privacy_url": " ".join(pack)}
        assert "privacy_url" in stage.ask("PATCH", "/v1/sites/blog", address)["errors"]
        assert stage.at_desk("/desk/sites/blog", _form_of(stage) | {"name": "x"} | address).status_code == 422
    number = written(by_api, takes) + written(by_desk, takes_at_desk)
    faults += stage.page_faults(["/desk/sites", "/desk/sites/blog", "/desk/audit"])
    again = {"name": "Blog", "privacy_text": "Ask us.", "privacy_url": "https://example.org/"}
    assert "errors" not in stage.ask("PATCH", "/v1/sites/blog", again)
    return number, faults  # with words of its own: those that pages were compared with are no change of anybody's


def _led_to(text: str) -> str:
    """An address with as much of a text in it as there is room for."""
    return f"https://example.org/?{quote(_ascii(text)[:80], safe='')}"


def _ascii(text: str) -> str:
    """What addresses and ids of pages take of a text: they may be stricter than its own field."""
    return "".join(one for one in text if " " <= one <= "~")


def _form_of(stage: Stage) -> dict[str, str]:
    """The form of a site's settings, as they are."""
    return {"mode": "post", "origins": stage.origin, "depth": "2", "language": "en", "retention_days": "365",
            "rating_max": "100", "schema_type": "Movie"}  # fmt: skip


def decisions(stage: Stage, by_api: Packs, by_desk: Packs, folder: Path) -> Found:
    """Reasons and notes of decisions, one by one or many at once, and at the desk; the pages that tell a history."""
    ids = planted(stage, SOME, folder)
    turns = [(one, decision) for decision in ("delete", "restore", "approve") for one in ids]
    told: list[tuple[str, str]] = []

    def at_desk(one: str, values: Mapping[str, str]) -> bool:
        noted = {**values, "note": f"Note: {values['reason']}"}
        return stage.at_desk(f"/desk/comments/{one}/decision", noted).status_code == 303

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

    number = written(by_api, partial(write, by=by_program)) + written(by_desk, partial(write, by=at_desk))
    faults: list[str] = []
    for one in ids:
        history = stage.ask("GET", f"/v1/moderation/comments/{one}")["history"]
        reasons = [entry["details"]["reason"] for entry in history if entry["details"].get("reason")]
        meant = [reason for id_, reason in told if id_ == one]
        faults += _back(dict(enumerate(meant)), dict(enumerate(reversed(reasons))), "reason")
    faults += stage.page_faults(["/desk/?status=all&limit=100", *(f"/desk/comments/{one}" for one in ids)])
    return number, faults


def answers(stage: Stage, packs: Packs, folder: Path) -> Found:
    """Notes of moderators and replies in the name of the site, by program and at the desk; the pages that show them."""
    ids = planted(stage, SOME, folder)
    noted: list[tuple[str, str]] = []
    replies: dict[str, Said] = {}

    def write(text: str) -> bool:
        one, note = ids[len(noted) % len(ids)], text[:2000]
        if len(noted) % 2:
            typed = {"note": note, "body": text, "back": text}
            taken = [stage.at_desk(f"/desk/comments/{one}/{door}", typed).status_code for door in ("notes", "reply")]
            is_taken = taken == [303, 303]
            made = stage.newest() if is_taken else ""
        else:
            is_taken = "errors" not in stage.ask("POST", f"/v1/moderation/comments/{one}/notes", {"note": note})
            made = stage.ask("POST", f"/v1/moderation/comments/{one}/reply", {"body": text}).get("id", "")
        noted.extend([(one, note)] if is_taken else [])
        replies.update({made: Said(stage.ours().name, text)} if made else {})
        return is_taken

    number = written(packs, write)
    faults: list[str] = []
    for one in ids:
        shown = [row["note"] for row in stage.ask("GET", f"/v1/moderation/comments/{one}")["notes"]]
        meant = [note for id_, note in noted if id_ == one]
        faults += _back(dict(enumerate(meant[-len(shown) :])), dict(enumerate(shown)), "note")
    faults += stage.faults(replies)
    return number, faults + list(stage.page_faults([f"/desk/comments/{one}" for one in ids]))


def kept(stage: Stage, packs: Packs, folder: Path) -> Found:
    """Names of filters, and the reasons of a site's list, by program and at the desk; the pages that show them."""
    planted(stage, 1, folder)
    told: list[dict[str, str]] = []
    faults: list[str] = []

    def write(text: str) -> bool:
        row = {"code": f"c{len(told)}", "title": text[:80], "sentence": text[:300]}
        is_taken = _keep(stage, text, row, at_desk=bool(len(told) % 2))
        if is_taken:
            (shown,) = stage.ask("GET", "/v1/sites/blog/reasons")["reasons"]
            names = {one["id"]: one["name"] for one in stage.ask("GET", "/v1/moderation/filters")["filters"]}
            faults.extend(_back(row, shown, "reason of a site's list"))
            faults.extend(_back({"name": text[:60]}, {"name": next(iter(names.values()), None)}, "name of a filter"))
            for one in names:
                sent(stage.client, f"/v1/moderation/filters/{one}", method="DELETE", headers=stage.bearer)
            told.append(row)
        return is_taken

    number = written(packs, write)
    for text in [" ".join(pack) for pack in packs][:1]:  # of several the order is that of their names
        stage.ask("POST", "/v1/moderation/filters", {"name": text[:60], "filter": {"q": text[:190]}})
    return number, faults + list(stage.page_faults(["/desk/", "/desk/?status=all", "/desk/filters", "/desk/reasons"]))


def _keep(stage: Stage, text: str, row: dict[str, str], *, at_desk: bool) -> bool:
    """Both are kept, or none."""
    if at_desk:
        if stage.at_desk("/desk/filters", {"name": text[:60], "back": text}).status_code != 303:
            return False
        return stage.at_desk("/desk/reasons", {"site": "blog", **row}).status_code == 303
    asked = {"name": text[:60], "filter": {"q": text[:190]}}
    if "errors" in stage.ask("POST", "/v1/moderation/filters", asked):
        return False
    return "errors" not in stage.ask("PUT", "/v1/sites/blog/reasons", {"reasons": [row]})


def hooks(stage: Stage, packs: Packs) -> Found:
    """Notes on webhooks, made and changed by program and at the desk; the pages that show them."""
    there, page, told = "/v1/webhooks/endpoints", "/desk/webhooks", {"site": "blog", "url": URL}
    faults: list[str] = []
    count, one = 0, ""

    def made() -> list[str]:
        return [found["id"] for found in stage.ask("GET", f"{there}?site=blog")["endpoints"]]

    def write(text: str) -> bool:
        nonlocal count, one
        way, note, before = count % 4, {"note": text[:200]}, made()
        if way == 0:
            is_taken = "errors" not in stage.ask("POST", there, told | note)
        elif way == 1:
            is_taken = "errors" not in stage.ask("PATCH", f"{there}/{one}", note)
        elif way == 2:
            is_taken = stage.at_desk(page, told | note).status_code == 200
        else:
            is_taken = stage.at_desk(f"{page}/{one}", {"deed": "change", "url": URL} | note).status_code == 303
        if is_taken:
            count, one = count + 1, next((new for new in made() if new not in before), one)
            faults.extend(_back(note, stage.ask("GET", f"{there}/{one}"), "note on a webhook"))
            for old in set(before) - {one}:
                sent(stage.client, f"{there}/{old}", method="DELETE", headers=stage.bearer)
        return is_taken

    number = written(packs, write)
    for address in ({"url": " ".join(pack)} for pack in packs[:1]):
        for method, path, document in (("POST", there, told), ("PATCH", f"{there}/{one}", {})):
            assert "url" in stage.ask(method, path, document | address)["errors"]
        for path, form in ((page, told), (f"{page}/{one}", {"deed": "change"})):
            assert stage.at_desk(path, form | address).status_code == 422
    return number, faults + list(stage.page_faults([page, f"{page}/{one}"]))


def reports(stage: Stage, packs: Packs, folder: Path) -> Found:
    """Notes of readers who report a comment; the page and the answer that show the latest of them."""
    (one,) = planted(stage, 1, folder)
    told: list[str] = []

    def write(note: str) -> bool:
        is_taken = stage.report(one, note).status_code == 202
        told.extend([note] if is_taken else [])
        return is_taken

    number = written(packs, write)
    shown = [row["note"] for row in stage.ask("GET", f"/v1/moderation/comments/{one}")["reports"]]
    faults = list(_back(dict(enumerate(told[-len(shown) :])), dict(enumerate(reversed(shown))), "note of a report"))
    return number, faults + list(stage.page_faults([f"/desk/comments/{one}"]))


def changes(stage: Stage, packs: Packs) -> Found:
    """What authors want changed, by program and on their page, and why it is refused; the pages that show it."""
    told: dict[str, tuple[str, str]] = {}

    def write(text: str) -> bool:
        n = len(told)
        said = stage.say({"page": TALK, "name": "Ada", "email": stage.email, "body": UNLIKE}).json or {}
        token = said["author_token"]
        is_taken = stage.change(token, said["id"], text, on_page=bool(n % 2)).status_code == 200
        told.update({said["id"]: (token, text)} if is_taken else {})
        return is_taken

    number = written(packs, write)
    ids = list(told)
    faults: list[str] = []
    for n, one in enumerate(ids):
        (held,) = stage.ask("GET", f"/v1/moderation/comments/{one}")["revisions"]
        faults += _back({one: told[one][1]}, {one: held["text"]}, "change of a text")
        if n % 4 < 2:
            wanted = {"decision": ("accept", "refuse")[n % 2], "revision": held["id"], "reason": told[one][1][:500]}
            settle(stage, one, wanted, at_desk=bool(n % 4))
    accepted = {one: Said("Ada", told[one][1]) for n, one in enumerate(ids) if n % 4 == 0}
    faults += stage.faults(accepted)
    seen = [f"/desk/comments/{one}" for one in ids[:8]] + [f"/mine#{told[one][0]}" for one in ids[:8]]
    return number, faults + list(stage.page_faults(seen))


def rulings(stage: Stage, packs: Packs) -> Found:
    """Notes on rules, by program and at the desk, about what an owner names and about people; the pages with them."""
    said = ({"page": TALK, "name": "Ada", "email": stage.email, "body": f"Number {n}."} for n in range(SOME))
    ids = [(stage.say(values).json or {})["id"] for values in said]
    told: dict[str, str] = {}

    def write(note: str) -> bool:
        n = len(told)
        name, person = {"site": "blog", "kind": "domain", "value": f"d{n}.example"}, ids[n % len(ids)]
        if n % 3 == 0:
            is_taken = "errors" not in stage.ask("POST", "/v1/rules", name | {"effect": "hold", "note": note})
        elif n % 3 == 1:
            is_taken = stage.at_desk("/desk/rules", name | {"deed": "week", "note": note}).status_code == 303
        else:
            for rule in stage.ask("GET", f"/v1/people/{person}")["rules"]:
                assert stage.at_desk(f"/desk/rules/{rule['id']}", {"end": "now"}).status_code == 303
                told.pop(rule["id"])
            values = {"deed": "trust", "note": note}
            is_taken = stage.at_desk(f"/desk/people/{person}/rules", values).status_code == 303
        newest = stage.ask("GET", "/v1/rules?limit=1")["rules"] if is_taken else []
        told.update({one["id"]: note for one in newest})
        return is_taken

    number = written(packs, write)
    shown = {one["id"]: one["note"] for one in stage.every("/v1/rules?site=blog", "rules")}
    faults = list(_back(told, shown, "note on a rule"))
    seen = ["/desk/rules?limit=100", *(f"/desk/people/{one}" for one in ids)]
    return number, faults + list(stage.page_faults(seen))


def _is_made(key: str, name: str, line: str, link: str) -> bool:
    """Add a site of this name, line about privacy and link; False where one of them is refused."""
    try:
        with transaction():
            values = settings_from([f"name={name}", f"privacy_text={line}", f"privacy_url={link}"])
            made = sites.add_site(key, values["name"], ["https://s.example.org"], actor="test")
            sites.change_site(made, values, actor="test")
    except Invalid:
        return False
    return True


def of_sites(stage: Stage, names: Packs, privacy: Packs, folder: Path) -> Found:
    """Names of sites, the lines about privacy below their forms and where these lead, as the commands set them."""
    planted(stage, 1, folder)
    lines_ = cycle(filter(is_a_line, (" ".join(pack) for pack in privacy)))
    told: dict[str, str] = {}

    def write(name: str) -> bool:
        key, line = f"s{len(told)}-{stage.visitors}", next(lines_)
        as_it_is = f"https://example.org/?{''.join(name.split())}"
        if not any(_is_made(key, name, line, link) for link in (as_it_is, _led_to(name))):
            return False
        told[key] = name
        return True

    number = written(names, write)
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
