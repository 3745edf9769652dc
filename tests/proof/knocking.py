"""Ways to knock at every limited door as many who are one: forged headers, other spellings, other doors."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from html import unescape
from ipaddress import ip_address
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.config import Settings

from .world import sent

FORGED = (
    "X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP", "X-Client-IP", "Client-IP",
    "X-Cluster-Client-IP", "Fastly-Client-IP", "Fly-Client-IP", "X-Azure-ClientIP", "X-Original-Forwarded-For",
    "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "X-ProxyUser-IP", "Via", "Remote-Addr", "X-Forwarded",
)  # fmt: skip
"""Headers by which somebody, somewhere, says who the client is."""

LIMIT = 5
_PLENTY = "1000000/year"
_LOW = f"{LIMIT}/year"  # no such window ends while a test runs, but on one day of the year
ORIGIN = "https://blog.example.org"


def forged(n: int) -> dict[str, str]:
    """Every header, naming an address that no request named before."""
    address = f"198.{18 + n % 2}.{n // 2 % 256}.{n // 512 + 1}"
    spelled = (address, f"{address}, 10.0.0.1", f"[2001:db8::{n:x}]:443", f"{address}:{1024 + n % 60_000}")[n % 4]
    return dict.fromkeys(FORGED, spelled) | {"Forwarded": f'for="{spelled}"', "Via": f"1.1 {spelled}"}


@dataclass
class Knocker:
    """Somebody who asks again and again, `peer` being who they are to the server."""

    client: FlaskClient
    peer: str
    csrf: str = ""
    said: str = ""
    """The id of a published comment."""
    refused: set[str] = field(default_factory=set)
    """The doors that answered 429."""

    def post(self, n: int, path: str, peer: str = "", method: str = "POST", **more: Any) -> TestResponse:
        here = {"REMOTE_ADDR": peer or self.peer}
        headers = forged(n) | more.pop("headers", {})
        answer = sent(self.client, path, method=method, headers=headers, environ_base=here, **more)
        if answer.status_code == 429:
            urls = self.client.application.url_map.bind("localhost")
            self.refused.add(f"{method} {urls.match(path, method=method, return_rule=True)[0].rule}")
        return answer

    def other(self, n: int) -> str:
        """A peer of another network."""
        first, second, *_ = self.peer.split(".")
        return f"{first}.{second}.{n // 250 + 1}.{n % 250 + 1}"


def comment(n: int, **changes: str) -> dict[str, str]:
    return {
        "page": f"/page/{n}", "name": "Ada", "email": f"c{n}@mail.example.org", "body": f"The word {n}."
    } | changes  # fmt: skip


def within(network: str, n: int) -> str:
    """The n-th address of an IPv6 network of 64 bits; those that are left are as odd as they may be."""
    return str(ip_address(int(ip_address(f"{network}::")) + (n * 0x9E3779B97F4A7C15 & 2**64 - 1)))


def _accepted(answer: TestResponse, *good: int) -> bool:
    """Whether it was; any answer but that and 429 is a mistake of the test, or of the service."""
    assert answer.status_code in (*good, 429), answer.text
    return answer.status_code != 429


def submit(who: Knocker, n: int) -> bool:
    if n % 2:
        return _accepted(who.post(n, "/embed/blog/comments", data=comment(n)), 303)
    return _accepted(who.post(n, "/v1/sites/blog/comments", json=comment(n)), 201, 202)


def preview(who: Knocker, n: int) -> bool:
    if n % 2:
        return _accepted(who.post(n, "/embed/blog/comments", data=comment(n, preview="1")), 200)
    return _accepted(who.post(n, "/v1/sites/blog/preview", json={"body": f"The word {n}."}), 200)


def vote(who: Knocker, n: int) -> bool:
    """From one address, so that of the devices only the first one counts."""
    path = f"/v1/sites/blog/comments/{who.said}/vote"
    return _accepted(who.post(n, path, json={"device": f"device-number-{n:08}"}), 200, 409)


def report(who: Knocker, n: int) -> bool:
    path = f"/v1/sites/blog/comments/{who.said}/report"
    return _accepted(who.post(n, path, json={"device": f"device-number-{n:08}", "reason": "spam"}), 202)


def mine(who: Knocker, n: int) -> bool:
    """With tokens that nobody has: guessing is counted too."""
    token = f"gra_{n:043}"
    if n % 3 == 2:
        return _accepted(who.post(n, "/mine", data={"token": token}), 401)
    about = {"json": {"id": who.said, "body": "Mine."}} if n % 3 else {"query_string": {"comment": who.said}}
    headers = {"Authorization": f"Author {token}"}
    answer = who.post(n, "/v1/mine", method=("DELETE", "PATCH")[n % 3], headers=headers, **about)
    return _accepted(answer, 401)


def page(who: Knocker, n: int) -> bool:
    """From everywhere, on one page, however it is spelled."""
    spelled = (
        "/one",
        f"{ORIGIN}/one",
        f"{ORIGIN.upper()}:443/one",
        f"{ORIGIN}/one#part-{n}",
        "/./two/../one",
        "/alias",
    )
    sender: dict[str, Any] = {"peer": who.other(n), "json": comment(n, page=spelled[n % len(spelled)])}
    return _accepted(who.post(n, "/v1/sites/blog/comments", **sender), 201, 202)


def site(who: Knocker, n: int) -> bool:
    return _accepted(who.post(n, "/v1/sites/blog/comments", peer=who.other(n), json=comment(n)), 201, 202)


def email(who: Knocker, n: int) -> bool:
    """With one address, however it is spelled: accepted is what is not held for it. The site publishes at once."""
    spelled = ("ada@mail.example.org", "ADA@mail.example.org", " Ada@Mail.Example.Org ")[n % 3]
    sender: dict[str, Any] = {"peer": who.other(n), "json": comment(n, email=spelled)}
    answer = who.post(n, "/v1/sites/blog/comments", **sender)
    assert answer.status_code in (201, 202), answer.text
    return answer.status_code == 201


def csrf_token(client: FlaskClient) -> str:
    """The token that the sign-in form gives to this browser."""
    form = sent(client, "/desk/sign-in").text
    tag = next(one for one in re.findall(r"<input[^>]*>", form) if 'name="csrf_token"' in one)
    return unescape(tag.partition('value="')[2].partition('"')[0])


def _sign_in(who: Knocker, n: int, address: str) -> bool:
    who.csrf = who.csrf or csrf_token(who.client)
    home = {"Origin": who.client.application.config["PUBLIC_URL"]}
    form_ = {"csrf_token": who.csrf, "email": address, "password": "not the right one"}
    return _accepted(who.post(n, "/desk/sign-in", data=form_, headers=home), 422)


def sign_in(who: Knocker, n: int) -> bool:
    return _sign_in(who, n, ("ada@example.org", "ADA@example.org", " Ada@Example.Org ")[n % 3])


def sign_in_anywhere(who: Knocker, n: int) -> bool:
    """By every door that lets people in."""
    if n % 3 == 0:
        return _sign_in(who, n, f"somebody{n}@example.org")
    who.csrf = who.csrf or csrf_token(who.client)
    home = {"Origin": who.client.application.config["PUBLIC_URL"]}
    if n % 3 == 1:
        return _accepted(who.post(n, "/desk/sign-up", data={"invite": f"gri_{n:043}"}, headers=home), 404)
    form_ = {"csrf_token": who.csrf, "credential": "{}"}
    return _accepted(who.post(n, "/desk/sign-in/passkey", data=form_, headers=home), 422)


Knock = Callable[[Knocker, int], bool]
LIMITED: dict[str, Knock] = {
    "limit_submit": submit,
    "limit_email": email,
    "limit_page": page,
    "limit_site": site,
    "limit_preview": preview,
    "limit_vote": vote,
    "limit_report": report,
    "limit_mine": mine,
    "limit_signin": sign_in,
    "limit_signin_address": sign_in_anywhere,
}
"""Each limit of the settings, and how to knock at what it guards. A limit that is absent fails a test."""
LIMITED_BY_SITE = {name: LIMITED[name] for name in ("limit_submit", "limit_page", "limit_site")}
"""Those that a site may have of its own."""
WHEREVER = {"limit_email", "limit_page", "limit_site"}
"""Those that hold from every address together; by all others each client is counted by itself."""
BY_ADDRESS = [name for name in LIMITED if name not in WHEREVER]


def only(app: Flask, limit: str, **more: Any) -> None:
    """Let this limit be LIMIT, and all others out of the way."""
    settings: Settings = app.extensions["greenroom_settings"]
    changes: dict[str, Any] = dict.fromkeys(LIMITED, _PLENTY) | {limit: _LOW, "trusted_proxies": []} | more
    app.extensions["greenroom_settings"] = replace(settings, **changes)


def taken(statuses: Iterable[int]) -> int:
    """How many submissions were accepted. Each is, or is refused for being too many; nothing else may happen."""
    counted = Counter(statuses)
    assert set(counted) <= {201, 202, 429}, counted
    return counted[201] + counted[202]


def beyond(accepted: int, limit: int = LIMIT) -> list[str]:
    """What is wrong about so many that were accepted."""
    return [] if accepted == limit else [f"{accepted} were accepted, {limit} should have been"]
