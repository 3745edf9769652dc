"""What a leak looks like: every disguise of a secret, and the places where one of them turns up."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import quopri
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import quote

from service.comments.models import Comment
from service.db import db
from service.privacy.seal import keys as keys_of_app
from service.privacy.seal import network_of

from .world import Place, Said, World

Needles = dict[bytes, str]
"""What to look for, in lower case where case does not matter, and what it gives away."""

HASHES = ("md5", "sha1", "sha256", "sha512")


class Needlework:
    """Needles in two heaps: those that are found whatever the case, and those that are as they are."""

    def __init__(self) -> None:
        self.anyhow: Needles = {}
        self.exact: Needles = {}

    def __len__(self) -> int:
        return len(self.anyhow) + len(self.exact)

    def add_text(self, text: str, what: str) -> None:
        """A text, written in every way in which formats write texts."""
        entities = "".join(f"&#{ord(one)};" if not one.isalnum() else one for one in text)
        escaped = "".join(f"\\u{ord(one):04x}" if not one.isalnum() else one for one in text)
        printable = quopri.encodestring(text.encode(), quotetabs=True).replace(b"=\n", b"").decode()
        mailed = printable.replace("@", "=40")
        for form in (text, quote(text, safe=""), html.escape(text), entities, escaped, json.dumps(text)[1:-1], mailed):
            self.anyhow[form.lower().encode()] = what
        self.add_bytes(text.encode(), what)

    def add_bytes(self, raw: bytes, what: str) -> None:
        """Bytes as hex and in both base64 alphabets."""
        self.anyhow[raw.hex().encode()] = f"{what} in hex"
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            self.exact[encode(raw).rstrip(b"=")] = f"{what} in base64"

    def add_hashes(self, text: str, what: str) -> None:
        for name in HASHES:
            self.add_bytes(hashlib.new(name, text.encode()).digest(), f"{name} of {what}")

    def found_in(self, raw: bytes) -> set[str]:
        """What a heap of bytes gives away."""
        lowered = raw.lower()
        return {what for needle, what in self.anyhow.items() if needle in lowered} | {
            what for needle, what in self.exact.items() if needle in raw
        }


def of_addresses(said: Iterable[Said]) -> Needlework:
    """E-mail addresses by their local parts, which no way of writing changes, and by what hides those."""
    found = Needlework()
    for one in said:
        local, _, domain = one.email.partition("@")
        found.anyhow[local.lower().encode()] = f"local part of {one.email}"
        for spelling in {one.email, one.email.lower(), f"{local}@{domain.lower()}"}:
            found.add_bytes(spelling.encode(), one.email)
            found.add_hashes(spelling, one.email)
        found.add_hashes(local.lower(), f"local part of {one.email}")
    return found


def of_networks(ips: Iterable[str]) -> Needlework:
    """IP addresses as text and hashed, and the networks around them."""
    found = Needlework()
    for text in ips:
        ip = ip_address(text)
        for form in {text, str(ip), ip.exploded, network_of(text), network_of(text).partition("/")[0]}:
            found.add_text(form, text)
            found.add_hashes(form, text)
    return found


def of_secrets(world: World) -> Needlework:
    """Tokens of authors and programs, and the keys of the install."""
    found = Needlework()
    for place in (world.a, world.b):
        for one in place.said:
            if one.token:
                found.add_text(one.token, "author token")
        for role, token in place.tokens.items():
            found.add_text(token, f"token of {role}")
            found.add_hashes(token, f"token of {role}")
    found.add_text(world.admin, "token of admin")
    keys = keys_of_app()
    found.add_text(keys.secret, "secret key")
    for name, raw in {"index key": keys.index, "audit key": keys.audit}.items():
        found.add_bytes(raw, name)
    for one in keys.email:
        found.exact[bytes(one) if isinstance(one, bytes) else one.encode()] = "sealing key"
    return found


def of_columns(places: Iterable[Place], *, labels: bool = True) -> Needlework:
    """The private columns of the comments of some sites: seals, blind indexes, network labels."""
    found = Needlework()
    db.session.rollback()
    for place in places:
        for comment in db.session.query(Comment).filter_by(site_id=place.site.id):
            if comment.email_sealed:
                found.exact[comment.email_sealed] = "sealed address"
            if comment.email_index:
                found.add_bytes(comment.email_index, "blind index")
                found.exact[repr(comment.email_index)[2:-1].encode()] = "blind index as Python writes it"
            if comment.network_label and labels:
                found.anyhow[comment.network_label.encode()] = f"network label on {place.site.key}"
    return found


def leaks(heaps: Mapping[str, bytes], *needles: Needlework) -> list[str]:
    """Where something was found, and what. Looks at all different lines at once first: there is seldom anything."""
    whole = b"\n".join({line for raw in heaps.values() for line in raw.split(b"\n")})
    if not any(heap.found_in(whole) for heap in needles):
        return []
    return [f"{name}: {what}" for name, raw in heaps.items() for heap in needles for what in sorted(heap.found_in(raw))]
