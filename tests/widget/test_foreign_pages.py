"""Readable, usable by keyboard and without barriers under the style sheets of other people."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Demo

from .elsewhere import Elsewhere, article, installed, script, tag
from .looking import SCALE, Eye, barriers, unreadable
from .reader import THREAD, Reader
from .talk import Talk

pytestmark = pytest.mark.browser

SHEETS = {
    "bootstrap": "bootstrap/dist/css/bootstrap.css",
    "tailwind": "tailwindcss/preflight.css",
    "normalize": "normalize.css/normalize.css",
    "modern-normalize": "modern-normalize/modern-normalize.css",
    "sanitize": "sanitize.css/sanitize.css",
    "pico": "@picocss/pico/css/pico.css",
    "bulma": "bulma/css/bulma.css",
    "foundation": "foundation-sites/dist/css/foundation.css",
    "water": "water.css/out/water.css",
    "tachyons": "tachyons/css/tachyons.css",
}
OWN_SHEETS = {
    "dark": "html { background: #14181c; color: #dde3e8; font: 17px/1.6 Georgia, serif } a { color: #8ab4f8 }",
    "bright dark": ":root { color-scheme: dark }",
    "grey": "body { background: #8a8a8a; color: #767676; font: 15px/1.5 sans-serif }",
    "barely": "body { background: #fff; color: #767676; font: 15px/1.5 sans-serif }",
    "picture": "body { background: linear-gradient(90deg, #000, #fff 60%, #b3261e); color: #4477aa }",
    "odd": "* { color: #ffe000 !important; letter-spacing: 2px; box-sizing: content-box; text-transform: uppercase }",
    "tiny": "greenroom-thread, div, button, input { all: unset !important } html { font-size: 11px }",
    "wide": "body { background: oklch(0.25 0.03 250); color: color(display-p3 0.9 0.9 0.85) }"
    " greenroom-thread { --greenroom-accent: oklch(0.85 0.1 150); --greenroom-surface: lab(20% 0 0 / 0.5) }",
    "unfilled": "body { background: #fff; color: #222; -webkit-text-fill-color: transparent }",
    "layered": "@layer base { * { border: 4px solid red; margin: 20px !important } } main { opacity: .99 }",
}
"""Pages that nobody's framework makes; on some of them the page's own words cannot be read."""

UNKNOWN_TO_AXE = {"bright dark": ["color-contrast"]}
"""It takes the canvas for white, whatever the page's colour scheme; what was painted is measured all the same."""

SEEN = {"sort", "reply", "name", "email", "body", "submit"}
"""What Tab has to come by."""

_EDGE = """async (thread) => {
  const { contrast, numbers } = await import(thread);
  const { style } = document.querySelector("greenroom-thread").shadowRoot.querySelector("[part~=root]");
  return contrast(...["--edge", "--ground"].map((name) => numbers(style.getPropertyValue(name))));
}"""

_LOOKS = """() => [...document.querySelectorAll("html, body, h1, main > p, main > p > a")].map((one) => {
  const { color, font, margin, padding, backgroundColor, textDecoration, scrollBehavior } = getComputedStyle(one);
  return [one.localName, color, font, margin, padding, backgroundColor, textDecoration, scrollBehavior];
})"""


@pytest.fixture
def looks() -> dict[str, Any]:
    return {"device_scale_factor": SCALE, "viewport": {"width": 700, "height": 900}}


@pytest.fixture
def eye(chromium: Any) -> Iterator[Eye]:
    context = chromium.new_context()
    yield Eye(context.new_page())
    context.close()


@pytest.fixture
def reader(window: Any, service: Demo, theirs: Elsewhere, talk: Talk) -> Reader:
    first = talk.say("It stays **with you**.\n\n> A quotation, and `code`.\n\n- one\n- [a link](https://x.example.org)")
    talk.say("I agree with most of it.", "Jo Farrow", parent_id=first, website="https://jo.example.org")
    talk.say("Not for me.", "Ana", rating=3)
    talk.say("Very much for me.", "Lee", rating=9)
    return Reader(window, service.url, theirs, talk.page)


def reads(reader: Reader, eye: Eye) -> None:
    """The whole widget can be read: comments, form, and the form with words and with errors in it."""
    reader.reaches_the_form()
    contrasts = eye.contrasts(reader.window, THREAD)
    assert len(contrasts) > 20, contrasts
    reader.types(name="Ada", email="nobody", website="nowhere", body="Some *words* of mine.")
    reader.sends()
    reader.part("error").first.wait_for()
    contrasts |= eye.contrasts(reader.window, THREAD)
    assert unreadable(contrasts) == {}
    thread = next(one for one in reader.scripts if one.endswith("/thread.js"))
    assert reader.window.evaluate(_EDGE, thread) >= 3, "nobody sees where a field begins (WCAG 2.2, 1.4.11)"


def tabs(reader: Reader, eye: Eye) -> None:
    """Tab comes by everything once, and each stop can be seen."""
    stops: dict[str, int] = {}
    reader.window.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    reader.window.mouse.click(1, 1)
    for _ in range(200):
        reader.window.keyboard.press("Tab")
        active = reader.active()
        name = active["doing"] or active["name"] or active["type"]
        if active["inside"] and name not in stops:
            stops[name] = eye.ring(reader.window)
        if active["inside"] and active["type"] == "submit":
            break
    assert stops.keys() >= SEEN, stops
    assert {name for name, ring in stops.items() if ring < 60} == set(), stops


@pytest.mark.parametrize("name", SHEETS)
def test_it_reads_under_a_framework(reader: Reader, eye: Eye, name: str) -> None:
    reader.opens(head=f'<link rel="stylesheet" href="{installed(*SHEETS[name].split("/"))}">')

    assert barriers(reader.window) == []
    reads(reader, eye)
    assert barriers(reader.window) == []
    tabs(reader, eye)


@pytest.mark.parametrize("name", OWN_SHEETS)
def test_it_reads_on_a_difficult_page(reader: Reader, eye: Eye, name: str) -> None:
    reader.opens(head=f"<style>{OWN_SHEETS[name]}</style>")

    assert barriers(reader.window, but=UNKNOWN_TO_AXE.get(name, ())) == []
    reads(reader, eye)
    assert barriers(reader.window, but=UNKNOWN_TO_AXE.get(name, ())) == []
    tabs(reader, eye)


@pytest.mark.parametrize("sheet", ["", OWN_SHEETS["dark"]])
def test_it_reads_from_right_to_left(reader: Reader, eye: Eye, sheet: str) -> None:
    reader.opens(head=f"<style>{sheet}</style>", root='lang="ar" dir="rtl"')

    assert reader.style("[part~=root]", "direction") == "rtl"
    assert barriers(reader.window) == []
    reads(reader, eye)
    assert barriers(reader.window) == []
    tabs(reader, eye)


@pytest.mark.parametrize("name", ["bootstrap", "pico", "water"])
def test_it_reads_in_the_dark(reader: Reader, eye: Eye, name: str) -> None:
    reader.window.emulate_media(color_scheme="dark")
    root = 'lang="en" data-bs-theme="dark"' if name == "bootstrap" else 'lang="en"'
    reader.opens(head=f'<link rel="stylesheet" href="{installed(*SHEETS[name].split("/"))}">', root=root)

    reads(reader, eye)
    assert barriers(reader.window) == []


def test_it_reads_on_a_page_of_wordpress(
    reader: Reader, eye: Eye, service: Demo, theirs: Elsewhere, shared: Path
) -> None:
    path = "/blacksmith-season-2-review/"
    html = (shared / f"real/page-wordpress-twentytwentythree/site{path}index.html").read_text()
    html = html.replace("127.0.0.1:8099", theirs.origin.removeprefix("http://"))
    own = f"<main>{tag(service.url, reader.page, loading='eager')}</main>{script(service.url)}</body>"
    reader.visits(theirs.put(path, html.replace("</body>", own)))

    assert barriers(reader.window) == []
    reads(reader, eye)
    assert barriers(reader.window) == []
    tabs(reader, eye)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_on_the_review_of_the_demo(
    window: Any, eye: Eye, service: Demo, theirs: Elsewhere, scheme: str
) -> None:
    window.emulate_media(color_scheme=scheme)
    for name in ("Ines", "Tomas"):
        Talk(service, "/").say(f"I, {name}, read it in the {scheme}.", name)
    reader = Reader(window, service.url, theirs, "/")
    window.goto(f"{service.url}/")
    window.locator(THREAD).scroll_into_view_if_needed()
    reader.waits()

    assert barriers(window) == []
    reads(reader, eye)
    tabs(reader, eye)


PROTECTED = {
    "white": "CanvasRenderingContext2D.prototype.getImageData = (x, y, width, height) =>"
    " new ImageData(new Uint8ClampedArray(4 * width * height).fill(255), width, height);",
    "none": "HTMLCanvasElement.prototype.getContext = () => null;",
}
"""What browsers do to pictures that a page may want to know its reader by."""


@pytest.mark.parametrize("name", PROTECTED)
@pytest.mark.parametrize("sheet", ["", OWN_SHEETS["dark"], OWN_SHEETS["grey"]])
def test_it_reads_where_pictures_are_protected(reader: Reader, eye: Eye, name: str, sheet: str) -> None:
    reader.window.add_init_script(PROTECTED[name])
    reader.opens(head=f"<style>{sheet}</style>")

    reads(reader, eye)


def test_a_wish_is_heard_in_any_way_of_writing(reader: Reader) -> None:
    css = "body { background: #fff } greenroom-thread { --greenroom-accent: oklch(0.4 0.15 300) }"
    reader.opens(head=f"<style>{css}</style>")

    wished = reader.window.evaluate(
        """() => {
          const one = document.body.appendChild(document.createElement("i"));
          one.style.color = "color-mix(in srgb, oklch(0.4 0.15 300), oklch(0.4 0.15 300))";
          return getComputedStyle(one).color.match(/[\\d.]+/g).map((part) => Math.round(255 * part));
        }"""
    )
    assert reader.style("form button[type=submit]", "background-color") == f"rgb({', '.join(map(str, wished))})"


@pytest.mark.parametrize(("theme", "sheet"), [("dark", ""), ("light", OWN_SHEETS["dark"])])
def test_a_theme_can_be_chosen(reader: Reader, eye: Eye, theme: str, sheet: str) -> None:
    """Against what the page has."""
    reader.opens(head=f"<style>{sheet}</style>", theme=theme)

    ground = reader.style("[part~=root]", "background-color")
    bright = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(", ")))
    assert bright < 200 if theme == "dark" else bright > 700, ground
    reads(reader, eye)


def test_what_cannot_be_read_is_seen(reader: Reader, eye: Eye) -> None:
    """The control: the page's own words on two of the pages, and the widget itself without its care."""
    reader.opens(head=f"<style>{OWN_SHEETS['grey']}</style>")
    assert len(unreadable(eye.contrasts(reader.window, "main > p"))) > 0
    reader.window.evaluate(
        """name => {
          const faint = new CSSStyleSheet();
          const all = "* { color: inherit !important; background: none !important }";
          faint.replaceSync(`${all} [part~=root] { color: #999 !important }`);
          const { shadowRoot } = document.querySelector(name);
          shadowRoot.adoptedStyleSheets = [...shadowRoot.adoptedStyleSheets, faint];
        }""",
        THREAD,
    )
    assert len(unreadable(eye.contrasts(reader.window, THREAD))) > 10


def test_a_barrier_and_a_missing_ring_are_seen(reader: Reader, eye: Eye) -> None:
    """The control."""
    reader.opens()
    reader.field("name").evaluate(
        """one => {
          one.getRootNode().querySelectorAll("label").forEach((label) => label.remove());
          one.style.setProperty("outline", "none", "important");
          one.style.setProperty("box-shadow", "none", "important");
          one.style.setProperty("border-color", "gray", "important");
          one.style.setProperty("background-color", "white", "important");
          one.focus();
        }"""
    )
    assert eye.ring(reader.window) < 60
    assert any(one.startswith("label: ") for one in barriers(reader.window))


def test_a_comment_is_posted_by_keyboard_alone(reader: Reader, talk: Talk) -> None:
    reader.opens()
    reader.hears("greenroom:posted")
    press, said = reader.window.keyboard.press, {"name": "Ada", "email": "ada@mail.example.org", "body": "By hand."}
    for _ in range(120):
        press("Tab")
        active = reader.active()
        if active["name"] in said:
            reader.window.keyboard.type(said[active["name"]])
        if active["type"] == "submit":
            press("Enter")
            break

    assert reader.told("greenroom:posted")["status"] == "approved"
    assert any("By hand." in one["html"] for one in talk.said())


def test_the_page_keeps_its_own_looks(reader: Reader) -> None:
    """Nothing of the widget's styles leaves it."""
    reader.visits(reader.publish(head=f"<style>{OWN_SHEETS['dark']}</style>"))
    with_it = reader.window.evaluate(_LOOKS)
    reader.window.goto(reader.theirs.put("/bare", article(head=f"<style>{OWN_SHEETS['dark']}</style>")))

    assert reader.window.evaluate(_LOOKS) == with_it


def test_pictures_are_those_of_the_server(reader: Reader, eye: Eye, talk: Talk) -> None:
    """Somebody has one face, whoever draws it."""
    for number in range(12):
        talk.say(f"Face {number}.")
    reader.opens()
    widgets = reader.part("avatar").evaluate_all("all => all.map((one) => one.outerHTML)")
    reader.window.goto(f"{reader.service}/embed/demo?page={reader.page}")
    servers = reader.window.locator("svg.gr-avatar").evaluate_all("all => all.map((one) => one.outerHTML)")
    pictures = []
    for drawn in (widgets, servers):
        reader.window.set_content("".join(drawn))
        pictures.append(base64.b64encode(reader.window.screenshot()).decode())

    assert len(widgets) == len(servers) == 16
    assert eye.window.evaluate("two => pixels.changed(...two)", pictures) == 0
