"""The desk in five languages: every sentence is in every catalog, and what is drawn comes from them."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import flask_babel
import pytest
from babel.messages import Message
from flask import Flask

from docs import words as catalogs
from service.desk.below import SENTENCES
from service.desk.languages import LANGUAGES, said
from service.sites.models import Site
from service.sites.policy import SCHEMA_TYPES
from tests.conftest import ORIGIN

from .conftest import Browser, tree
from .from_below import sentences

OTHERS = LANGUAGES[1:]
_OF_OURS = ("CSV", "JSON Lines", ORIGIN, *filter(None, SCHEMA_TYPES))
"""Names that are the same in every language."""
PLACES = re.compile(r"%\(\w+\)s|\{\}")
BROWSERS = [
    ("de-AT,de;q=0.9", "de"),
    ("pt,fr;q=0.5,en;q=0.3", "fr"),
    ("ja", "ja"),
    ("nl", "en"),
    ("", "en"),
    ("*", "en"),
]


def forms(message: Message) -> list[tuple[str, str]]:
    """Each sentence of an entry with its translation; of plurals each form with the sentence for many."""
    if not message.pluralizable:
        return [(str(message.id), str(message.string))]
    return [(message.id[1], one) for one in message.string]


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_untranslated(language: str) -> None:
    catalog = catalogs.updated(language)
    pairs = [pair for message in catalog if message.id for pair in forms(message)]
    assert len(pairs) >= len(catalogs.sentences())
    assert not [sentence for sentence, translation in pairs if not translation.strip()]
    assert not [message.id for message in catalog if message.id and message.fuzzy]
    assert {sentence: translation for sentence, translation in pairs if not same_places(sentence, translation)} == {}


def same_places(sentence: str, translation: str) -> bool:
    """Whether what varies is in both; a form for one may leave the number out."""
    wanted, found = sorted(PLACES.findall(sentence)), sorted(PLACES.findall(translation))
    return wanted == found or sorted([*found, "%(num)s"]) == wanted


@pytest.mark.parametrize("language", OTHERS)
def test_catalogs_are_as_make_words_leaves_them(language: str) -> None:
    path = catalogs._path(language)
    catalog = catalogs.updated(language)
    is_written = path.read_text() == catalogs.written(catalog)
    is_compiled = path.with_suffix(".mo").read_bytes() == catalogs.compiled(catalogs.read(language))
    assert (is_written, is_compiled) == (True, True), "Run `make words`."


def test_what_others_say_at_the_desk_is_known_to_the_translators() -> None:
    assert sentences() <= set(SENTENCES), sorted(sentences() - set(SENTENCES))


@pytest.mark.parametrize(("asked", "spoken"), BROWSERS)
def test_the_desk_speaks_as_the_browser_does(app: Flask, asked: str, spoken: str) -> None:
    page = app.test_client().get("/desk/sign-in", headers={"Accept": "text/html", "Accept-Language": asked})
    assert f'<html lang="{spoken}">' in page.text


def in_german(app: Flask, text: str) -> str:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        return said(text)


def test_sentences_from_below_are_translated_with_what_varies(app: Flask) -> None:
    assert in_german(app, "The text holds 12 links.") == "Der Text enthält 12 Links."
    told = in_german(app, "Readers reported this: 3 times, last as spam.")
    assert "3" in told and "times" not in told
    told = in_german(app, "This was undone already. It was set to approved by J. {Doe} on 3 May 2026, 10:00 UTC.")
    assert told.startswith("Das wurde schon rückgängig gemacht. ")
    assert "J. {Doe}" in told and "am 3. Mai 2026, 10:00 UTC" in told and "May" not in told
    assert "freigegeben" in told
    assert (
        in_german(app, "Nobody ever wrote this. The text holds 2 links.")
        == "Nobody ever wrote this. Der Text enthält 2 Links."
    )
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert said("The text holds 12 links.") == "The text holds 12 links."


def test_a_day_that_there_is_not_stays_as_it_is(app: Flask) -> None:
    told = in_german(app, "They were changed by 31 February 2026, 10:00 UTC on 12 March 2026, 09:05 UTC.")
    assert told == "Die Einstellungen wurden von 31 February 2026, 10:00 UTC am 12. März 2026, 09:05 UTC geändert."


@pytest.mark.parametrize("language", OTHERS)
def test_no_time_inside_a_sentence_stays_english(app: Flask, language: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        told = said("It was set to spam by Bea on 3 May 2026, 10:00 UTC.")
    assert "10:00" in told and "May" not in told


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_from_below_is_found_by_what_is_said(app: Flask, language: str) -> None:
    catalog = catalogs.read(language)
    with app.test_request_context(headers={"Accept-Language": language}):
        for sentence in SENTENCES:
            filled = sentence.format(*["7"] * sentence.count("{}"))
            assert said(filled) == str(catalog[sentence].string).format(*["7"] * sentence.count("{}"))


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}")


class Marked:
    """A language in which every sentence stands between ⟦ and ⟧: what does not, no translator was asked for."""

    def ugettext(self, sentence: str) -> str:
        return f"⟦{sentence}⟧"

    def ungettext(self, one: str, many: str, number: int) -> str:
        return self.ugettext(one if number == 1 else many)


def unasked(page: str, *known: str) -> list[str]:
    """What a page says beside its sentences and what people wrote."""
    said: list[str] = []
    for element in tree(page).iter():
        if element.tag in ("script", "style", "code", "kbd", "time"):
            said.append(element.tail or "")
            continue
        said += [element.text or "", element.tail or ""]
        said += [element.get(name, "") for name in ("aria-label", "placeholder", "alt") if element.get(name)]
        said += [element.get("title", "")] if element.tag not in ("u", "time") else []
    rest = _UUID.sub(" ", " | ".join(said))
    while "⟦" in rest:
        rest = re.sub(r"⟦[^⟦⟧]*⟧", " ", rest)
    for one in sorted(known, key=len, reverse=True):
        rest = rest.replace(one, " ")
    return re.findall(r"[^\W\d_]{2,}", rest)


def test_pages_say_nothing_that_is_not_in_the_catalogs(
    anna: Browser, comment: Callable[..., UUID], site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = comment(name="Ada", body="Xyzzy https://a.example https://b.example", website="https://c.example/")
    decided = comment(name="Ada", body="Xyzzy two")
    page = anna.get(f"/desk/comments/{decided}")
    anna.press(page, "Reject", reason="Xyzzy")
    anna.press(anna.get(f"/desk/comments/{decided}"), "Keep the note", note="Xyzzy")
    anna.press(anna.get(f"/desk/comments/{decided}"), "Save the text", body="Xyzzy three")
    anna.press(anna.get(f"/desk/people/{waits}"), "Time-out for a day", note="Xyzzy")
    for place in ("one", "two", "three"):
        comment(name="Ada", email=f"{place}@mail.example.org", body=f"Xyzzy {place} https://wave.example/{place}")
    third = comment(name="Ada", email="four@mail.example.org", body="Xyzzy.")
    chosen = [f"{third} *", f'{decided} "v0"']
    done = anna.press(anna.get("/desk/"), "All are spam", within="many", item=chosen)  # type: ignore[arg-type]
    many = done.headers["Location"].rpartition("many=")[2]
    assert 'class="item group"' in anna.get("/desk/").text, "no wave is a line"
    monkeypatch.setattr(flask_babel.Domain, "get_translations", lambda self: Marked())
    typed = (
        "Anna",
        "Ada",
        "Xyzzy",
        "xyzzy",
        "nobody",
        "https",
        "mail.example.org",
        "one",
        "two",
        "three",
        "links",
        "person",
        "block",
        "pre-moderation",
    )
    known = ("Greenroom", "a.example", "b.example", "c.example", "wave.example", site.name, site.key, *typed, *_OF_OURS)
    for path in (
        "/desk/", "/desk/?status=all&q=xyzzy", "/desk/?select=all", "/desk/reasons", "/desk/?status=deleted",
        "/desk/?status=spam&q=nobody", "/desk/nowhere", f"/desk/comments/{waits}", f"/desk/comments/{decided}",
        "/desk/?limit=many", "/desk/numbers", "/desk/audit", "/desk/sites", "/desk/sites/blog", f"/desk/people/{waits}",
        "/desk/rules", "/desk/?sort=newest", f"/desk/decisions/{many}", "/desk/?status=all&alike=host:wave.example",
        f"/desk/?many={many}", f"/desk/?status=rejected&done={decided}",
    ):  # fmt: skip
        page = anna.get(path, headers={"Accept-Language": "de"})
        assert "⟦" in page.text
        assert unasked(page.text, *known) == [], path
    sign_in = anna.application.test_client().get(
        "/desk/sign-in", headers={"Accept": "text/html", "Accept-Language": "de"}
    )
    assert unasked(sign_in.text, "Greenroom") == []


def test_a_sentence_that_no_translator_knows_is_seen() -> None:
    """A control for the test above."""
    assert unasked('<p title="⟦a⟧">⟦A ⟦b⟧ c⟧ Ada, 12<b>Lost words</b></p>', "Ada") == ["Lost", "words"]
    assert unasked('<input placeholder="Words">') == ["Words"]
