"""The address of somebody's site goes into pages and feeds; a name that looks like a moderator's is known."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.comments.plaintext import PlainTextError, clean_website, skeleton

from .test_plaintext import ALWAYS, ANYTHING, TRICKY


class TestWebsites:
    @pytest.mark.parametrize(
        ("typed", "wanted"),
        [
            ("", None),
            ("  ", None),
            (" https://Example.ORG ", "https://example.org"),
            ("HTTP://example.org:80/A?b=C#d", "http://example.org/A?b=C#d"),
            ("https://example.org:8443/", "https://example.org:8443/"),
            ("https://bücher.example/ü?q=é", "https://xn--bcher-kva.example/%C3%BC?q=%C3%A9"),
            ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
            ("https://example.org./", "https://example.org/"),
            ("https://example.org/😀", "https://example.org/%F0%9F%98%80"),
            ("https://example.org/100%", "https://example.org/100%25"),
            ("https://example.org/a(b)&c", "https://example.org/a(b)&c"),
        ],
    )
    def test_are_written_in_ascii(self, typed: str, wanted: str | None) -> None:
        assert clean_website(typed) == wanted

    @pytest.mark.parametrize(
        "typed",
        ["example.org", "//example.org", "javascript:alert(1)", "data:text/html,x", "ftp://example.org"]
        + ["https:example.org", "https://", "https:///x", "https://user:pw@example.org", "https://user@example.org", "https://localhost/"]
        + ["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://[::1]/", "https://[::1", "https://x"]
        + ["https://example.org:99999", "https://example.org:0", "https://example.org:x", "https://a..org", "https://-a.org"]
        + ["https://example.org/'onmouseover='alert(1)", 'https://example.org/"x', "https://example.org/<x>"]
        + ["https://a b.org", "https://example.org/a b", "https://example.org/a\nb", "https://example.org\\@evil.example"]
        + ["https://exa\tmple.org", "https://example.org/`", "https://example.org/\u202e"]
        + ["https://example.org/\ud800", "https://example.org/\u200b", "https://example.org/\ue000"]
        + ["https://example.org/" + "a" * 200, "https://example.org/" + "é" * 40, "h" * 100_000],
    )  # fmt: skip
    def test_that_lead_nowhere_good_are_refused(self, typed: str) -> None:
        with pytest.raises(PlainTextError) as caught:
            clean_website(typed)
        assert caught.value.code in ("website", "too-long")
        assert caught.value.detail

    @ALWAYS
    @given(
        st.lists(
            st.sampled_from([*"aé./:@?#%[]&=~-_'\" \t\\", "https://", "example", ".org", "xn--", "%41", "😀"])
        ).map("".join)
        | ANYTHING
    )
    def test_once_clean_stay_clean(self, text: str) -> None:
        try:
            website = clean_website("https://example.org" + text)
        except PlainTextError:
            return
        assert website is not None
        assert clean_website(website) == website
        assert len(website) <= 200
        assert not set(website) & set("\"'<>\\` \t\n")
        assert urlsplit(website).scheme == "https"


class TestSkeletons:
    @pytest.mark.parametrize(
        "name",
        [
            "Admin",
            "ADMIN",
            "аdmin",
            "АDМІN",
            "Adm1n",
            "AdmIn",
            "Admln",
            "Adm|n",
            "Ａｄｍｉｎ",
            "𝓐𝓭𝓶𝓲𝓷",
            "ⓐⓓⓜⓘⓝ",
            "A d m i n",
        ]
        + ["ad\u200bmin", "Ad\u00admin", "admin\u3164", "Αdmin", "ɑdmin", "admın"],
    )
    def test_of_names_that_look_alike_are_equal(self, name: str) -> None:
        assert skeleton(name) == skeleton("admin")

    @pytest.mark.parametrize(("one", "other"), [("Müller", "Muller"), ("Anna", "Hanna"), ("Ольга", "Olga"), ("5", "S")])
    def test_of_names_that_differ_are_not(self, one: str, other: str) -> None:
        assert skeleton(one) != skeleton(other)

    def test_of_zeros_and_letters_are_equal(self) -> None:
        assert skeleton("R00T") == skeleton("root") == skeleton("RΟОT")

    @ALWAYS
    @given(ANYTHING | TRICKY)
    def test_are_their_own_skeletons(self, name: str) -> None:
        assert skeleton(skeleton(name)) == skeleton(name)
