"""The manual's components for React and Vue, compiled as a bundler does it, in the builds that complain."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser import Watch
from tests.e2e.recipes import blocks, recipe

from .elsewhere import INSTALLED, article, installed, script
from .reader import Reader
from .talk import Talk

pytestmark = pytest.mark.browser

REACT = {
    "react": "react/cjs/react.development.js",
    "react/jsx-runtime": "react/cjs/react-jsx-runtime.development.js",
    "react-dom": "react-dom/cjs/react-dom.development.js",
    "react-dom/client": "react-dom/cjs/react-dom-client.development.js",
    "scheduler": "scheduler/cjs/scheduler.development.js",
}
"""Where the modules are that the component asks for."""
RUN = """
window.process = { env: { NODE_ENV: "development" } };
const made = {};
const require = (name) => {
  if (!made[name]) {
    const module = made[name] = { exports: {} };
    new Function("module", "exports", "require", sources[name])(module, module.exports, require);
  }
  return made[name].exports;
};
"""
IN_REACT = """
const root = require("react-dom/client").createRoot(app);
const { createElement } = require("react");
window.turn = (page) => root.render(createElement(require("recipe").Comments, { page, title: "Salt" }));
window.closeIt = () => root.unmount();
turn(first);
"""
IN_VUE = """
const page = Vue.ref(first);
made.vue = { exports: Vue };
const all = Vue.createApp({ setup: () => () => Vue.h(require("recipe").default, { page: page.value, title: "Salt" }) });
all.mount("#app");
window.turn = (to) => { page.value = to; };
window.closeIt = () => all.unmount();
"""


def bundled(**texts: str) -> str:
    """A component as a browser can run it."""
    installed("typescript", "lib", "typescript.js")
    tool = Path(__file__).with_name("bundled.cjs")
    done = subprocess.run(["node", tool], input=json.dumps(texts), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def shown(reader: Reader, sources: dict[str, str], run: str, head: str = "") -> None:
    """Publish a page with an application that has the component, and read it."""
    told = json.dumps(sources).replace("</", "<\\/").replace("<!--", "<\\!--")
    application = f'<div id="app"></div><script>const sources = {told}, first = "{reader.page}";{RUN}{run}</script>'
    reader.visits(reader.theirs.put(reader.page, article(application, head=head)))


def turns(reader: Reader, talk: Talk, watch: Watch) -> None:
    """The thread is there with its link, another one in its place, and gone when the application goes."""
    assert reader.bodies() == ["It stays with you."]
    assert (
        reader.window.locator("greenroom-thread > a")
        .get_attribute("href")
        .endswith(f"?page={quote(reader.page, safe='')}")
    )
    other = Talk(talk.service, f"{talk.page}/other")
    other.say("Elsewhere.")

    reader.window.evaluate("page => turn(page)", other.page)
    reader.part("comment").locator("text=Elsewhere.").wait_for()
    assert reader.bodies() == ["Elsewhere."]
    reader.window.evaluate("closeIt()")
    assert reader.window.locator("greenroom-thread").count() == 0
    asides = ("Download the React DevTools", "You are running a development build of Vue")
    assert [text for text in watch.console if not any(one in text for one in asides)] == []


def ours(title: str, language: str, reader: Reader) -> str:
    return recipe(title, language, reader.service).replace('site="blog"', 'site="demo"').replace("/blog?", "/demo?")


def test_the_component_for_react(reader: Reader, talk: Talk, watch: Watch) -> None:
    talk.say("It stays with you.")
    sources = {name: (INSTALLED / path).read_text() for name, path in REACT.items() if installed(*path.split("/"))}
    shown(reader, sources | {"recipe": bundled(jsx=ours("React", "jsx", reader))}, IN_REACT)
    assert reader.window.locator("head script[src$='/widget.js']").count() == 1
    turns(reader, talk, watch)


def test_the_component_for_vue(reader: Reader, talk: Talk, watch: Watch) -> None:
    talk.say("It stays with you.")
    (config,) = [text for told, text in blocks("Vue") if told == "js"]
    texts = {"vue": ours("Vue", "vue", reader), "config": config}
    vue = f'<script src="{installed("vue", "dist", "vue.runtime.global.js")}"></script>'
    shown(reader, {"recipe": bundled(**texts)}, IN_VUE, head=vue + script(reader.service))
    turns(reader, talk, watch)
