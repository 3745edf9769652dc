"""What a reader sees of the widget, and what a program finds that looks for barriers: measured, not computed."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .elsewhere import INSTALLED, installed

SCALE = 2
"""Pixels of a picture for each pixel of the page: strokes of letters are then wide enough to have their own colour."""
NEEDED = 4.5
"""WCAG 2.2, 1.4.3: contrast of text to its ground."""
RING = 4
"""Pixels around a control in which its mark of focus may stand."""

_PLACE = Path(__file__).parent
_PIXELS, _TEXTS = (_PLACE / "pixels.js").read_text(), (_PLACE / "texts.js").read_text()
_PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
_AROUND = """(edge) => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  one.scrollIntoView({ block: "center", behavior: "instant" });
  const { left, top, width, height } = one.getBoundingClientRect();
  window.focused = one;
  return { x: left - edge, y: top - edge, width: width + 2 * edge, height: height + 2 * edge };
}"""


class Eye:
    """Looks at windows; its own window has nothing but the means to read pictures."""

    def __init__(self, window: Any) -> None:
        self.window = window
        window.goto("about:blank")
        window.evaluate(_PIXELS)

    def contrasts(self, page: Any, selector: str) -> dict[str, float]:
        """The contrast of each line of text inside what a selector finds, by its words.

        The window is made as high as the page meanwhile: what is out of sight need not be painted.
        """
        size = page.viewport_size
        page.set_viewport_size({**size, "height": page.evaluate("document.documentElement.scrollHeight")})
        page.evaluate(_PAINTED)
        texts = page.evaluate(_TEXTS, selector)
        picture = page.screenshot(full_page=True, animations="disabled")
        page.set_viewport_size(size)
        regions = [[round(SCALE * edge) for edge in one["box"]] for one in texts]
        found = self.window.evaluate("([png, regions]) => pixels.contrasts(png, regions)", [_told(picture), regions])
        return {one["words"]: round(ratio, 2) for one, ratio in zip(texts, found, strict=True)}

    def ring(self, page: Any) -> int:
        """How many pixels show that the focused element has the focus."""
        clip = page.evaluate(_AROUND, RING)
        focused = page.screenshot(clip=clip, animations="disabled")
        page.evaluate("focused.blur()")
        left = page.screenshot(clip=clip, animations="disabled")
        page.evaluate("focused.focus({ focusVisible: true })")
        changed: int = self.window.evaluate("two => pixels.changed(...two)", [_told(focused), _told(left)])
        return changed


def unreadable(contrasts: dict[str, float]) -> dict[str, float]:
    """The texts that have less contrast than they need."""
    return {words: ratio for words, ratio in contrasts.items() if ratio < NEEDED}


def barriers(page: Any, selector: str = "greenroom-thread", but: Sequence[str] = ()) -> list[str]:
    """What axe-core finds in an element, `but` for some rules: the rule, and where."""
    page.evaluate((INSTALLED / installed("axe-core", "axe.min.js").removeprefix("/npm/")).read_text())
    rules = {one: {"enabled": False} for one in but}
    told = page.evaluate("([selector, rules]) => axe.run(selector, { rules })", [selector, rules])
    assert len(told["passes"]) > 10, "axe looked at nothing"
    return [f"{one['id']}: {node['html'][:200]}" for one in told["violations"] for node in one["nodes"]]


def _told(picture: bytes) -> str:
    return base64.b64encode(picture).decode()
