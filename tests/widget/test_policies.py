"""Pages with a Content-Security-Policy: the widget works, or leaves the link. Each report is expected by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Demo
from tests.processes import until

from .elsewhere import article, script, tag
from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

REPORTED = """addEventListener("securitypolicyviolation",
  (event) => console.log("reported", event.effectiveDirective, event.blockedURI), true)"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"

Expected = tuple[bool, list[str]]
"""Whether the widget works, and what the browser reports: the directive, and what it kept out."""

OURS = "{service}/widget.js"
BLOCKED: Expected = (False, [f"script-src-elem {OURS}"])
REAL: dict[str, Expected] = {
    "hugo-coder": BLOCKED,
    "warehouse": BLOCKED,
    "nothing-inline": BLOCKED,
    "strict-nonce": (True, []),
    "trusted-types": (True, ["trusted-types trusted-types-policy"]),
    "frame-only": BLOCKED,
}
"""By the names in the file; on the page with a nonce the tag has it, as every script there must."""

CLOSED = "default-src 'none'; script-src {service}"
OPEN = f"{CLOSED}; connect-src {{service}}"
MORE: dict[str, tuple[str, Expected]] = {
    "exactly ours": (OPEN, (True, [])),
    "our policy of types": (f"{OPEN}; require-trusted-types-for 'script'; trusted-types greenroom", (True, [])),
    "no policy of types": (
        f"{OPEN}; require-trusted-types-for 'script'; trusted-types 'none'",
        (True, ["trusted-types trusted-types-policy"]),
    ),
    "types of anybody": (f"{OPEN}; require-trusted-types-for 'script'", (True, [])),
    "a sandbox": (f"{OPEN}; sandbox allow-scripts allow-same-origin", (True, [])),
    "no connection": (CLOSED, (False, ["connect-src {service}/v1/"])),
    "a nonce missing": ("script-src 'nonce-R4nd0m' 'strict-dynamic'; object-src 'none'; base-uri 'none'", BLOCKED),
}


@pytest.fixture
def reader(reader: Reader, talk: Talk) -> Reader:
    talk.say("It stays *with you*.\n\n1. [a link](https://x.example.org/?a=1&b=2)\n2. `<b>` & more")
    reader.window.context.add_init_script(REPORTED)
    return reader


@pytest.fixture
def console(watch: Any) -> Iterator[list[str]]:
    """What pages say; their complaints about policies are what is looked at here."""
    yield watch.console


def reports(reader: Reader, console: list[str]) -> list[str]:
    reader.window.evaluate(SETTLED)
    return [text.removeprefix("reported ") for text in console if text.startswith("reported ")]


def visit(reader: Reader, policy: str, nonce: str = "") -> None:
    told = {"nonce": nonce} if nonce else {}
    html = article(tag(reader.service, reader.page), script(reader.service, **told))
    url = reader.theirs.put(reader.page, html, Content_Security_Policy=policy.format(service=reader.service))
    reader.window.goto(url)


def judge(reader: Reader, console: list[str], expected: Expected) -> None:
    """The comments are there, or the link to them; and nothing was reported but what is expected."""
    works, wanted = expected
    if works:
        reader.waits()
        assert reader.bodies()[0].startswith("It stays with you."), reader.bodies()
        assert reader.part("form").is_visible()
        ordered = reader.part("body").first.locator("ol a")
        assert (ordered.get_attribute("href"), ordered.text_content()) == ("https://x.example.org/?a=1&b=2", "a link")
        assert reader.part("body").first.locator("code").text_content() == "<b>"
        assert reader.style("[part~=comment] svg", "width") == "40px"
        assert reader.part("avatar").first.is_visible()
    if any(name.startswith("connect-src") for name in wanted):
        reader.window.wait_for_selector(f"{THREAD}[state=failed]")
    found = reports(reader, console)
    assert len(found) == len(wanted), found
    for one, name in zip(found, wanted, strict=True):
        assert one.startswith(name.format(service=reader.service)), found
    if not works:
        leads_on(reader)


def leads_on(reader: Reader) -> None:
    """The link can be seen, and the comments are where it leads."""
    reader.link().wait_for()
    reader.link().click()
    reader.window.wait_for_url(f"{reader.service}/embed/demo?page=**")
    assert "It stays with you." in reader.window.inner_text("main")


@pytest.mark.parametrize("name", REAL)
def test_a_real_policy(reader: Reader, console: list[str], shared: Path, name: str) -> None:
    listed = {one["name"]: one for one in json.loads((shared / "real/page-csp/policies.json").read_text())}
    assert listed.keys() == REAL.keys()

    visit(reader, listed[name]["csp"], nonce="R4nd0m" if name == "strict-nonce" else "")

    judge(reader, console, REAL[name])


@pytest.mark.parametrize("name", MORE)
def test_a_policy_for_us(reader: Reader, console: list[str], name: str) -> None:
    policy, expected = MORE[name]

    visit(reader, policy)

    judge(reader, console, expected)


def test_everything_works_under_the_narrowest_policy(reader: Reader, console: list[str], talk: Talk) -> None:
    """Form, preview, reply, vote, report and another language: nothing of them is reported."""
    policy = f"{OPEN}; require-trusted-types-for 'script'; trusted-types greenroom"
    html = article(tag(reader.service, reader.page, lang="de"), script(reader.service))
    url = reader.theirs.put(reader.page, html, Content_Security_Policy=policy.format(service=reader.service))
    reader.visits(url)

    reader.does("vote").first.click()
    reader.does("report").first.click()
    reader.answers(talk.said()[0]["id"])
    reader.types(body="A *thought*.")
    reader.does("preview").click()
    reader.window.wait_for_selector(f"{THREAD} form em")
    reader.posts(body="A *thought*.")

    assert reports(reader, console) == []


def test_the_console_says_what_a_policy_would_need(reader: Reader, console: list[str]) -> None:
    visit(reader, CLOSED)
    reader.window.wait_for_selector(f"{THREAD}[state=failed]")
    reports(reader, console)

    assert [text for text in console if "Greenroom" in text and f"connect-src {reader.service}" in text]


def test_the_console_says_that_the_origin_may_not_be_the_sites(
    reader: Reader, service: Demo, console: list[str]
) -> None:
    """The commonest slip of all: `www.` is another origin."""
    service.command("sites", "add", "strangers", "--origin", "https://elsewhere.example.org")
    reader.window.goto(reader.publish(tag(reader.service, "/x", site="strangers")))
    reader.window.wait_for_selector(f"{THREAD}[state=failed]")

    asked = f"Is {reader.theirs.origin} one of the site's origins?"
    until(lambda: reader.window.evaluate("1") and [text for text in console if "Greenroom" in text and asked in text])


def test_a_report_that_nobody_expects_is_seen(reader: Reader, console: list[str]) -> None:
    """The control."""
    visit(reader, f"{OPEN}; img-src 'none'")
    reader.waits()
    reader.window.evaluate("document.body.append(Object.assign(new Image(), { src: '/pixel.png' }))")

    with pytest.raises(AssertionError, match="img-src"):
        judge(reader, console, (True, []))
