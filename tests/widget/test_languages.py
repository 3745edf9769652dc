"""Twenty languages and more, a site's own sentences, and the wishes of a reader's system."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embed.test_widget_languages import CODES, said

from .elsewhere import tag
from .reader import THREAD, TYPED, Reader
from .talk import Talk

RIGHT_TO_LEFT = {"ar", "fa", "he"}

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", CODES)
def test_it_speaks_a_language(reader: Reader, talk: Talk, watch: Any, language: str) -> None:
    talk.say("It stays with you.", rating=8)
    talk.say("Not with me.")
    reader.opens(lang=language)

    root = reader.part("root").first
    assert root.get_attribute("lang") == language
    assert reader.style("[part~=root]", "direction") == ("rtl" if language in RIGHT_TO_LEFT else "ltr")
    told = said(language)
    assert reader.part("form").locator("button[type=submit]").inner_text() == told["post"]
    assert str(told["required"]) in reader.says("form")
    assert "{" not in reader.says()
    loaded = {one.rpartition("/")[2] for one in reader.scripts if "/lang/" in one}
    assert loaded <= {"en.js", f"{language}.js"}
    assert [text for text in watch.console if "Greenroom" in text] == []


def test_the_page_says_which_language(reader: Reader, talk: Talk) -> None:
    talk.say("It stays with you.")
    reader.opens(root='lang="de-AT"')

    assert reader.part("root").first.get_attribute("lang").lower() == "de-at"
    assert reader.part("title").first.inner_text().startswith("1 ")


def test_a_language_that_nobody_wrote_is_english(reader: Reader) -> None:
    reader.opens(lang="tlh")

    assert reader.part("root").first.get_attribute("lang").startswith("en")
    assert "Post Comment" in reader.says("form")


@pytest.mark.parametrize(("written", "spoken"), [("en-en-us", "en"), ("de-", "de"), ("FR-ca", "fr-ca")])
def test_a_language_that_is_written_wrongly_breaks_nothing(
    reader: Reader, talk: Talk, written: str, spoken: str
) -> None:
    talk.say("It stays with you.")
    reader.opens(lang=written)

    assert reader.part("root").first.get_attribute("lang") == spoken
    assert reader.reads(reader.part("time").first)


def test_a_site_says_it_in_its_own_words(reader: Reader, talk: Talk) -> None:
    talk.say("It stays with you.")
    words = '{"post": "Send it <b>off</b>", "comments": {"one": "{n} letter", "other": "{n} letters"}, "nonsense": 1}'
    reader.opens(words=words)

    assert reader.part("form").locator("button[type=submit]").inner_text() == "Send it <b>off</b>"
    assert reader.part("title").first.inner_text() == "1 letter"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "That does not look like an e-mail address."),
        ('{"bademail": "Is that an address?"}', "Is that an address?"),
    ],
)
def test_a_site_says_what_is_wrong_in_its_own_words(reader: Reader, words: str, said: str) -> None:
    """Where it has none, the server knows best what it is."""
    reader.opens(**({"words": words} if words else {}))
    reader.types(**TYPED | {"email": "ada"})
    reader.sends()

    reader.part("error").filter(has_text=said).wait_for()


def test_words_that_are_no_json_are_passed_over(reader: Reader, watch: Any) -> None:
    reader.opens(words="{post: Send}")

    assert "Post Comment" in reader.says("form")
    assert any("Greenroom" in text and "words" in text for text in watch.console)


def test_nothing_moves_for_who_wishes_so(reader: Reader, talk: Talk) -> None:
    said = talk.say_many(20)
    reader.window.emulate_media(reduced_motion="reduce")
    url = reader.publish('<div style="height: 4000px"></div>', tag(reader.service, reader.page))
    reader.visits(f"{url}#comment-{said[10]}")
    reader.until("() => scrollY > 1000")

    moving = reader.window.locator(THREAD).evaluate(
        """one => [...one.shadowRoot.querySelectorAll("*")].filter((node) => {
          const { animationName, animationDuration, transitionDuration, scrollBehavior } = getComputedStyle(node);
          const moves = animationName !== "none" && parseFloat(animationDuration) > 0.01;
          return moves || parseFloat(transitionDuration) > 0.01 || scrollBehavior === "smooth";
        }).length"""
    )
    assert moving == 0


def test_on_paper_are_words_and_no_buttons(reader: Reader, talk: Talk) -> None:
    talk.say("It stays with you.", rating=8)
    talk.say_many(60)
    reader.opens()
    reader.window.emulate_media(media="print")

    assert reader.part("body").first.is_visible()
    assert reader.part("name").first.is_visible()
    shown = reader.window.locator(THREAD).locator("button, input, textarea, select").filter(visible=True)
    assert shown.all_inner_texts() == []


def test_it_follows_the_page_when_that_turns(reader: Reader, talk: Talk) -> None:
    talk.say("It stays with you.")
    reader.opens(head="<style>.night { background: #111; color: #eee }</style>")

    reader.window.evaluate("document.body.className = 'night'")

    reader.until(
        "() => getComputedStyle(document.querySelector('greenroom-thread').shadowRoot.querySelector('[part~=body]'))"
        ".color === 'rgb(238, 238, 238)'"
    )


def test_properties_and_parts_are_for_the_site(reader: Reader, talk: Talk) -> None:
    talk.say("It stays with you.")
    css = (
        "greenroom-thread { --greenroom-accent: rgb(90, 20, 120); --greenroom-radius: 17px }"
        "greenroom-thread::part(comment) { border-left: 5px solid rgb(1, 2, 3) }"
    )
    reader.opens(head=f"<style>{css}</style>")

    assert reader.style("[part~=comment]", "border-left-color") == "rgb(1, 2, 3)"
    assert reader.style("form button[type=submit]", "background-color") == "rgb(90, 20, 120)"
    assert reader.style("form textarea", "border-top-left-radius") == "17px"
