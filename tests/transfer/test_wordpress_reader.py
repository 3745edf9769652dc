"""Reading WordPress exports: the real ones exactly, the odd ones kindly."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from service.transfer import wordpress
from service.transfer.foreign import ForeignComment, ForeignPage, UnreadableExport
from service.transfer.report import Reading

from .exports import comment, comments_in, export, item, saved

REAL = ("andrea", "cclabs", "chrisjrob", "mythz", "theme-unit-test", "vincenttam")
REFUSED = {"crazy-cdata": 18, "invalid-version-tag": 33, "malformed": 33, "malformed-simple": 14}


Only = Callable[..., ForeignComment]


def counted(path: Path) -> dict[str, object]:
    reading = Reading("wxr")
    for row in wordpress.read(path):
        reading.add(row)
    return reading.as_dict()


@pytest.fixture
def only(tmp_path: Path) -> Only:
    """The one comment of an export made of one item."""

    def read(written: str, **post: str) -> ForeignComment:
        [found] = comments_in(saved(tmp_path, export(item(written, **post))))
        return found

    return read


@pytest.mark.parametrize("folder", [f"wxr-{name}" for name in REAL] + ["disqus-wxr-hippo"])
def test_a_real_export_is_counted_exactly(shared: Path, folder: str) -> None:
    [path] = (shared / "real" / folder).glob("*.xml")
    expected = json.loads((shared / "real" / folder / "expected.json").read_text())
    assert counted(path) == expected


def test_the_fixtures_of_another_importer_are_read_or_refused_with_a_line(shared: Path) -> None:
    refused = {}
    paths = sorted((shared / "real" / "fix-wordpress-importer").glob("*.xml"))
    for path in paths:
        try:
            counted(path)
        except UnreadableExport as refusal:
            refused[path.stem.rpartition("__")[2]] = refusal.line
    assert (len(paths), refused) == (34, REFUSED)


def test_a_comment_is_read_with_its_page(only: Only) -> None:
    found = only(comment(author_url="https://ada.example", author_IP="192.0.2.7", parent="9"))
    assert found == ForeignComment(
        source_id="1",
        parent_source_id="9",
        page=ForeignPage(
            source_id="7",
            url="https://example.org/a/",
            title="A page",
            kind="?",
            created_at=None,
            closed=False,
            published=True,
        ),
        name="Ada",
        email="ada@example.org",
        website="https://ada.example",
        ip="192.0.2.7",
        body="Hello",
        body_format="html",
        created_at=datetime(2020, 5, 1, 10, tzinfo=UTC),
        status="approved",
        kind="comment",
        rating=None,
        rating_scale=None,
        source_status="1",
        source_kind="(empty)",
    )


def test_blanks_and_cdata_around_values_are_taken_off(only: Only) -> None:
    found = only(comment(id="\n 12 ", author="\n<![CDATA[ Ada ]]>\n", author_email=" <![CDATA[ a@b.example ]]>"))
    assert (found.source_id, found.name, found.email) == ("12", "Ada", "a@b.example")


def test_names_and_titles_are_unescaped_to_plain_text(tmp_path: Path) -> None:
    written = export(item(comment(author="<![CDATA[O&#8217;Neill &amp; <b>]]>")))
    [found] = comments_in(saved(tmp_path, written.replace("A page", "Fish &amp;amp; chips")))
    assert (found.name, found.page.title) == ("O’Neill & <b>", "Fish & chips")


def test_a_comment_of_nothing_but_an_id_is_read_and_held(only: Only) -> None:
    found = only("<wp:comment><wp:comment_id>1</wp:comment_id></wp:comment>")
    assert (found.name, found.email, found.body, found.created_at, found.status, found.notes) == (
        "",
        None,
        "",
        None,
        "pending",
        ("unknown_status", "bad_date"),
    )


@pytest.mark.parametrize(
    ("gmt", "local", "post", "expected"),
    [
        (
            "2020-05-01 10:00:00",
            "2020-05-01 12:00:00",
            "2019-01-01 00:00:00",
            datetime(2020, 5, 1, 10, tzinfo=UTC),
        ),
        (
            "0000-00-00 00:00:00",
            "2020-05-01 12:00:00",
            "2019-01-01 00:00:00",
            datetime(2020, 5, 1, 12, tzinfo=UTC),
        ),
        ("", "-0001-11-30 00:00:00", "2019-01-01 00:00:00", datetime(2019, 1, 1, tzinfo=UTC)),
        ("yesterday", "0000-00-00 00:00:00", "0000-00-00 00:00:00", None),
        ("1970-01-01 00:00:00", "", "", datetime(1970, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", "", "", None),
    ],
)
def test_a_missing_date_is_taken_from_the_next_best(
    only: Only, gmt: str, local: str, post: str, expected: datetime | None
) -> None:
    assert only(comment(date_gmt=gmt, date=local), post_date_gmt=post).created_at == expected


@pytest.mark.parametrize(
    ("approved", "expected"),
    [
        ("1", "approved"),
        ("0", "pending"),
        ("spam", "spam"),
        ("trash", "deleted"),
        ("post-trashed", "deleted"),
        ("", "pending"),
        ("mystery", "pending"),
    ],
)
def test_only_what_was_approved_is_approved(only: Only, approved: str, expected: str) -> None:
    assert only(comment(approved=approved)).status == expected


@pytest.mark.parametrize("status", ["draft", "private", "pending", "future", "trash", "inherit", "wc-completed", ""])
def test_an_approved_comment_on_a_page_that_was_not_public_is_held(only: Only, status: str) -> None:
    found = only(comment(approved="1"), status=status)
    assert (found.status, found.notes) == ("pending", ("page_not_public",))


def test_an_approved_comment_behind_a_password_is_held(only: Only) -> None:
    assert only(comment(approved="1"), post_password="<![CDATA[sesame]]>").status == "pending"


def test_an_approved_comment_on_a_post_of_no_status_is_held(tmp_path: Path) -> None:
    text = export(item(comment(approved="1"), post_type="post")).replace("<wp:status>publish</wp:status>", "")
    assert [found.status for found in comments_in(saved(tmp_path, text))] == ["pending"]


def test_spam_on_a_private_page_stays_spam(only: Only) -> None:
    assert only(comment(approved="spam"), status="private").status == "spam"


@pytest.mark.parametrize("kind", ["pingback", "trackback", "review", "order_note"])
def test_the_kind_is_kept(only: Only, kind: str) -> None:
    found = only(comment(type=kind))
    assert (found.kind, found.source_kind) == (kind, kind)


def meta(key: str, value: str) -> str:
    inner = f"<wp:meta_key>{key}</wp:meta_key><wp:meta_value><![CDATA[{value}]]></wp:meta_value>"
    return f"<wp:commentmeta>{inner}</wp:commentmeta>"


@pytest.mark.parametrize(
    ("value", "rating", "notes"),
    [
        ("5", Decimal(5), ()),
        ("4.5", Decimal("4.5"), ()),
        ("0", None, ()),
        ("6", None, ("bad_rating",)),
        ("NaN", None, ("bad_rating",)),
    ],
)
def test_a_review_brings_its_stars(only: Only, value: str, rating: Decimal | None, notes: tuple[str, ...]) -> None:
    found = only(comment(meta("verified", "1") + meta("rating", value), type="review"))
    assert (found.rating, found.notes) == (rating, notes)


@pytest.mark.parametrize("address", ["", "http://", " https:// "])
def test_an_empty_address_is_no_website(only: Only, address: str) -> None:
    assert only(comment(author_url=address)).website is None


@pytest.mark.parametrize(
    ("text", "ip"), [("192.0.2.7, 10.0.0.1", "192.0.2.7"), ("2001:DB8::1", "2001:db8::1"), ("x", None)]
)
def test_an_ip_is_an_address_or_nothing(only: Only, text: str, ip: str | None) -> None:
    assert only(comment(author_IP=text)).ip == ip
