"""XML from strangers, walked as a stream: no document type, no great depth, no endless token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from xml.sax import SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from .foreign import UnreadableExport

DEEPEST = 64
LONGEST_TEXT = 4_000_000
# expat rereads an unfinished token with every piece, so a giant one would cost the square of its length.
LONGEST_TOKEN = 1_000_000


class Outline(ContentHandler, ABC):
    """Follows the elements of a document and gathers the texts a subclass asks for.

    Elements are named `prefix:local` by the prefix usual for their namespace, whatever prefix the file
    chose; an undeclared prefix is taken at its word, and a foreign namespace is named `?`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._parser = create_parser(forbid_dtd=True)
        self._parser.setContentHandler(self)
        self.depth = 0
        self.events = 0
        self.over = False
        self._scopes: list[dict[str, str]] = []
        self._names: list[str] = []
        self._gathering_at = 0
        self._text: list[str] = []
        self._length = 0

    @abstractmethod
    def usual_prefix(self, namespace: str) -> str:
        """The prefix this format's readers know a namespace by; `?` for one that does not matter."""

    @abstractmethod
    def opened(self, name: str) -> bool:
        """Take note of a start tag; True asks for the text up to its end tag."""

    @abstractmethod
    def gathered(self, name: str, text: str) -> None:
        """Take the trimmed text of an element that `opened` asked for."""

    @abstractmethod
    def closed(self, name: str) -> None:
        """Take note of an end tag."""

    def feed(self, piece: str) -> None:
        """Parse the next piece of the document."""
        try:
            self._parser.feed(piece)
        except DefusedXmlException as trap:
            raise UnreadableExport(
                "The file declares a document type, which no export needs and attacks use. Refused.",
                line=self.line,
            ) from trap
        except SAXParseException as broken:
            if not self.over:
                raise UnreadableExport(
                    f"The XML is broken here ({broken.getMessage()}). Mend the line, or export again.",
                    line=broken.getLineNumber(),
                ) from broken

    @property
    def line(self) -> int:
        """Where the parser stands."""
        return self._parser.getLineNumber()

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        self.events += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise UnreadableExport(f"Elements are nested more than {DEEPEST} deep. Refused.", line=self.line)
        self._scopes.append(self._declared(attrs))
        usual = self._usual(name)
        self._names.append(usual)
        if not self._gathering_at and self.opened(usual):
            self._gathering_at, self._text, self._length = self.depth, [], 0

    def characters(self, content: str) -> None:
        self.events += 1
        if self._gathering_at:
            self._length += len(content)
            if self._length > LONGEST_TEXT:
                raise UnreadableExport(f"A value is longer than {LONGEST_TEXT:,} characters.", line=self.line)
            self._text.append(content)

    def endElement(self, name: str) -> None:
        self.events += 1
        usual = self._names.pop()
        if self._gathering_at == self.depth:
            self._gathering_at = 0
            self.gathered(usual, "".join(self._text).strip())
        elif not self._gathering_at:
            self.closed(usual)
        self._scopes.pop()
        self.depth -= 1
        self.over = self.depth == 0

    def _usual(self, name: str) -> str:
        prefix, colon, local = name.rpartition(":")
        for scope in reversed(self._scopes):
            if prefix in scope:
                return f"{scope[prefix]}:{local}" if scope[prefix] else local
        return f"{prefix}{colon}{local}"

    def _declared(self, attributes: AttributesImpl) -> dict[str, str]:
        """The usual prefix of each namespace that a start tag declares, by the prefix it declares."""
        return {
            name.removeprefix("xmlns").removeprefix(":"): value and self.usual_prefix(value)
            for name, value in attributes.items()
            if name == "xmlns" or name.startswith("xmlns:")
        }


def walk(text: Iterable[str], outline: Outline) -> Iterator[None]:
    """Feed `text` to `outline`, pausing after each piece so that what it found can be taken away.

    Ends with the document: what follows the last end tag is not read. Raises UnreadableExport.
    """
    silent = 0
    for piece in text:
        before = outline.events
        outline.feed(piece)
        yield
        if outline.over:
            return
        silent = silent + len(piece) if outline.events == before else 0
        if silent > LONGEST_TOKEN:
            raise UnreadableExport("A tag or comment has no end in sight. Refused.", line=outline.line)
    raise UnreadableExport(
        "The file ends in the middle, as if it was cut off. Export or download it again.", line=outline.line
    )
