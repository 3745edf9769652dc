"""The widget's languages: each says all that English says, in its own words, with its own plurals, and briefly."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from service.embed.widget import release
from tests.conftest import ROOT

SOURCES = ROOT / "service/embed/widget"
CODES = sorted(re.findall(r"\b[a-z]{2}\b", (SOURCES / "widget.js").read_text().split("LANGUAGES = ")[1].split(";")[0]))
OTHERS = [code for code in CODES if code != "en"]
NAMES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "es": "Spanish", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "he": "Hebrew", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish",
    "pt": "Portuguese", "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip
PLURALS = {
    "ar": "zero one two few many other",
    "he": "one two other",
    **dict.fromkeys(("es", "fr", "it", "pt"), "one many other"),
    **dict.fromkeys(("cs", "pl", "ru", "uk"), "one few many other"),
    **dict.fromkeys(("da", "de", "en", "fa", "fi", "nl", "sv", "tr"), "one other"),
    **dict.fromkeys(("ja", "ko", "zh"), "other"),
}
"""What `new Intl.PluralRules(code).resolvedOptions().pluralCategories` has: CLDR's cardinal rules."""
THE_SAME = {("de", "name"), ("de", "website"), ("it", "policy"), ("nl", "policy"), ("nl", "website")}
"""Words that a language shares with English."""
LONGEST = 2200  # bytes of a file as it travels

Sentence = str | dict[str, str]


def sentences(text: str) -> dict[str, Sentence]:
    """The object that a file exports, which is JSON but for its keys, comments and last commas."""
    lines = [line for line in text.splitlines() if not line.strip().startswith(("//", "/*"))]
    body = "\n".join(lines).removeprefix("export default ").removesuffix(";")
    strings = re.split(r'("(?:[^"\\]|\\.)*")', body)  # what is quoted stands at the odd places
    strings[::2] = [re.sub(r",(\s*})", r"\1", re.sub(r"(\w+):", r'"\1":', piece)) for piece in strings[::2]]
    found: dict[str, Sentence] = json.loads("".join(strings))
    return found


def source(part: str, code: str) -> str:
    return (SOURCES / "lang" / part / f"{code}.js").read_text(encoding="utf-8")


def said(code: str) -> dict[str, Sentence]:
    return sentences(source("read", code)) | sentences(source("write", code))


def forms(sentence: Sentence) -> list[str]:
    return [sentence] if isinstance(sentence, str) else list(sentence.values())


def places(sentence: Sentence) -> list[str]:
    """The names in braces; of a plural, those of its general form."""
    text = sentence if isinstance(sentence, str) else sentence["other"]
    return sorted(re.findall(r"\{\w+\}", text))


PLURAL_KEYS = [key for key, one in said("en").items() if isinstance(one, dict)]


def test_every_language_is_there_and_no_other() -> None:
    assert len(OTHERS) == 20
    for part in ("read", "write"):
        assert sorted(path.stem for path in (SOURCES / "lang" / part).glob("*.js")) == CODES
    assert set(NAMES) == set(OTHERS)
    assert set(PLURALS) == set(CODES)


@pytest.mark.parametrize("part", ["read", "write"])
@pytest.mark.parametrize("code", OTHERS)
def test_a_language_has_the_sentences_of_english_in_their_order(part: str, code: str) -> None:
    english, ours = sentences(source(part, "en")), sentences(source(part, code))
    assert list(ours) == list(english)
    assert {key: type(one) for key, one in ours.items()} == {key: type(one) for key, one in english.items()}
    assert source(part, code).startswith(f"/** {NAMES[code]}: ")


@pytest.mark.parametrize("code", OTHERS)
def test_the_same_texts_and_numbers_are_put_in(code: str) -> None:
    english, ours = said("en"), said(code)
    assert {key: places(one) for key, one in ours.items()} == {key: places(one) for key, one in english.items()}
    for key in PLURAL_KEYS:
        assert all(places(form) in ([], ["{n}"]) for form in forms(ours[key])), key  # "two comments" needs no number


@pytest.mark.parametrize("code", CODES)
def test_plurals_are_those_of_the_language(code: str) -> None:
    ours = {key: " ".join(one) for key, one in said(code).items() if isinstance(one, dict)}
    assert ours == dict.fromkeys(PLURAL_KEYS, PLURALS[code])


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_is_left_in_english(code: str) -> None:
    english, ours = said("en"), said(code)
    same = {(code, key) for key, one in ours.items() if set(forms(one)) & set(forms(english[key]))}
    assert same == {pair for pair in THE_SAME if pair[0] == code}


@pytest.mark.parametrize("code", OTHERS)
def test_sentences_are_short(code: str) -> None:
    english = said("en")
    for key, one in said(code).items():
        longest = 2.2 * max(map(len, forms(english[key]))) + 30
        assert all(0 < len(form) <= longest for form in forms(one)), key


@pytest.mark.parametrize("code", CODES)
def test_a_button_is_called_by_the_word_that_is_on_it(code: str) -> None:
    """WCAG 2.2, 2.5.3: who says the word that they see reaches the button."""
    ours = said(code)
    for word, called in (("reply", "replyto"), ("report", "reportof")):
        assert str(ours[word]).casefold() in str(ours[called]).casefold()


@pytest.mark.parametrize("code", CODES)
def test_sentences_are_plain_text(code: str) -> None:
    for key, one in said(code).items():
        for form in forms(one):
            assert form == form.strip() and "  " not in form, key
            assert not set(form) & set("<\\\n"), key
    assert "*" in str(said(code)["required"])


@pytest.mark.parametrize("code", CODES)
def test_a_file_is_small(code: str) -> None:
    for part in ("read", "write"):
        assert len(gzip.compress(release().files[f"lang/{part}/{code}.js"], 9)) <= LONGEST


def test_the_test_reads_what_is_written() -> None:
    text = '/** English. */\nexport default {\n  a: "one: {n}, }",\n  // b\n  b: { one: "1", other: "http://x" },\n};\n'
    assert sentences(text) == {"a": "one: {n}, }", "b": {"one": "1", "other": "http://x"}}
    assert places({"one": "a", "other": "{n} {b}"}) == ["{b}", "{n}"]
