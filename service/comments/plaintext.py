"""Text that people type: what is refused with a sentence, what is put right, and who looks like whom."""

from __future__ import annotations

import re
import unicodedata

from service.sites.weburl import BadURL, encoded, place_of, split

MOST_MARKS = 3
"""Combining marks on one letter of a name; more of them reach into other people's lines."""

_MOST_MARKS_IN_BODY = 8
_MOST_MARKS_TO_COMPOSE = 32
"""Far more than become one letter with their base; NFC takes the square of the length of a run."""
_LONGEST_WEBSITE = 200


class PlainTextError(ValueError):
    """What somebody typed cannot be taken: `code` for programs and translations, `detail` for them."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane + 0xFFFE) + chr(plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)
)
_LINE_BREAK = re.compile("[\n\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NO_CHARACTER = re.compile(f"[\ud800-\udfff{_NONCHARACTERS}]")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")
_REFUSED = (
    (_LINE_BREAK, "line-break", "This has to fit on one line."),
    (_CONTROL, "control", "This holds a control character, which nobody can see. Please remove it."),
    (
        _DIRECTION,
        "direction",
        "This holds a mark that turns the direction of writing. Please remove it.",
    ),
    (_NO_CHARACTER, "not-a-character", "This holds a code that stands for no character. Please remove it."),
    (_PRIVATE, "private-use", "This holds a character that only some fonts know. Please remove it."),
)

# Nothing to see, and nothing lost without them. The tags that spell a flag (of Scotland, say) stay.
_INVISIBLE = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f)"
    "|[\u00ad\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0001\U000e0020-\U000e007f]"
)
# Joiners mean something between letters of other scripts (Persian, Indic) and between emoji.
_STRAY_JOINER = re.compile("(?<![^\x00-\x7f\\s])[\u200c\u200d]+|[\u200c\u200d]+(?![^\x00-\x7f\\s\u200c\u200d])")
_LOOKS_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0")

# A quote in an address has ended many an attribute; private and invisible characters have no place there.
_NOT_IN_A_WEBSITE = re.compile("['`^{}|\ufe00-\ufe0f\ue000-\uf8ff\U000e0000-\U0010ffff]")
_IN_A_WEBSITE = "/:@!$&()*+,;=?#"
_UNDER_A_DOMAIN = re.compile(r"(?:[a-z0-9_-]+\.)+(?:xn--[a-z0-9-]+|[a-z]{2,63})(?::|$)")

# Bodies: other ways to end a line become newlines; controls and overrides of direction go.
_BODY_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BODY_DROPPED = re.compile(f"[\x01-\x08\x0e-\x1f\x7f-\x9f\u202d\u202e{_NONCHARACTERS}]")


def clean_line(value: str, *, max_length: int) -> str:
    """One line of text, such as a name: NFC, trimmed, single spaces. Raises PlainTextError.

    Length is counted in characters of the result. Zero-width characters go without a word, except joiners
    where scripts and emoji need them; what could disturb other people's lines is refused.
    """
    # NFC makes text up to four times shorter, and takes the square of the length of a run of marks.
    if len(value) > 4 * max_length + 100:
        raise _too_long(value, max_length)
    for pattern, code, detail in _REFUSED:
        if pattern.search(value):
            raise PlainTextError(code, detail)
    line = _line(value)
    if _few_marks(line, MOST_MARKS) != line:
        raise PlainTextError("marks", f"At most {MOST_MARKS} marks on one letter, please.")
    if is_blank(line):
        raise PlainTextError("blank", "Please write something here.")
    if len(line) > max_length:
        raise _too_long(line, max_length)
    return line


def mend_line(value: str, *, max_length: int, fallback: str = "") -> str:
    """One line of text from an import: what `clean_line` would refuse is left out or cut; never raises.

    `fallback` stands for a line in which nothing can be seen.
    """
    line = _LINE_BREAK.sub(" ", value).replace("\t", " ")
    for pattern in (_CONTROL, _DIRECTION, _NO_CHARACTER, _PRIVATE):
        line = pattern.sub("", line)
    line = _few_marks(_INVISIBLE.sub(r"\1", line), _MOST_MARKS_TO_COMPOSE)
    line = _few_marks(_line(line), MOST_MARKS)[:max_length]
    line = _line(line)
    return fallback if is_blank(line) else line


def clean_body(text: str) -> str:
    """The text of a comment: NFC, lines ended by \\n, without controls. Raises PlainTextError.

    Tabs, indentation and invisible characters stay, for Markdown and other scripts need them. The caller
    sees to the length.
    """
    if "\x00" in text or re.search("[\ud800-\udfff]", text):
        raise PlainTextError("not-a-character", "The text holds a code that stands for no character.")
    text = _BODY_DROPPED.sub("", _BODY_LINE_END.sub("\n", text))
    text = unicodedata.normalize("NFC", _few_marks(text, _MOST_MARKS_IN_BODY))
    text = re.sub(r"\A(?:[^\S\n]*\n)+", "", text).rstrip()
    if is_blank(text):
        raise PlainTextError("blank", "Please write something first.")
    return text


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen: spaces, marks without a letter, invisible characters."""
    return all(
        character in _LOOKS_EMPTY or unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Me")
        for character in text
    )


def _line(value: str) -> str:
    """NFC without invisible characters, spaces single."""
    line = _INVISIBLE.sub(r"\1", unicodedata.normalize("NFC", value))
    line = _STRAY_JOINER.sub("", line)
    return " ".join(unicodedata.normalize("NFC", line).split())


def _few_marks(text: str, most: int) -> str:
    """At most so many combining marks in a row; the rest of a run is left out."""
    if text.isascii():
        return text
    kept = []
    run = 0
    for character in text:
        run = run + 1 if _is_mark(character) else 0
        if run <= most:
            kept.append(character)
    return "".join(kept)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me") or unicodedata.combining(character) > 0


def _too_long(text: str, most: int) -> PlainTextError:
    return PlainTextError("too-long", f"At most {most:,} characters, please. This has {len(text):,}.")


def clean_website(url: str) -> str | None:
    """The address of somebody's site, in ASCII; None for an empty one. Raises PlainTextError.

    Only http and https, with a name under a domain: no number, no local name, no user and password.
    """
    url = url.strip()
    if not url:
        return None
    if len(url) > _LONGEST_WEBSITE:
        raise _too_long(url, _LONGEST_WEBSITE)
    if _NOT_IN_A_WEBSITE.search(url):
        raise PlainTextError("website", "The address of your site holds a character that does not belong there.")
    try:
        parts = split(url)
        place = place_of(parts)
    except BadURL as error:
        raise PlainTextError("website", f"{error} An example: https://example.org") from error
    if not _UNDER_A_DOMAIN.match(place):
        raise PlainTextError("website", "That is not the address of a site on the web, like https://example.org")
    rest = url.partition("://")[2][len(parts.netloc) :]
    website = f"{parts.scheme}://{place}{encoded(rest, safe=_IN_A_WEBSITE)}"
    if len(website) > _LONGEST_WEBSITE:
        raise _too_long(website, _LONGEST_WEBSITE)
    return website


_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХҮԁеаорсухіјѕһӏԛԝкмтвнΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχςɑɡıǀ",
    "ABESIJKMHOPCTYXYdeaopcyxijshlqwkmtbhABEZHIKMNOPTYXabeikvoptuxcagil",
)
_ONE_STROKE = str.maketrans("l1|0", "iiio")


def skeleton(name: str) -> str:
    """What a name looks like, for keeping the names of moderators to them: equal skeletons look alike.

    Case, spaces, width, invisible characters, Cyrillic and Greek look-alikes and 0, 1, l, I are folded;
    accents are not. It is nothing to show to anybody.
    """
    seen = name[:1_000]
    # Folding can bring forth what folds again, such as a letter that composes with the accent after it.
    for _ in range(4):
        shown = (mark for mark in unicodedata.normalize("NFKC", seen) if not is_blank(mark) or _is_mark(mark))
        folded = "".join(shown).translate(_LOOKALIKES).casefold().translate(_LOOKALIKES)
        seen = unicodedata.normalize("NFKC", folded.translate(_ONE_STROKE))
    return seen
