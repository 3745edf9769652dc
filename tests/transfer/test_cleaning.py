"""What becomes of the values of a foreign comment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import html5lib
import pytest
from flask.testing import FlaskClient

from service.privacy.seal import email_index, network_label
from service.privacy.unseal import unseal
from service.sites.models import Site
from service.transfer import importer
from service.transfer.task import Order
from tests.conftest import add_site
from tests.support import thread

from .conftest import Bring, stored
from .exports import comment, export, item, saved

RATED = "<wp:commentmeta><wp:meta_key>rating</wp:meta_key><wp:meta_value>4</wp:meta_value></wp:commentmeta>"
ALLOWED = {
    "html", "head", "body", "p", "br", "strong", "em", "b", "i", "del", "s", "code", "pre", "blockquote", "ul", "ol",
    "li", "a", "hr",
}  # fmt: skip
HOSTILE = [
    "<script>alert(1)</script>Hi",
    "<img src=x onerror=alert(1)>Hi",
    '<a href="javascript:alert(1)">Hi</a>',
    '<a href="https://ok.example/" onclick="alert(1)" style="x" target="_top">Hi</a>',
    "<svg><style><img src=x onerror=alert(1)></style></svg>Hi",
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>Hi',
    "<math><mtext></mtext><mglyph><style></math><img src onerror=alert(1)>Hi",
    "<form action=//evil.example><input name=a></form>Hi",
    "<b <i>>Hi<!--> <script>alert(1)</script> -->",
    "&lt;script&gt;alert(1)&lt;/script&gt;Hi",
]


def test_an_address_is_sealed_and_can_be_found(bring: Bring, site: Site) -> None:
    bring(item(comment(author_email="Ada@Mail.Example.org")))
    found = stored()["1"]
    assert found.email_sealed and unseal(found.email_sealed) == "Ada@mail.example.org"
    assert found.email_index == email_index(site.id, "ada@mail.example.org")


@pytest.mark.parametrize(("email", "notes"), [("", {}), ("not an address", {"bad_email": ["1"]})])
def test_a_comment_may_come_without_an_address(bring: Bring, email: str, notes: Any) -> None:
    report = bring(item(comment(author_email=email)))
    found = stored()["1"]
    assert (found.email_sealed, found.email_index) == (None, None)
    assert report.as_dict()["noted"] == notes


def test_of_the_sender_only_the_network_is_kept(bring: Bring, site: Site) -> None:
    bring(item(comment(author_IP="198.51.100.7"), comment(id="2")))
    assert stored()["1"].network_label == network_label(site.id, "198.51.100.9")
    assert stored()["2"].network_label is None


@pytest.mark.parametrize("author", ["", "\u200b \u2060", "\u202e"])
def test_who_has_no_name_is_anonymous(bring: Bring, author: str) -> None:
    report = bring(item(comment(author=author)))
    assert stored()["1"].name == "Anonymous"
    assert report.as_dict()["noted"] == {"no_name": ["1"]}


def test_a_name_is_mended_and_not_refused(bring: Bring) -> None:
    report = bring(item(comment(author="A\u202eda " + "x" * 200)))
    assert stored()["1"].name == "Ada " + "x" * 76
    assert report.as_dict()["noted"] == {}


def test_a_website_is_kept_when_it_is_one(bring: Bring) -> None:
    report = bring(
        item(comment(author_url="http://ada.example.org/"), comment(id="2", author_url="javascript:alert(1)"))
    )
    assert [one.website for one in stored().values()] == ["http://ada.example.org/", None]
    assert report.as_dict()["noted"] == {"bad_website": ["2"]}


@pytest.mark.parametrize(("scale", "kept"), [(5.0, 4.0), (10.0, None), (None, None)])
def test_a_rating_is_kept_on_the_same_scale_only(app: Any, tmp_path: Path, scale: float | None, kept: Any) -> None:
    site = add_site("rated", ["https://rated.example.org"], rating_max=scale)
    path = saved(tmp_path, export(item(comment(RATED), comment(RATED, id="2", content=""))))
    report = importer.run(Order(path=path, site_id=site.id)).as_dict()
    assert stored()["1"].rating == kept
    assert report["noted"] == ({} if kept else {"rating_dropped": ["1"]})
    assert report["skipped"]["by_reason"] == ({} if kept else {"empty": 1})


@pytest.mark.parametrize("body", HOSTILE)
def test_a_hostile_body_is_as_harmless_as_any(bring: Bring, client: FlaskClient, body: str) -> None:
    bring(item(comment(content=f"<![CDATA[{body}]]>")))
    [told] = thread(client, page="/a/")["comments"]
    tree = html5lib.parse(told["html"], namespaceHTMLElements=False)
    assert {element.tag for element in tree.iter() if isinstance(element.tag, str)} <= ALLOWED
    for element in tree.iter():
        assert set(element.attrib) <= {"href", "rel", "start"}
        assert re.match(r"https?:|mailto:|$", element.attrib.get("href", ""))


def test_the_check_of_hostile_bodies_would_see_one() -> None:
    tree = html5lib.parse(HOSTILE[0], namespaceHTMLElements=False)
    assert not {element.tag for element in tree.iter() if isinstance(element.tag, str)} <= ALLOWED


def test_a_body_of_which_nothing_can_be_shown_is_noted(bring: Bring) -> None:
    report = bring(item(comment(content="<![CDATA[<img src='https://x.example/a.png'>]]>")))
    assert stored()["1"].html == ""
    assert report.as_dict()["noted"] == {"nothing_to_see": ["1"]}


def test_paragraphs_are_made_of_lines_as_there(bring: Bring) -> None:
    bring(item(comment(content="One.\n\nTwo,\nthree.")))
    html = stored()["1"].html
    assert (html.count("<p>"), html.count("<br>")) == (2, 1)
    assert stored()["1"].body_format == "html"
