"""One page has one key, however its address is written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.sites.addresses import Address, BadPage, ForeignPage, canonical, origin_of

ORIGINS = ["https://example.org", "http://localhost:8000", "https://xn--bcher-kva.example"]
PIECES = [
    *("https://example.org", "HTTP://EXAMPLE.ORG:80", "https://bücher.example", "/", "//", ".", "..", "%2e", "%2E%2e"),
    *("a", "B", "é", "%41", "%c3%a9", "%C3", "%", "%zz", "%2F", "?", "&", "=", "#", "utm_source=x", "p=12", "fbclid"),
    *("+", " ", ";", ":", "@", "~", "%7e", "|", "[", "]", "{", "'", "(", "*", "!", "^", "`", "\\", "\t", "😀"),
]


def key(page: str) -> str:
    return canonical(page, origins=ORIGINS).key


@pytest.mark.parametrize(
    "page",
    [
        "https://example.org/blog/post",
        "http://example.org/blog/post",
        "HTTPS://EXAMPLE.ORG:443/blog/post",
        "http://example.org:80/blog/post",
        "https://example.org./blog/post",
        "https://example.org/blog/post/",
        "https://example.org/blog/post#comments",
        "https://example.org/blog/post?",
        "https://example.org/blog/post/?utm_source=a&UTM_medium=b&fbclid=c&gclid=d",
        "https://example.org/blog/post?unapproved=7&moderation-hash=abc#comment-7",
        "https://example.org/blog/./x/../post",
        "https://example.org/../blog/%2e%2e/blog/post",
        "https://example.org//blog///post",
        "https://example.org/%62log/p%6Fst",
        " https://example.org/blog/post ",
        "/blog/post",
        "/blog/post/?utm_campaign=x#top",
    ],
)
def test_a_page_has_one_key_however_it_is_written(page: str) -> None:
    assert key(page) == "//example.org/blog/post"


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ("https://example.org", "//example.org/"),
        ("/", "//example.org/"),
        ("https://example.org/?p=12&utm_source=x", "//example.org/?p=12"),
        ("https://example.org?b=2&a=1", "//example.org/?b=2&a=1"),
        ("https://example.org/a?x=1&&x=2&fbclid", "//example.org/a?x=1&x=2"),
        ("https://example.org/Caps", "//example.org/Caps"),
        ("https://example.org/a%2fb", "//example.org/a%2Fb"),
        ("https://example.org/ü?q=ü", "//example.org/%C3%BC?q=%C3%BC"),
        ("https://example.org/%c3%bc", "//example.org/%C3%BC"),
        ("https://example.org/100%", "//example.org/100%25"),
        ("https://example.org/a+b", "//example.org/a+b"),
        ("http://localhost:8000/x", "//localhost:8000/x"),
        ("https://BÜCHER.example/x", "//xn--bcher-kva.example/x"),
        ("https://xn--bcher-kva.example/x", "//xn--bcher-kva.example/x"),
        ("post-12", "id:post-12"),
        ("wp:12", "id:wp:12"),
        ("urn:isbn:9780141439518", "id:urn:isbn:9780141439518"),
        ("Zoe\u0308", "id:Zoë"),
        ("javascript:alert(1)", "id:javascript:alert(1)"),
    ],
)
def test_pages_that_differ_have_different_keys(page: str, wanted: str) -> None:
    assert key(page) == wanted


def test_the_url_is_the_page_itself_on_the_sites_own_scheme() -> None:
    found = canonical("http://example.org/blog/?utm_source=x&p=1#f", origins=ORIGINS)
    assert found == Address("//example.org/blog?p=1", "https://example.org/blog/?p=1", "url")


def test_a_path_is_on_the_first_origin() -> None:
    assert canonical("/a", origins=ORIGINS[1:]) == Address("//localhost:8000/a", "http://localhost:8000/a", "path")


def test_an_id_has_no_url() -> None:
    assert canonical("post 12", origins=[]) == Address("id:post 12", None, "id")


@pytest.mark.parametrize(
    "page",
    [
        "",
        "   ",
        "//example.org/x",
        "//evil.example",
        "\\\\evil.example",
        "\\evil.example",
        "/\\evil.example",
        "/a\tb",
        "/a\nb",
        "/a b",
        "https:",
        "https:/example.org/x",
        "https:example.org",
        "https:///example.org",
        "https://",
        "https://?x",
        "https://user@example.org/",
        "https://user:pw@example.org/",
        "https://example.org@evil.example/",
        "https://example.org\\@evil.example/",
        "https://example.org:99999/",
        "https://example.org:0/",
        "https://example.org:x/",
        "https://exa mple.org/",
        "https://example.org%2f@evil.example",
        "https://[::1/",
        "https://[zz]/",
        "https://-.example/",
        "https://a..example/",
        "https://\u200bexample.org/",
        "https://example.org/\u202e",
        "https://example.org/" + "a" * 2_048,
        "https://example.org/" + "é" * 1_000,
        "/" + "é" * 1_000,
        "x" * 201,
        "e\u0301\u0316" * 60_000,
        "a\x00b",
        "a\u202eb",
        "a\ud800",
        "/a\ud800",
        "https://example.org/\ud800",
        "a\u200bb",
    ],
)
def test_a_broken_address_is_refused_with_a_sentence(page: str) -> None:
    with pytest.raises(BadPage, match=r"\.$"):
        canonical(page, origins=ORIGINS)


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/",
        "https://example.org.evil.example/",
        "https://evilexample.org/",
        "https://www.example.org/",
        "https://example.org:8443/",
        "http://example.org:443/",
        "http://localhost/",
        "http://[::1]:8000/",
        "https://example.orgé/",
    ],
)
def test_a_page_elsewhere_is_foreign(page: str) -> None:
    with pytest.raises(ForeignPage, match=r"\.$"):
        canonical(page, origins=ORIGINS)


def test_a_path_needs_an_origin() -> None:
    with pytest.raises(BadPage, match="no origin yet"):
        canonical("/a", origins=[])


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sampled_from(["", "/", "https://example.org/"]))
def test_naming_a_page_again_changes_nothing(text: str, start: str) -> None:
    try:
        found = canonical(start + text, origins=ORIGINS)
    except (BadPage, ForeignPage):
        return
    assert found.key.startswith("id:" if found.kind == "id" else "//")
    assert (found.url is None) == (found.kind == "id")
    if found.url:
        assert found.url.isascii()
        assert canonical(found.url, origins=ORIGINS) == Address(found.key, found.url, "url")
        assert origin_of(found.url) in ORIGINS


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_a_page_or_refused(text: str) -> None:
    try:
        found = canonical(text, origins=ORIGINS)
    except (BadPage, ForeignPage):
        return
    assert len(found.key) <= 2_048
