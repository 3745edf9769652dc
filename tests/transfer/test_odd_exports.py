"""Exports as they are found: odd encodings, prefixes, junk around them, or no exports at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from service.transfer import wordpress
from service.transfer.foreign import ForeignComment, ForeignPage, Mended, Row, UnreadableExport

from .exports import HEAD, comment, comments_in, export, item, saved


def bodies(rows: list[Row]) -> list[str]:
    return [row.body for row in rows if isinstance(row, ForeignComment)]


def test_every_item_is_a_page_after_its_comments(tmp_path: Path) -> None:
    pages = [
        item(post_type="post", comment_status="closed"),
        item(comment(), post_id="8", post_type="attachment"),
    ]
    rows = list(wordpress.read(saved(tmp_path, export(*pages))))
    assert [row.kind for row in rows if not isinstance(row, Mended)] == ["post", "comment", "attachment"]
    assert [row.closed for row in rows if isinstance(row, ForeignPage)] == [True, False]


def test_a_page_without_an_id_is_known_by_its_address(tmp_path: Path) -> None:
    [found] = comments_in(saved(tmp_path, export(item(comment(), post_id=""))))
    assert found.page.key == "https://example.org/a/"


def test_control_characters_are_mended_and_counted(tmp_path: Path) -> None:
    rows = list(wordpress.read(saved(tmp_path, export(item(comment(content="a\x0b\x00b"))))))
    assert (bodies(rows), rows[-1]) == (["ab"], Mended(2))


def test_bytes_that_are_not_utf8_become_marks(tmp_path: Path) -> None:
    text = export(item(comment(content="caf#"))).encode().replace(b"#", b"\xe9")
    rows = list(wordpress.read(saved(tmp_path, text)))
    assert (bodies(rows), rows[-1]) == (["caf\ufffd"], Mended(1))


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16", "utf-16-le", "utf-8-sig"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = export(item(comment(content="café"))).replace("UTF-8", encoding.removesuffix("-sig"))
    [found] = comments_in(saved(tmp_path, text.encode(encoding)))
    assert found.body == "café"


def test_undeclared_prefixes_are_taken_at_their_word(tmp_path: Path) -> None:
    text = export(item(comment("<yoast:score>1</yoast:score>")), head='<rss version="2.0">')
    assert [found.body for found in comments_in(saved(tmp_path, text))] == ["Hello"]


def test_prefixes_of_another_name_are_understood(tmp_path: Path) -> None:
    text = export(item(comment())).replace("wp:", "ns0:").replace("xmlns:wp", "xmlns:ns0")
    assert [found.body for found in comments_in(saved(tmp_path, text))] == ["Hello"]


def test_a_hijacked_prefix_is_not_believed(tmp_path: Path) -> None:
    text = export(item(comment()), item(comment(id="2")).replace("<item>", '<item xmlns:wp="http://other.example/">'))
    assert [found.source_id for found in comments_in(saved(tmp_path, text))] == ["1"]


@pytest.mark.parametrize("junk", ["\n\n \ufeff", "\ufeff"])
def test_blank_lines_above_the_declaration_do_no_harm(tmp_path: Path, junk: str) -> None:
    assert len(comments_in(saved(tmp_path, junk + export(item(comment()))))) == 1


def test_what_follows_the_last_tag_is_not_read(tmp_path: Path) -> None:
    assert len(comments_in(saved(tmp_path, export(item(comment())) + "\n<b>Notice</b>: cut & dried"))) == 1


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    packed = gzip.compress(export(item(comment())).encode())
    assert len(comments_in(saved(tmp_path, packed, "export.xml.gz"))) == 1


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, export(item(comment(content="long " * 40_000))))
    steps: list[tuple[int, int]] = []
    list(wordpress.read(path, progress=lambda done, total: steps.append((done, total))))
    assert len(steps) > 2
    assert steps == sorted(steps)
    assert steps[-1] == (path.stat().st_size, path.stat().st_size)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("PK\x03\x04", "zip"),
        ('{"comments": []}', "begins with"),
        ("<html></html>", "starts with <html>"),
        (
            '<rss version="2.0"><channel><item><title>x</title></item></channel></rss>',
            "nothing in it is from WordPress",
        ),
        (HEAD.replace("UTF-8", "zlib") + "</rss>", "encoding"),
        (HEAD + "<channel><wp:wxr_version>2.0</wp:wxr_version>", "version “2.0”"),
        (HEAD + "<channel><item>", "ends in the middle"),
        (HEAD + "\n<channel>\n<item></title>", "Line 4: The XML is broken"),
        (export(item(comment() + "<wp:post_type>post</wp:post_type>")), "<wp:post_type> stands below"),
        (HEAD + "<channel>&nbsp;</channel></rss>", "undefined entity"),
    ],
)
def test_what_is_no_export_is_refused_with_the_reason(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UnreadableExport, match=words):
        list(wordpress.read(saved(tmp_path, text)))
