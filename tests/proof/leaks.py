"""What a leak looks like: every disguise of a secret as a needle, and the heaps in which one of them turns up."""

from __future__ import annotations

import re
import sys
import zlib
from base64 import urlsafe_b64decode
from binascii import Error as BadBase64
from collections.abc import Iterable, Mapping
from functools import cache
from ipaddress import IPv6Address, ip_address

from service.comments.models import Comment
from service.db import db
from service.privacy.keys import Keys
from service.privacy.seal import keys as keys_of_app
from service.privacy.seal import network_of, rate_key
from service.reactions.models import Report, Vote

from .disguises import SHORTEST, Form, coded, hashed, ip_writings, spellings, written
from .world import Place, Said, World

_PACKED = re.compile(rb"eJ[\w-]{20,}")
"""zlib in base64: cookies and cursors that grow long."""


class Needles:
    """Many forms, found together: every eight bytes of a heap are compared with how each form begins."""

    def __init__(self) -> None:
        self._by_start: dict[int, dict[bytes, str]] = {}
        self._starts: set[int] = set()

    def __len__(self) -> int:
        return sum(map(len, self._by_start.values()))

    def add(self, form: bytes, what: str) -> None:
        """One form. Case is never looked at."""
        form = form.lower()
        assert len(form) >= SHORTEST, f"{what} is too short to be looked for: {form!r}"
        start = int.from_bytes(form[:SHORTEST], sys.byteorder)
        self._by_start.setdefault(start, {}).setdefault(form, what)
        self._starts.add(start)

    def add_all(self, forms: Iterable[Form], what: str) -> None:
        for how, form in forms:
            if len(form) >= SHORTEST:
                self.add(form, f"{what} {how}")

    def add_text(self, text: str, what: str, *, hashes: bool = True) -> None:
        """A text in all its disguises."""
        self.add_all(_shapes(text), what)
        if hashes:
            self.add_all(_digests(text), what)

    def found_in(self, raw: bytes) -> set[str]:
        """What a heap of bytes gives away, also where it is packed."""
        raw = b"\n".join([raw, *map(_unpacked, _PACKED.findall(raw))]).lower()
        found: set[int] = set()
        for shift in range(SHORTEST):
            end = shift + (len(raw) - shift) // SHORTEST * SHORTEST
            found |= self._starts.intersection(memoryview(raw)[shift:end].cast("Q"))
        return {what for start in found for form, what in self._by_start[start].items() if form in raw}


@cache
def _shapes(text: str) -> list[Form]:
    """Kept, since tests look for the same secrets again and again."""
    return [*written(text), *coded(text.encode())]


@cache
def _digests(text: str) -> list[Form]:
    return list(hashed(text.encode()))


def together(needles: Iterable[Needles]) -> Needles:
    """All heaps of needles in one, to be looked for at once."""
    both = Needles()
    for one in needles:
        for start, forms in one._by_start.items():
            both._by_start.setdefault(start, {}).update(forms)
        both._starts |= one._starts
    return both


def _unpacked(token: bytes) -> bytes:
    try:
        return zlib.decompress(urlsafe_b64decode(token + b"=" * (-len(token) % 4)))
    except (zlib.error, BadBase64):
        return b""


def of_addresses(addresses: Iterable[str]) -> Needles:
    """E-mail addresses, and their local parts: no way of writing changes those."""
    found = Needles()
    for address in addresses:
        local = address.partition("@")[0].lower()
        found.add_text(local, f"local part of {address}")
        for spelling in spellings(address):
            found.add_text(spelling, address)
    return found


def of_domains(addresses: Iterable[str]) -> Needles:
    """The domains of addresses, which only the moderators of a site are shown."""
    found = Needles()
    for domain in {one.partition("@")[2].lower() for one in addresses}:
        found.add_text(domain, f"domain {domain}")
    return found


def of_networks(ips: Iterable[str], *, keyed: bool = True) -> Needles:
    """IP addresses and the networks around them; `keyed`: also as limits know them, which only their store may."""
    found = Needles()
    for text in ips:
        for form in ip_writings(text):
            found.add_text(form, text)
        ip = ip_address(text)
        found.add_all(hashed(ip.packed), f"{text} in bytes")
        if isinstance(ip, IPv6Address):
            found.add(ip.packed, f"{text} in bytes")
        for around in (network_of(text), network_of(text).partition("/")[0]):
            found.add_all(hashed(around.encode()), f"network of {text}")
        if keyed:
            found.add(rate_key(text).encode(), f"what limits call {text}")
    return found


def of_keys(keys: Keys) -> Needles:
    """The keys of the install."""
    found = Needles()
    for name, key in {"secret": keys.secret, "index": keys.index.decode(), "audit": keys.audit.decode()}.items():
        found.add_text(key, f"{name} key")
    for one in keys.email:
        found.add_text(one, "sealing key")
    return found


def of_tokens(tokens: Mapping[str, str], *, hashes: bool = True) -> Needles:
    """Secrets that were handed out, by what they are; digests of them are kept, so raw ones are no needle."""
    found = Needles()
    for what, token in tokens.items():
        found.add_text(token, what, hashes=False)
        if hashes:
            found.add_all(((how, form) for how, form in _digests(token) if " in " in how), what)
    return found


def of_secrets(world: World) -> list[Needles]:
    """Tokens of authors and programs, and the keys of the install."""
    tokens = {f"author token {one.id}": one.token for one in _said(world) if one.token}
    for place in (world.a, world.b):
        tokens |= {f"token of {role} of {place.site.key}": token for role, token in place.tokens.items()}
    return [of_tokens(tokens | {"token of admin": world.admin}), of_keys(keys_of_app())]


def of_columns(places: Iterable[Place], *, seals: bool = True, labels: bool = True) -> Needles:
    """What is private of some sites' comments, votes and reports: seals, indexes and digests; network labels."""
    found = Needles()
    db.session.rollback()
    for place in places:
        for comment in db.session.query(Comment).filter_by(site_id=place.site.id):
            if comment.email_sealed and seals:
                found.add(comment.email_sealed, "sealed address")
                found.add(comment.email_sealed.hex().encode(), "sealed address in hex")
            if comment.email_index and seals:
                found.add(comment.email_index, "blind index")
                found.add_all(coded(comment.email_index), "blind index")
                found.add(repr(comment.email_index)[2:-1].encode(), "blind index as Python writes it")
            if comment.network_label and labels:
                found.add(comment.network_label.encode(), f"network label on {place.site.key}")
        for one in (row for kind in (Vote, Report) for row in db.session.query(kind).filter_by(site_id=place.site.id)):
            if seals:
                found.add_all(coded(one.device_digest), "digest of a device")
            if one.network_label and labels:
                found.add(one.network_label.encode(), f"network label on {place.site.key}")
    return found


def _said(world: World) -> list[Said]:
    return [*world.a.said, *world.b.said]


def leaks(heaps: Mapping[str, bytes], *needles: Needles) -> list[str]:
    """Where something was found, and what. Heaps of the same bytes are looked through once."""
    seen: dict[bytes, list[str]] = {}
    found = []
    for name, raw in heaps.items():
        if raw not in seen:
            seen[raw] = sorted(what for one in needles for what in one.found_in(raw))
        found += [f"{name}: {what}" for what in seen[raw]]
    return found
