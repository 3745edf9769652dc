"""Pages that mean no good, or carry scripts of long ago: the widget works, and tells them nothing that it need not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .elsewhere import article, script, tag
from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

OLD_LIBRARIES = """
Array.prototype.remove = function (one) { this.splice(this.indexOf(one), 1); };
Array.prototype.toJSON = function () { return "an array"; };
Object.prototype.extend = function () { return this; };
String.prototype.escapeHTML = function () { return this; };
Function.prototype.bind = (bind => function (...all) { return bind.apply(this, all); })(Function.prototype.bind);
Element.prototype.remove = (remove => function () { return remove.call(this); })(Element.prototype.remove);
window.$ = window.jQuery = () => { throw new Error("not for you"); };
"""
POLLUTED = """
for (const [name, value] of Object.entries({
  headers: { "X-Stolen": "1" }, method: "DELETE", body: "stolen", credentials: "include", mode: "no-cors",
  html: "<img src=x onerror=alert('html')>", name: "<img src=x onerror=alert('name')>", site: "evil", page: "/evil",
  src: "x", onerror: "alert('attribute')", href: "javascript:alert('href')", innerHTML: "<img src=x onerror=alert(1)>",
  class: "evil", id: "evil", part: "evil", title: "evil", website: "javascript:alert('website')", detail: "evil",
  author: { name: "Mallory" }, status: "approved", removed: true, replies_next: "evil", is_moderator: true,
  once: true, passive: true, rootMargin: "evil", createHTML: () => "<img src=x onerror=alert(2)>",
})) Object.defineProperty(Object.prototype, name, { value, writable: true, configurable: true, enumerable: false });
"""
WRAPPED = """
window.taken = [];
const watch = (owner, name, note) => {
  const { value: real } = Object.getOwnPropertyDescriptor(owner, name);
  owner[name] = function (...all) { window.taken.push(note(this, all)); return real.apply(this, all); };
};
watch(window, "fetch", (_, [url, init]) => `fetch ${url}`);
for (const name of ["append", "prepend", "setAttribute", "replaceChildren", "insertAdjacentHTML"]) {
  watch(Element.prototype, name, (_, all) => `${name} ${all.map((one) => one?.outerHTML ?? one).join(" ")}`);
}
watch(Node.prototype, "appendChild", (_, [one]) => `appendChild ${one.outerHTML ?? one.data}`);
watch(History.prototype, "replaceState", (_, all) => `replaceState ${JSON.stringify(all)}`);
watch(History.prototype, "pushState", (_, all) => `pushState ${JSON.stringify(all)}`);
watch(window, "postMessage", (_, all) => `postMessage ${JSON.stringify(all)}`);
"""
"""What a page can listen to without being told; `fetch` it could read whole, and there nothing helps."""

NOISE = """
const evil = "<img src=x onerror=alert(3)>";
window.name = JSON.stringify({ greenroom: { base: "https://evil.example", token: "gra_evil", html: evil } });
setInterval(() => {
  for (const data of ["greenroom", { type: "greenroom:posted", html: evil }, null,
    { greenroom: true, token: "gra_evil" }, JSON.stringify({ site: "evil", action: "withdraw" })]) {
    postMessage(data, "*");
  }
}, 5);
"""
BROKEN = """
for (const name of ["map", "filter", "forEach", "push"]) Array.prototype[name] = () => { throw new Error("broken"); };
"""


def visit(reader: Reader, hostile: str, **attributes: str) -> None:
    head = f"<script>{hostile}</script>{script(reader.service)}"
    reader.window.goto(
        reader.theirs.put(reader.page, article(tag(reader.service, reader.page, **attributes), head=head))
    )


@pytest.mark.parametrize(
    "hostile", [OLD_LIBRARIES, POLLUTED, WRAPPED, NOISE], ids=["old", "polluted", "wrapped", "noise"]
)
def test_it_works_all_the_same(reader: Reader, talk: Talk, hostile: str) -> None:
    first = talk.say("It stays *with you*.")
    talk.say("I agree.", "Jo", parent_id=first)
    visit(reader, hostile)
    reader.waits()

    assert reader.bodies() == ["It stays with you.", "I agree."]
    assert [name.strip() for name in reader.part("name").all_text_contents()] == ["Wren", "Jo"]
    assert reader.does("vote").count() == 2
    told = reader.posts(body="A word of mine.")
    assert told["status"] == "approved"
    reader.comment(told["id"]).wait_for()
    assert reader.comment(told["id"]).locator("[part~=name]").text_content() == "Ada"
    assert "A word of mine." in [one["html"][3:18] for one in talk.said()]


def test_nothing_secret_passes_where_pages_listen(reader: Reader, talk: Talk, watch: Any) -> None:
    """Neither the author's token nor an address stands in an attribute, in an address, or in a message."""
    visit(reader, WRAPPED)
    reader.waits()
    secrets: list[str] = []
    reader.window.on(
        "response",
        lambda answer: secrets.append(answer.json()["author_token"]) if _creates(answer) else None,
    )

    reader.posts(email="secret@mail.example.org", body="A word of mine.")

    assert len(secrets) == 1 and secrets[0].startswith("gra_")
    listened = [*reader.window.evaluate("taken"), *(request.url for request in reader.asked), *watch.console]
    assert len(listened) > 30
    assert [one for one in listened if "secret@" in one] == []
    assert [one for one in listened if secrets[0] in one] == []
    assert reader.window.evaluate("location.href + document.cookie + window.name").count("gra_") == 0


def _creates(answer: Any) -> bool:
    return bool(answer.request.method == "POST" and answer.url.endswith("/comments") and answer.status < 300)


def test_names_and_messages_change_nothing(reader: Reader, talk: Talk) -> None:
    said = talk.say("It stays with you.")
    visit(reader, NOISE)
    reader.waits()
    before = reader.window.locator(THREAD).evaluate("one => one.shadowRoot.innerHTML")
    reader.window.evaluate(
        "new Promise((done) => { let n = 0; addEventListener('message', () => ++n > 100 && done()) })"
    )

    assert reader.window.locator(THREAD).evaluate("one => one.shadowRoot.innerHTML") == before
    assert reader.comment(said).is_visible()
    assert {request.method for request in reader.asked} == {"GET"}


def test_what_is_broken_leaves_the_link(reader: Reader, talk: Talk, watch: Any) -> None:
    """Without the language's own methods nothing can work; the page still leads to the comments."""
    talk.say("It stays with you.")
    visit(reader, BROKEN)

    reader.window.wait_for_selector(f"{THREAD}[state=failed]")
    assert reader.link().is_visible()
    assert any(text.startswith("Greenroom: Error: broken") and "CSP" not in text for text in watch.console)
    assert watch.errors == []


def test_elements_of_its_own_names_do_not_confuse_it(reader: Reader, talk: Talk) -> None:
    """A page can give names to elements that then stand in the place of properties of `document` and `window`."""
    talk.say("It stays with you.")
    clobber = "".join(
        f'<img name="{name}" id="{name}"><form name="{name}"><input name="{name}"></form>'
        for name in ("body", "head", "location", "cookie", "fetch", "greenroom", "trustedTypes", "URL")
    )
    page = article(clobber, tag(reader.service, reader.page), script(reader.service))
    reader.visits(reader.theirs.put(reader.page, page))

    assert reader.bodies() == ["It stays with you."]


def test_loading_it_twice_does_no_harm(reader: Reader, talk: Talk, open_window: Callable[[], Any]) -> None:
    talk.say("It stays with you.")
    twice = script(reader.service).replace("/widget.js", "/widget.js?again") + script(reader.service)
    reader.opens(head=twice)

    assert reader.bodies() == ["It stays with you."]
