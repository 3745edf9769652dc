"""Find the sentences of the desk for its translators, and compile what they wrote: `make words`."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from service.desk.languages import CATALOGS, LANGUAGES

DESK = Path(__file__).resolve().parents[1] / "service" / "desk"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_PLURALS = {"de": "n != 1", "fr": "n > 1", "es": "n != 1", "ja": "0"}
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: nplurals={number}; plural=({plural});\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"""


def sentences() -> Catalog:
    """All that the desk says, without translations, in the order of the alphabet."""
    catalog = Catalog()
    keywords = DEFAULT_KEYWORDS | {"lazy_gettext": None}
    for _file, _line, message, comments, context in extract_from_dir(DESK, METHODS, keywords=keywords):
        catalog.add(message, None, [], auto_comments=comments, context=context)
    return catalog


def read(language: str) -> Catalog:
    """What the translators of a language have written."""
    path = _path(language)
    plural = _PLURALS[language]
    header = _HEADER.format(language=language, plural=plural, number=1 if plural == "0" else 2)
    body = path.read_text().partition("\n\n")[2] if path.exists() else ""
    return read_po(BytesIO(f"{header}\n{body}".encode()), locale=language)


def written(catalog: Catalog) -> str:
    """A catalog as it stands in its file: the header that programs need, and each sentence."""
    out = BytesIO()
    write_po(out, catalog, width=None, omit_header=True, sort_output=True, ignore_obsolete=True, no_location=True)
    number, plural = catalog.num_plurals, catalog.plural_expr.strip("()")
    return (
        _HEADER.format(language=catalog.locale_identifier, plural=plural, number=number)
        + "\n"
        + out.getvalue().decode()
    )


def updated(language: str) -> Catalog:
    catalog = read(language)
    catalog.update(sentences(), no_fuzzy_matching=True)
    return catalog


def compiled(catalog: Catalog) -> bytes:
    """What the service reads; the same for the same sentences, whenever it is made."""
    out = BytesIO()
    catalog.creation_date = catalog.revision_date = _ANY_DAY
    write_mo(out, catalog)
    return out.getvalue()


def _path(language: str) -> Path:
    return CATALOGS / language / "LC_MESSAGES" / "desk.po"


def main() -> None:
    for language in LANGUAGES[1:]:
        catalog, path = updated(language), _path(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written(catalog))
        path.with_suffix(".mo").write_bytes(compiled(read(language)))


if __name__ == "__main__":
    main()
