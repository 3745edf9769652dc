"""Hostile texts behind the widget's buttons: in previews, replies and boxes, and in what waits or is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.comments.test_rendering import PAYLOADS
from tests.processes import until

from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

HOSTILE = '"></title></textarea></script><img src=x onerror=alert(1)>'
"""Gets out of anything that it is not kept in."""
LINKS = "https://one.example.org https://two.example.org"
"""A comment with both of them waits for a moderator."""

_HARM = """one => [...one.shadowRoot.querySelectorAll("*")].filter((part) =>
  part.matches("script, img, iframe, object, embed, style, link, base, meta, video, audio, image")
  || part.getAttributeNames().some((name) => name.startsWith("on"))
  || [part.href?.baseVal ?? part.href, part.action].some((url) => /^\\s*(javascript|data|vbscript):/i.test(url))
).map((part) => part.outerHTML.slice(0, 200))"""


def harm(reader: Reader) -> list[str]:
    """What stands in the widget that nobody who writes may put there. What is executed, the window tells."""
    found: list[str] = reader.window.locator(THREAD).evaluate(_HARM)
    return found


@pytest.mark.parametrize("text", [HOSTILE, *PAYLOADS[::12]])
def test_nothing_is_executed_behind_its_buttons(reader: Reader, talk: Talk, text: str) -> None:
    said = talk.say(text, HOSTILE)
    for one in talk.waiting():
        talk.decide(one["id"])
    reader.opens()

    reader.answers(said)
    assert f"Reply to {HOSTILE}" in reader.part("form").text_content()
    reader.types(body=text)
    reader.does("preview").click()
    reader.part("preview").wait_for()
    assert harm(reader) == []

    told = reader.posts(name=HOSTILE, body=f"{text}\n\n{LINKS}")
    assert told["status"] == "pending"
    reader.does("edit", reader.comment(told["id"])).click()
    typed = reader.comment(told["id"]).locator("textarea").input_value()
    assert typed.split() == [*text.split(), *LINKS.split()]
    assert harm(reader) == []

    reader.does("report", reader.comment(said)).first.click()
    reader.types(name=HOSTILE, email="ada@mail.example.org", body=text)
    reader.window.context.set_offline(True)
    reader.sends()
    reader.part("kept").filter(has_text="Not sent yet.").wait_for()
    assert text.strip() in reader.part("kept").text_content()
    assert harm(reader) == []
    reader.does("takeback").click()
    until(lambda: reader.part("kept").count() == 0)
    assert harm(reader) == []


def test_what_is_executed_is_seen(reader: Reader, watch: Any) -> None:
    """The control: a server that does not clean what it answers."""
    reader.window.context.route(
        "**/preview", lambda route: route.fulfill(response=route.fetch(), json={"html": f"<p>{HOSTILE}</p>"})
    )
    reader.opens()
    reader.types(body="Words.")
    reader.does("preview").click()
    reader.part("preview").wait_for()

    assert len(harm(reader)) == 1
    until(lambda: reader.window.evaluate("1") and watch.executed)
    watch.console.clear()
