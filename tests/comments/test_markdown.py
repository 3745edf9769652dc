"""Markdown becomes what its writer expects, links are found, and no word is lost."""

from __future__ import annotations

import html

import pytest

from service.comments.rendering import render, text_of

from .detector import REL


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>\n"),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("- a\n\n3. b", '<ul>\n<li>a</li>\n</ul>\n<ol start="3">\n<li>b</li>\n</ol>\n'),
        ("```py\na < b\n```", "<pre><code>a &lt; b\n</code></pre>\n"),
        ("<b>not bold</b> & 1 < 2", "<p>&lt;b&gt;not bold&lt;/b&gt; &amp; 1 &lt; 2</p>\n"),
        ("a\r\nb\rc", "<p>a<br>\nb<br>\nc</p>\n"),
    ],
)  # fmt: skip
def test_markdown_is_what_its_writer_expects(body: str, wanted: str) -> None:
    assert render(body) == wanted


def test_markdown_turns_headings_into_bold_paragraphs_of_their_own() -> None:
    wanted = "<p><strong>One</strong></p>\n<p>two</p>\n<p><strong>Three</strong></p>\n<p>four</p>\n"
    assert render("# One\ntwo\n\nThree\n=====\nfour") == wanted


def test_markdown_shows_an_image_as_the_link_that_it_is() -> None:
    assert render("![cat](https://x.example/cat.png)") == (
        f'<p>!<a href="https://x.example/cat.png" rel="{REL}">cat</a></p>\n'
    )


def test_markdown_leaves_links_to_elsewhere_as_they_were_typed() -> None:
    assert render("[a](javascript:alert(1)) [b](/c) [d](ftp://e)") == (
        "<p>[a](javascript:alert(1)) [b](/c) [d](ftp://e)</p>\n"
    )


def test_markdown_has_no_hidden_definitions() -> None:
    assert "https://x.example" in text_of(render("[a]: https://x.example\n\n[a]"))


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ("see https://x.example.", "https://x.example"),
        ("(https://x.example/a_(b))", "https://x.example/a_(b)"),
        ("**https://x.example/**", "https://x.example/"),
        ("https://x.example/_a_/*b*?c=1&d=2#e", "https://x.example/_a_/*b*?c=1&d=2#e"),
        ("HTTP://X.example!", "HTTP://X.example"),
        ("https://x.example/X", "https://x.example/X"),
        ("[see https://x.example/a]", "https://x.example/a"),
        ("看https://x.example。谢谢", "https://x.example"),
        ("“https://x.example”", "https://x.example"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("<https://x.example/a>", "https://x.example/a"),
        ("[t](https://x.example/a)", "https://x.example/a"),
        ("[t](mailto:a@x.example)", "mailto:a@x.example"),
    ],
)
def test_markdown_finds_the_whole_link_and_nothing_else(body: str, url: str) -> None:
    assert render(body).count("<a ") == 1
    assert f'<a href="{html.escape(url)}" rel="{REL}">' in render(body)


@pytest.mark.parametrize(
    "body",
    [
        "done.So I read README.md at example.com",
        "xhttps://x.example",
        "https:// x",
        "https://-",
        "`https://x.example`",
        "http:/x.example",
        "https://" + "x" * 3_000,
        "http\\://x.example",
    ],
)
def test_markdown_sees_no_link_where_none_is_meant(body: str) -> None:
    assert "<a " not in render(body)


def test_markdown_does_not_put_a_link_into_a_link() -> None:
    assert render("[see https://a.example](https://b.example)").count("<a ") == 1


@pytest.mark.parametrize("depth", [1, 3, 4, 5, 8, 9, 10, 20, 200])
@pytest.mark.parametrize("mark", ["> ", "- ", "1. ", "> - "])
def test_markdown_keeps_every_word_however_deep(mark: str, depth: int) -> None:
    nested = mark * depth + "innermost"
    indented = "\n".join("  " * level + f"- w{level}x" for level in range(depth))
    assert "innermost" in text_of(render(nested))
    assert all(f"w{level}x" in render(indented) for level in range(depth))


def test_markdown_nests_as_deep_as_people_do() -> None:
    assert render("> " * 8 + "a").count("<blockquote>") == 8
    assert render("> " * 10 + "a") == f"<p>{'&gt; ' * 10}a</p>"
    assert render("- a\n  - b\n    - c\n      - d").count("<ul>") == 4


def test_lines_may_go_on_with_a_quote_but_not_for_thousands_of_levels() -> None:
    quote = "> > > > a\n"
    assert render(quote + "b\n" * 1_000).count("<blockquote>") == 4
    assert render(quote + "b\n" * 1_001).startswith("<p>&gt; &gt; &gt; &gt; a<br>\nb<br>")
    assert render((quote + "b\n" * 499 + " \nfree\n" * 9) * 2 + "> b\n" * 1_000).count("<p>free</p>") == 18
    assert render("1. * > a\n" + "- > b\n" * 500).count("<blockquote>") == 501
    assert "<blockquote>" not in render(("1. * > a\n" + "b\n" * 50) * 82)
