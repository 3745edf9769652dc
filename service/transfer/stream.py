"""The text of an export file: unpacked, bounded and mended, one piece at a time."""

from __future__ import annotations

import codecs
import gzip
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from .foreign import UnreadableExport

Progress = Callable[[int, int], None]

PIECE = 64 * 1024
# Text packs about tenfold. What unpacks a hundredfold, beyond a harmless size, was made to do harm.
BOMB_RATIO, HARMLESS = 100, 1024 * 1024

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
          (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))  # fmt: skip
_NAMED = re.compile(rb"""\A\s*<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)""")
# Python's codecs include compressors and escape languages: only alphabets are taken.
_ALPHABET = re.compile(
    r"utf-?8|utf-?16|(us-)?ascii|iso-?8859-\d+|windows-12\d+|koi8-[ru]|gbk|gb2312|gb18030|big5|shift_jis|euc-(jp|kr)"
)
_PROLOGUE = re.compile(r"\A[\s\ufeff]*(<\?xml\s[^>]*\?>)?")
_BROKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass
class Mending:
    """Counts the characters that XML cannot hold and that were therefore removed or replaced."""

    characters: int = 0

    def mend(self, text: str) -> str:
        """Drop control characters; undecodable bytes become U+FFFD."""
        text, broken = _BROKEN.subn(lambda found: "\ufffd" if "\ud800" <= found[0] <= "\udfff" else "", text)
        self.characters += broken
        return text


def pieces(path: Path, mending: Mending, *, max_bytes: int, progress: Progress | None = None) -> Iterator[str]:
    """Read `path`, plain or gzip, as text without its XML declaration.

    `max_bytes` bounds the unpacked size; `progress(done, total)` counts bytes of the file on disk.
    Raises UnreadableExport.
    """
    decoder = None
    for chunk in _unpacked(path, max_bytes, progress):
        if decoder is None:
            decoder = codecs.getincrementaldecoder(_encoding(chunk))("surrogateescape")
            yield _opening(mending.mend(_decoded(decoder, chunk)))
        else:
            yield mending.mend(_decoded(decoder, chunk))
    if decoder is None:
        raise UnreadableExport("The file is empty. Export the comments again.")
    yield mending.mend(_decoded(decoder, b"", final=True))


def _unpacked(path: Path, max_bytes: int, progress: Progress | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        source = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
        done = 0
        while chunk := _read(source):
            done += len(chunk)
            if done > max_bytes:
                raise UnreadableExport(
                    f"It holds more than {max_bytes:,} bytes, the most that may be imported at once. "
                    "Raise GREENROOM_IMPORT_MAX_MB, or export fewer posts at a time."
                )
            if packed and done > HARMLESS and done > BOMB_RATIO * file.tell():
                raise UnreadableExport("It unpacks to far more than a text would, as a trap does. Refused.")
            if progress:
                progress(file.tell(), size)
            yield chunk


def _read(source: BinaryIO) -> bytes:
    try:
        return source.read(PIECE)
    except (EOFError, zlib.error, gzip.BadGzipFile) as damaged:
        raise UnreadableExport("The gzip file is damaged or was cut off. Download it again.") from damaged


def _encoding(head: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    named = _NAMED.match(head)
    name = named[1].decode("ascii", "replace").strip().lower() if named else "utf-8"
    if not _ALPHABET.fullmatch(name):
        raise UnreadableExport(f"It claims the encoding “{name[:40]}”. Save it as UTF-8.", line=1)
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise UnreadableExport(f"The encoding “{name}” does not exist. Save it as UTF-8.", line=1) from None


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> str:
    try:
        return decoder.decode(chunk, final)
    except UnicodeError as wrong:
        raise UnreadableExport("Its text is not in the encoding it claims. Save it as UTF-8.") from wrong


def _opening(text: str) -> str:
    """Blank the declaration, since the text is decoded, and what stands above it; keep line numbers."""
    text = _PROLOGUE.sub(lambda found: "\n" * found[0].count("\n"), text, count=1)
    start = text.lstrip()
    if start.startswith("PK"):
        raise UnreadableExport("This is a zip archive. Unpack it and import the .xml file inside.")
    if start and not start.startswith("<"):
        raise UnreadableExport(
            f"The file begins with “{start[:30].strip()}” and not with XML. "
            "Choose the .xml file of the export, or delete what stands above its first “<”.",
            line=text[: len(text) - len(start)].count("\n") + 1,
        )
    return text
