"""To the letter: what the sanitiser lets through, what is made of foreign HTML, and where the bounds are."""

from __future__ import annotations

import pytest

from service.comments import foreignhtml
from service.comments.rendering import LONGEST, TAGS, clean, render, text_of

from .detector import REL

LONG = " " * (LONGEST + 1)
"""Makes any body too long to be parsed, and leaves no trace of itself."""


def test_fifteen_elements_come_through_and_a_rule() -> None:
    assert set(TAGS) == {
        "p", "br", "strong", "em", "b", "i", "del", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "hr",
    }  # fmt: skip
    inline = ("strong", "em", "b", "i", "del", "s", "code", "p", "pre", "blockquote", "ul", "ol", "li")
    for tag in inline:
        assert clean(f"<{tag}>x</{tag}>") == f"<{tag}>x</{tag}>"
    assert clean("a<br>b<hr>c") == "a<br>b<hr>c"


@pytest.mark.parametrize(
    ("markup", "left"),
    [
        ('<a href="https://x.example">a</a>', f'<a href="https://x.example" rel="{REL}">a</a>'),
        ('<a href="http://x.example">a</a>', f'<a href="http://x.example" rel="{REL}">a</a>'),
        ('<a href="mailto:a@x.example">a</a>', f'<a href="mailto:a@x.example" rel="{REL}">a</a>'),
        ('<a href="ftp://x.example">a</a>', f'<a rel="{REL}">a</a>'),
        ('<a href="/x">a</a>', f'<a rel="{REL}">a</a>'),
        ('<a href="//x.example">a</a>', f'<a rel="{REL}">a</a>'),
        ('<a href="x.html" title="t" target="_top">a</a>', f'<a rel="{REL}">a</a>'),
        ('<b title="t" lang="en" style="x" class="y">a</b>', "<b>a</b>"),
        ('<ol start="3" type="a"><li value="9">a</li></ol>', '<ol start="3"><li>a</li></ol>'),
        ("<!-- a -->b", "b"),
        ("<script>a</script>b", "b"),
        ("<style>a</style>b", "b"),
        ("<h1>a</h1><textarea>b</textarea>", "ab"),
        ("a\x07b\ufffec", "abc"),
        ("a&#7;b&#xfffe;c", "abc"),
    ],
)
def test_attributes_links_and_controls_are_what_they_may_be(markup: str, left: str) -> None:
    assert clean(markup) == left


@pytest.mark.parametrize("body_format", ["md", "html"])
@pytest.mark.parametrize("body", ["a\r\nb", "a\rb", "a\nb", "a\x00\nb", "a\x07\n\x1bb"])
def test_every_end_of_a_line_is_one_and_controls_go(body: str, body_format: str) -> None:
    assert render(body, body_format).rstrip() == "<p>a<br>\nb</p>"


def test_another_format_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"^A body is md or html, not rst\.$"):
        render("a", "rst")


def test_a_body_of_the_greatest_length_is_read_and_a_longer_one_shown() -> None:
    assert LONGEST == 20_000
    most = "*a*".ljust(20_000, "b")
    assert render(most).startswith("<p><em>a</em>b")
    assert render(most + "b").startswith("<p>*a*b")
    most = "<i>a</i>".ljust(20_000, "b")
    assert render(most, "html").startswith("<p><i>a</i>b")
    assert render(most + "b", "html").startswith("<p>ab")


def test_fifty_levels_are_read_and_more_are_shown() -> None:
    def nested(levels: int) -> str:
        return "<blockquote>" * (levels - 1) + "<p>x</p>" + "</blockquote>" * (levels - 1)

    assert render(nested(50), "html") == nested(50)
    assert render(nested(51), "html") == "<p>x</p>"


def test_what_opens_more_than_fifty_quotes_and_lists_is_shown_unread() -> None:
    unread = "<!--" + "<ul>" * 50 + "--><b>x</b>"
    assert render(unread, "html") == "<p><b>x</b></p>"
    assert "<b>" not in render(unread + "<ol></ol>", "html")


@pytest.mark.parametrize(
    ("html", "levels"),
    [
        ("<p><b>x<li>", 0),
        ("<ul><li><OL start=2><blockquote></blockquote ><blockquote>", 3),
        ("<ul></ul><ul></ul>", 1),
        ("</ul><ul>", 0),
        ("<ulx><old>", 0),
    ],
)
def test_quotes_and_lists_are_counted_where_they_open(html: str, levels: int) -> None:
    assert foreignhtml.containers(html) == levels


def test_html_may_swell_to_twenty_times_its_length_and_no_further() -> None:
    def opened_again(paragraphs: int) -> str:
        """Each four characters become 82; what is short may swell a little more."""
        return "<p>" + "<strong>" * 3 + "<em>" + "<b>" * 2 + "<p>a" * paragraphs

    assert "<strong>" in render(opened_again(1_000), "html")
    assert "<strong>" not in render(opened_again(4_000), "html")


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("a\nb\n\n*c*\n \n\td&<", "<p>a<br>\nb</p>\n<p>*c*</p>\n<p>d&amp;&lt;</p>"),
        ("\n\na", "<p>a</p>"),
        ("a\x07b", "<p>ab</p>"),
        ("\"a\" 'b'", "<p>\"a\" 'b'</p>"),
        ("", ""),
    ],
)
def test_what_is_too_long_is_shown_as_paragraphs(body: str, shown: str) -> None:
    assert render(body + LONG) == shown
    assert render(LONG + body) == shown


@pytest.mark.parametrize("length", [4_999, 5_000, 5_001, 9_999, 10_000, 10_001])
def test_nothing_is_lost_where_a_long_text_is_taken_in_pieces(length: int) -> None:
    body = "x" * length + "<&>" + "y" * 20_000
    assert render(body) == f"<p>{'x' * length}&lt;&amp;&gt;{'y' * 20_000}</p>"


def test_html_that_is_too_long_loses_its_tags_and_text_keeps_its_marks() -> None:
    assert render("<b>a</b> *b*" + LONG, "html") == "<p>a *b*</p>"
    assert render("<b>a</b> *b*" + LONG) == "<p>&lt;b&gt;a&lt;/b&gt; *b*</p>"


@pytest.mark.parametrize(
    ("html", "limit", "text"),
    [
        ("<p>a<script>b</script><style>c</style></p>", None, "a"),
        ("<p>a</p><p>b</p><ul><li>c</li><li>d<br>e<hr>f</li></ul><ol><li>g</li></ol>h", None, "a b c d e f g h"),
        ("<pre>a</pre>b <blockquote>c</blockquote>d<b>e</b>", None, "a b c de"),
        ("<p>a  \n b</p>", None, "a b"),
        ("one two", 5, "one…"),
        ("one two", 6, "one…"),
        ("one two", 7, "one two"),
        ("one two three", 8, "one two…"),
        ("abcdef", 4, "abc…"),
        ("a bcdef", 4, "a…"),
    ],
)
def test_the_text_of_html(html: str, limit: int | None, text: str) -> None:
    assert text_of(html, limit) == text


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("\n<p>a</p>\n", "<p>a</p>"),
        ("<p> </p>\n<p>a</p>", "<p>a</p>"),
        ("<pre>\n\nx</pre>", "<pre>x</pre>"),
        ("<pre><p></p>\n\nx</pre>", "<pre>x</pre>"),
        ("<pre>\n\n\nx</pre>", "<p>x</p>"),
    ],
)
def test_html_that_would_read_otherwise_the_next_time_is_read_again_or_shown(body: str, html: str) -> None:
    """A line break at the beginning of `<pre>` is lost each time that it is read."""
    assert render(body, "html") == html
    assert clean(html) == html


def test_without_a_limit_no_text_is_left_out() -> None:
    assert text_of("a" * 80_100) == "a" * 80_100


@pytest.mark.parametrize(("size", "end"), [(80_000, "b"), (80_001, "a")])
def test_a_summary_is_made_from_the_first_eighty_thousand_characters(size: int, end: str) -> None:
    html = "<b></b>" * 11_400
    assert text_of(html + "a" * (size - len(html) - 1) + "b", 1_000)[-1] == end


@pytest.mark.parametrize("cut", ["&", "&a", "&amp"])
def test_half_an_entity_at_the_cut_is_left_out(cut: str) -> None:
    html = "<b></b>" * 11_400
    html += "a" * (80_000 - len(html) - len(cut)) + "&amp;" * 3
    assert set(text_of(html, 1_000)) == {"a"}


@pytest.mark.parametrize(
    ("body", "arranged"),
    [
        ('<B CLASS="x">a</B>', "<p><B>a</B>"),
        ("<b\nid=x>a", "<p><b>a"),
        ("<b/>a", "<p><b>a"),
        ("<abbr title=x>a", "<p><abbr>a"),
        ("<A HREF=x>a</A>", "<p><A HREF=x>a</A>"),
        ("<OL START=2>a", "<OL START=2><p>a"),
        ('a > b <i x="', '<p>a > b <i x="'),
        ("<H2 id=x>a</H2>b", "<p><strong>a</strong></p><p>b"),
        ("<h7>a", "<p><h7>a"),
        ("<DIV>a\nb</DIV>", "<p>a\nb</p>"),
        ("<P>a\nb", "<P>a\nb"),
        ("<Section\n>a\nb", "<p>a\nb"),
        ("<article>a\nb", "<p>a\nb"),
        ("<table>a\nb", "<p>a\nb"),
        ("<pretty>a\nb", "<p><pretty>a<br>\nb"),
        ("<TD>a</TD>", "<p><p>a</p>"),
        ("<main>a</main>", "<p><p>a</p>"),
        ("a\n \n b", "<p>a\n<p>b"),
        ("a\n\t\n\n\n  b", "<p>a\n<p>b"),
        ("\n\na\n\n", "<p>a"),
        ("  ", ""),
        ("<li>a\n\nb</li>", "<li>a\n<p>b</li>"),
        ("<LI>a\nb</LI>", "<LI>a<br>\nb</LI>"),
        ("<h1 x>a</h1>\nb", "<p><strong>a</strong></p><p>b"),
        ("<PRE>a\n\nb</PRE>c\nd", "<PRE>a\n\nb</PRE><p>c<br>\nd"),
        ("<hr/>a\n\nb", "<hr><p>a\n<p>b"),
        ("a<br>\nb<br/>\nc<br />\nd", "<p>a<br>\nb<br>\nc<br>\nd"),
        ("<Blockquote>a\nb</Blockquote>", "<Blockquote><p>a<br>\nb</Blockquote>"),
        ("<ul>\n\n<li>a</li>\n</ul>", "<ul><li>a</li></ul>"),
    ],
)
def test_foreign_html_is_arranged(body: str, arranged: str) -> None:
    assert foreignhtml.arranged(body) == arranged


@pytest.mark.parametrize(
    ("html", "depth"),
    [("x", 0), ("<br><hr>x", 0), ("<b>x</b>", 1), ("<b>x</b><b>y</b>", 1), ("<p>a</p><p>b<br>c<i>d</i></p>e", 2)],
)
def test_depth_is_counted_without_what_holds_nothing(html: str, depth: int) -> None:
    assert foreignhtml.depth(html) == depth


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a<br>b<BR/>c", "a\n\nb\n\nc"),
        ("<p>a</p>b<li>c</LI>d<div>e</div>f", "a\n\nbc\n\nde\n\nf"),
        ("<tr>a</tr>b<h3>c</h3>d<blockquote>e</blockquote>f", "a\n\nbc\n\nde\n\nf"),
        ("<P CLASS=x>A</P >B<b>c</b>d", "A\n\nBcd"),
        ("<!-- x -->a<TD>b</TD>", "ab"),
        ("a < b > c <i", "a < b > c <i"),
        ("1<2>3", "1<2>3"),
        ("a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
        ("&#12345678;a&#1234567890b&#65;", "\ufffda\ufffdbA"),
    ],
)
def test_tags_go_and_words_stay(html: str, text: str) -> None:
    assert foreignhtml.without_tags(html) == text
