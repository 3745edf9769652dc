"""What people wrote becomes HTML that is fit for any page, in bounded time, without losing words."""

from __future__ import annotations

import html
import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.comments import commonmark, foreignhtml
from service.comments.rendering import RENDER_VERSION, clean, render

from .detector import violations

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg/onload=alert(1)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='https://x.example' style='position:fixed' onclick=alert(1) target=_top>x</a>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<div id=login class=login>x</div>",
    "<form action=https://evil.example><input name=password></form>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<style>*{display:none}</style>",
    "<!--><script>alert(1)</script>-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<isindex action=javascript:alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&#0;&#12;&#65534;\ufffe\x0c",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](//evil.example)",
    "[x](/wp-admin)",
    '[x](https://x.example "onmouseover=alert(1)")',
    "![x](https://tracker.example/pixel.gif)",
    "![x](javascript:alert(1))",
    "<javascript:alert(1)>",
    "<https://x.example/onmouseover='alert(1)>",
    "https://x.example/<script>alert(1)</script>",
    'https://x.example/"onmouseover="alert(1)',
    "```html onload=alert(1)\n<script>alert(1)</script>\n```",
    "    <script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "# <script>alert(1)</script>",
    "> <img src=x onerror=alert(1)>",
    "[a]: javascript:alert(1)\n\n[a]",
    "<x@y.z?onmouseover=alert(1)>",
    "\ud800<script>alert(1)</script>",
]
PIECES = [
    *("<", ">", "</", "<a ", "<b>", "</b>", "<p>", "<svg>", "<math>", "<style>", "<table>", "<td>", "<!--", "-->"),
    *("href=", "onload=", "javascript:", "https://", "//", "x", "é", "'", '"', "&", ";", ":", "&lt;", "&#106;"),
    *("[", "](", ")", "!", "*", "_", "`", "```", "> ", "- ", "1. ", "#", "\\", " ", "\n", "\n\n", "\t"),
    *("\x01", "\ufffe", "\ud800"),
]
FORMATS = ["md", "html"]
ALWAYS = settings(deadline=None)


def rendered_in_both(payloads: list[str]) -> list[str]:
    return [render(payload, body_format) for payload in payloads for body_format in FORMATS]


@pytest.fixture(scope="module")
def corpus(shared: Path) -> list[str]:
    """1,500 payloads, drawn the same every time from the whole list."""
    payloads = [item["p"] for item in json.loads((shared / "corpora/combined/xss_permissive.json").read_text())]
    assert len(payloads) >= 10_400
    return random.Random(25).sample(payloads, 1_500)


class TestNothingHostileSurvives:
    def test_in_payloads_of_our_own(self) -> None:
        assert [found for text in rendered_in_both(PAYLOADS) for found in violations(text)] == []

    def test_in_a_corpus_of_attacks(self, corpus: list[str]) -> None:
        assert [found for text in rendered_in_both(corpus) for found in violations(text)] == []

    def test_in_what_is_cleaned_twice(self, corpus: list[str]) -> None:
        texts = rendered_in_both([*PAYLOADS, *corpus])
        assert [text for text in texts if clean(text) != text] == []

    def test_in_the_examples_of_the_markdown_specification(self, shared: Path) -> None:
        examples = json.loads((shared / "corpora/commonmark/examples.json").read_text())
        assert len(examples) >= 600
        assert [found for text in rendered_in_both(examples) for found in violations(text)] == []

    @pytest.mark.parametrize("payloads", ["own", "corpus"])
    def test_and_without_the_sanitiser_the_detector_speaks_up(
        self, payloads: str, request: pytest.FixtureRequest
    ) -> None:
        chosen = PAYLOADS if payloads == "own" else request.getfixturevalue("corpus")
        assert any(violations(commonmark.to_html(payload) or "") for payload in chosen)
        assert any(violations(foreignhtml.arranged(payload)) for payload in chosen)

    @pytest.mark.parametrize("body_format", FORMATS)
    def test_and_unescaping_after_the_sanitiser_is_seen(self, body_format: str) -> None:
        assert any(violations(html.unescape(render(payload, body_format))) for payload in PAYLOADS)

    @ALWAYS
    @given(
        st.lists(st.sampled_from(PIECES)).map("".join),
        st.sampled_from(FORMATS),
    )
    def test_in_anything_that_looks_like_markup(self, body: str, body_format: str) -> None:
        once = render(body, body_format)
        assert violations(once) == []
        assert clean(once) == once

    @ALWAYS
    @given(st.text(st.characters(exclude_categories=())), st.sampled_from(FORMATS))
    def test_in_any_text_at_all(self, body: str, body_format: str) -> None:
        assert violations(render(body, body_format)) == []


class TestMany:
    def test_threads_get_what_one_alone_gets(self) -> None:
        bodies = [(body, body_format) for body in PAYLOADS for body_format in FORMATS] * 4
        alone = [render(*body) for body in bodies]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda body: render(*body), bodies))
        assert together == alone

    def test_the_parser_is_put_together_before_any_thread_comes(self) -> None:
        rulers = [commonmark._PARSER.core, commonmark._PARSER.block, commonmark._PARSER.inline]
        assert all(part.ruler.__cache__ for part in rulers)
        assert commonmark._PARSER.inline.ruler2.__cache__

    def test_another_format_is_a_mistake_of_the_program(self) -> None:
        with pytest.raises(ValueError, match="md or html"):
            render("x", "rst")

    def test_the_version_is_a_number_to_compare(self) -> None:
        assert RENDER_VERSION >= 1
