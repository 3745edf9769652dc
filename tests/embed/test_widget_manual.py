"""The widget's page of the manual against its sources: everything that a page can set, style or hear is told."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

MANUAL = (ROOT / "docs/widget.md").read_text(encoding="utf-8")
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "service/embed/widget").glob("*.*")}
ALL = "\n".join(SOURCES.values())
LOOKS = {"button", "plain", "quiet"}
"""Parts of every button; dom.js puts them together."""
HIDDEN = {"trap"}
"""A part that nobody should style: robots are to find it, people are not."""


def section(title: str) -> str:
    """What stands below a heading, up to the next of its kind."""
    heading = re.search(rf"^(#+) {re.escape(title)}\n", MANUAL, re.MULTILINE)
    assert heading, title
    return re.split(rf"^#{{1,{len(heading[1])}}} ", MANUAL[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str) -> set[str]:
    """What the rows of the tables of a section begin with."""
    return set(re.findall(r"^\| `([^`(]+)(?:\(\w*\))?` \|", section(title), re.MULTILINE))


def test_attributes() -> None:
    listed = " ".join(re.findall(r"observedAttributes = \[(.*?)\]", SOURCES["widget.js"]))
    asked = {*re.findall(r'getAttribute\("([\w-]+)"\)', ALL), *re.findall(r'"([\w-]+)"', listed)} - {"state"}
    of_ratings = {"look"}
    assert rows("Attributes") == asked - of_ratings
    assert all(f'`{name}="' in section("Counts and ratings") for name in of_ratings)


def test_properties() -> None:
    assert rows("Looks") == set(re.findall(r"--greenroom-\w+", ALL))


def test_parts() -> None:
    names = {name for found in re.findall(r'\bclass: "([\w ]+)"', ALL) for name in found.split()}
    assert len(names) > 40
    assert set(re.findall(r"`(\w+)`", section("Parts"))) == (names | LOOKS) - HIDDEN


def test_events_and_methods() -> None:
    told = rows("Events and methods")
    sent = {f"greenroom:{name}" for name in re.findall(r'\btell\("(\w+)"', ALL)}
    methods = set(re.findall(r"^  (?:async )?(\w+)\(\w*\) \{$", SOURCES["widget.js"], re.MULTILINE))
    own = {name for name in methods if not name.endswith("Callback")} - {"constructor"}
    assert told == sent | own


@pytest.mark.parametrize("state", re.findall(r'"state", "(\w+)"', ALL))
def test_states(state: str) -> None:
    assert f"`{state}`" in section("Events and methods")


def test_what_is_kept_on_the_device() -> None:
    shelves = set(re.findall(r'\bshelf\("(\w+)"', ALL)) | set(re.findall(r'\bkept\.\w+\("(\w+)"', ALL))
    assert rows("On the reader's device") == shelves


def test_languages() -> None:
    listed = re.findall(r"\b[a-z]{2}\b", SOURCES["widget.js"].split("LANGUAGES = ")[1].split(";")[0])
    told = re.findall(r"\(`([a-z]{2})`\)", section("Languages and your own sentences"))
    assert sorted(told) == sorted(listed)


def test_every_sentence() -> None:
    keys = [key for part in ("read", "write") for key in keys_of(part)]
    assert re.findall(r"^\| `(\w+)` \|", section("All sentences"), re.MULTILINE) == keys


def keys_of(part: str) -> list[str]:
    text = (ROOT / f"service/embed/widget/lang/{part}/en.js").read_text(encoding="utf-8")
    return re.findall(r"^  (\w+): ", text, re.MULTILINE)
