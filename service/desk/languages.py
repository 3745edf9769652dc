"""In which language the desk speaks: that of its reader's browser, as far as it is one of ours."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from babel.core import Locale
from flask import Flask, has_request_context, request
from flask_babel import Babel, format_date, format_time, gettext

from service.desk.below import SENTENCES

LANGUAGES = ("en", "de", "fr", "es", "ja")
CATALOGS = Path(__file__).with_name("translations")

_FORMATS = {"en": "en_GB"}
"""Where dates are to be written as the manual writes them."""
_MOMENT = "%d %B %Y, %H:%M UTC"
"""How sentences from below write a time."""
_VARIES = re.escape("{}")
_PATTERNS = [
    (one, re.compile(re.escape(one).replace(_VARIES, "(.+?)") + r"(?: |$)"))
    for one in sorted(SENTENCES, key=len, reverse=True)
]
_SENTENCE = re.compile(r".+?[.!?](?: |$)|.+", re.DOTALL)


def chosen() -> str:
    """The language that the browser likes best of ours (RFC 9110, 12.5.4); English where it names none."""
    best = request.accept_languages.best_match(LANGUAGES) if has_request_context() else None
    return best or LANGUAGES[0]


def said(text: str) -> str:
    """Sentences that come from below the desk, in the reader's language. One that is not in the catalog stays."""
    if chosen() == LANGUAGES[0]:
        return text
    told: list[str] = []
    while text:
        text = _take(text, told)
    return " ".join(told)


def _take(text: str, told: list[str]) -> str:
    """Translate what stands first, the longest that the catalog has; what is left of the text."""
    for sentence, pattern in _PATTERNS:
        if match := pattern.match(text):
            told.append(gettext(sentence).format(*map(_varying, match.groups())))
            return text[match.end() :]
    unknown = _SENTENCE.match(text)
    piece = unknown.group() if unknown else text
    told.append(piece.rstrip())
    return text[len(piece) :]


def _varying(text: str) -> str:
    """What varies in a sentence: a time as the reader's language writes it, or words that may be a sentence too."""
    try:
        return moment(datetime.strptime(text, _MOMENT))
    except ValueError:
        return said(text)


def moment(at: datetime) -> str:
    """`3 May 2026, 10:00 UTC`, as the reader's language writes it; without a zone it is UTC's already."""
    return f"{format_date(at, 'long')}, {format_time(at, 'short')} UTC"


def init_app(app: Flask) -> None:
    """Let templates and words ask for their sentences in the language of whoever reads."""
    Babel(
        app,
        default_domain="desk",
        default_translation_directories=str(CATALOGS),
        locale_selector=lambda: Locale.parse(_FORMATS.get(chosen(), chosen())),
    )
    app.jinja_env.globals["desk_language"] = chosen
    app.jinja_env.filters["said"] = said
