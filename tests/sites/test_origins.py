"""Origins are written in one way, and a redirect leads to one of them or to ourselves."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.sites.addresses import BadOrigin, normal_origin, origin_of, safe_redirect
from service.sites.weburl import BadURL

from .test_addresses import ORIGINS, PIECES

OWN = "https://comments.example.org"


class TestOrigins:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("https://example.org", "https://example.org"),
            (" HTTPS://Example.ORG/ ", "https://example.org"),
            ("https://example.org:443", "https://example.org"),
            ("http://example.org:443", "http://example.org:443"),
            ("http://localhost:8000", "http://localhost:8000"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://my_blog.example.org", "https://my_blog.example.org"),
        ],
    )
    def test_are_written_in_one_way(self, text: str, wanted: str) -> None:
        assert normal_origin(text) == wanted
        assert normal_origin(wanted) == wanted

    @pytest.mark.parametrize(
        "text",
        ["", "*", "null", "example.org", "//example.org", "ftp://example.org", "https://", "https:example.org"]
        + ["https://example.org/blog", "https://example.org?x", "https://example.org#", "https://u:p@example.org"]
        + ["https://*.example.org", "https://example.org:0", "https://example.org:99999", "https://exa\tmple.org"]
        + ["https://" + "a" * 3_000, "https://\ud800.org", "https://a,b", "https://example.org\\evil"],
    )
    def test_else_are_refused_with_a_sentence(self, text: str) -> None:
        with pytest.raises(BadOrigin, match="An origin looks like"):
            normal_origin(text)

    def test_of_a_url_leave_its_path_behind(self) -> None:
        assert origin_of("https://Example.org:443/a?b#c") == "https://example.org"
        with pytest.raises(BadURL):
            origin_of("/a")

    @settings(deadline=None)
    @given(st.text(st.characters(exclude_categories=())).map("https://{}".format))
    def test_are_the_same_when_written_twice(self, text: str) -> None:
        try:
            once = normal_origin(text)
        except BadOrigin:
            return
        assert once.isascii()
        assert normal_origin(once) == once


class TestRedirects:
    def sent(self, target: str) -> str | None:
        return safe_redirect(target, origins=ORIGINS, own=OWN)

    @pytest.mark.parametrize(
        ("target", "wanted"),
        [
            ("https://example.org/a/?b=1#c", "https://example.org/a/?b=1#c"),
            ("http://localhost:8000/", "http://localhost:8000/"),
            ("https://comments.example.org/embed", OWN + "/embed"),
            ("/embed/blog?page=/a&fbclid=1", OWN + "/embed/blog?page=/a&fbclid=1"),
            ("/a//b/../c", OWN + "/a/c"),
            ("https://EXAMPLE.org:443/ü", "https://example.org/%C3%BC"),
        ],
    )
    def test_go_to_the_site_or_ourselves(self, target: str, wanted: str) -> None:
        assert self.sent(target) == wanted

    @pytest.mark.parametrize(
        "target",
        [
            "",
            "a",
            "?x",
            "#x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "https:evil.example",
        ]
        + ["https:/evil.example", "https:///evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example"]
        + [
            "https://example.org@evil.example",
            "https://example.org\\.evil.example",
            "https://example.org:x@evil.example",
        ]
        + [
            "javascript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "https://evil.example/",
            "/a\r\nSet-Cookie: b",
        ]
        + ["http://example.org/", "https://user@example.org/", "https://example.org.evil.example/", "/" + "a" * 3_000]
        + [
            "https://example.org/\r\nLocation: x",
            "/\ud800",
            "https://evil。example",
            "\x00/a",
            " https://evil.example",
        ],
    )
    def test_go_nowhere_else(self, target: str) -> None:
        assert self.sent(target) is None

    def test_are_not_opened_by_any_known_trick(self, shared: Path) -> None:
        targets = json.loads((shared / "corpora/payloadsallthethings/open_redirect.json").read_text())
        ssrf = json.loads((shared / "corpora/ssrf-generated/urls.json").read_text())
        targets += [item["url"] for item in ssrf]
        assert len(targets) >= 1_300
        allowed = {urlsplit(origin).netloc for origin in [OWN, *ORIGINS]}
        assert {place(target) for target in map(self.sent, targets) if target} <= allowed

    @settings(deadline=None)
    @given(st.lists(st.sampled_from([*PIECES, "evil.example", "javascript:", "\r\n"])).map("".join))
    def test_stay_on_the_site_whatever_is_asked(self, target: str) -> None:
        answer = self.sent(target)
        assert answer is None or answer.startswith(tuple(f"{origin}/" for origin in [OWN, *ORIGINS]))
        assert answer is None or (answer.isascii() and answer.isprintable() and "//" not in urlsplit(answer).path)


def place(url: str) -> str:
    return urlsplit(url).netloc


def test_the_check_of_redirects_would_see_an_escape() -> None:
    assert place("https://evil.example/") not in {urlsplit(origin).netloc for origin in [OWN, *ORIGINS]}
