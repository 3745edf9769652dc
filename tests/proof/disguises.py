"""In what forms a secret may slip out: written as formats write texts, coded, hashed, or as the number that it is."""

from __future__ import annotations

import base64
import codecs
import hashlib
import html
import json
import quopri
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote

SHORTEST = 8
"""Bytes of a form that is looked for. What is shorter stands in other texts by chance."""

Form = tuple[str, bytes]
"""What it is called, and its bytes."""


def _numbered(write: str, numbers: Iterable[int], *, plain: bool = False) -> bytes:
    """Every number as `write` has it; letters and digits stay as they are where `plain` says so."""
    return "".join(chr(n) if plain and chr(n).isalnum() else write.format(n) for n in numbers).encode()


def _characters(write: str, *, plain: bool = False) -> Callable[[str], bytes]:
    return lambda text: _numbered(write, map(ord, text), plain=plain)


def _bytes(write: str) -> Callable[[str], bytes]:
    return lambda text: _numbered(write, text.encode())


def _in_punycode(text: str) -> bytes:
    """The domain of an address as name servers know it."""
    local, at, domain = text.partition("@")
    return f"{local}{at}".encode() + domain.encode("idna")


WRITINGS: dict[str, Callable[[str], bytes]] = {
    "as it is": lambda text: text.encode(),
    "in a URL": lambda text: quote(text, safe="").encode(),
    "in a URL, all of it": _bytes("%{:02x}"),
    "in HTML": lambda text: html.escape(text).encode(),
    "in HTML by numbers": _characters("&#{};", plain=True),
    "in HTML by numbers, all of it": _characters("&#{};"),
    "in HTML by hex numbers": _characters("&#x{:x};", plain=True),
    "in HTML by hex numbers, all of it": _characters("&#x{:x};"),
    "in JSON": lambda text: json.dumps(text)[1:-1].encode(),
    "in JSON by numbers": _characters("\\u{:04x}", plain=True),
    "in JSON by numbers, all of it": _characters("\\u{:04x}"),
    "quoted-printable": lambda text: quopri.encodestring(text.encode(), quotetabs=True).replace(b"=\n", b""),
    "quoted-printable, all of it": _bytes("={:02X}"),
    "in Python's bytes": _bytes("\\x{:02x}"),
    "in punycode": _in_punycode,
    "in UTF-16": lambda text: text.encode("utf-16-le"),
    "backwards": lambda text: text[::-1].encode(),
    "in ROT13": lambda text: codecs.encode(text, "rot13").encode(),
}


def _in_64(raw: bytes, shift: int = 0) -> bytes:
    """Base64 as it stands in that of a longer text, `shift` bytes after its begin: without the uncertain ends."""
    return base64.b64encode(bytes(shift) + raw)[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


def _in_32(raw: bytes, shift: int = 0) -> bytes:
    return base64.b32encode(bytes(shift) + raw)[-(-shift * 8 // 5) : (shift + len(raw)) * 8 // 5]


def _urlsafe(coded: bytes) -> bytes:
    return coded.translate(bytes.maketrans(b"+/", b"-_"))


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "hex": lambda raw: raw.hex().encode(),
    "base85": base64.b85encode,
    **{f"base64, {n} bytes in": lambda raw, n=n: _in_64(raw, n) for n in range(3)},  # type: ignore[misc]
    **{f"base64url, {n} bytes in": lambda raw, n=n: _urlsafe(_in_64(raw, n)) for n in range(3)},  # type: ignore[misc]
    **{f"base32, {n} bytes in": lambda raw, n=n: _in_32(raw, n) for n in range(5)},  # type: ignore[misc]
}

HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")

DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda digest: digest[:8],
    " in hex": lambda digest: digest.hex()[:14].encode(),
    " in base64": lambda digest: base64.b64encode(digest)[:10],
    " in base64url": lambda digest: base64.urlsafe_b64encode(digest)[:10],
    " in base32": lambda digest: base64.b32encode(digest)[:10],
}
"""Their beginnings: avatars and cache keys are often made of a part."""


def written(text: str) -> Iterator[Form]:
    """A text as formats write it."""
    for name, write in WRITINGS.items():
        yield name, write(text)


def coded(raw: bytes) -> Iterator[Form]:
    """Bytes as text."""
    for name, code in CODINGS.items():
        yield f"in {name}", code(raw)


def hashed(raw: bytes) -> Iterator[Form]:
    """Every usual hash, and how it is written."""
    for name in HASHES:
        digest = hashlib.new(name, raw).digest()
        for how, write in DIGESTS.items():
            yield f"{name}{how}", write(digest)


def spellings(address: str) -> set[str]:
    """An e-mail address as its owner and as programs write it; what is coded or hashed depends on its case."""
    local, _, domain = address.partition("@")
    return {address, address.lower(), f"{local}@{domain.lower()}"}


def ip_writings(text: str) -> set[str]:
    """An IP address in all its writings: two families, three bases, backwards for name servers, with its network."""
    ip = ip_address(text)
    found = {text, ip.compressed, ip.exploded, ip.reverse_pointer, str(int(ip)), f"{int(ip):#x}"}
    if isinstance(ip, IPv4Address):
        mapped = IPv6Address(b"\0" * 10 + b"\xff\xff" + ip.packed)
        dotted = (".".join(write.format(one) for one in ip.packed) for write in ("{:#x}", "0{:o}", "{:03}"))
        return found | _around_4(ip) | {mapped.compressed, mapped.exploded, str(int(mapped)), *dotted}
    return found | _around_6(ip)


def _around_4(ip: IPv4Address) -> set[str]:
    """The /24: how every address in it begins, and its own number."""
    first = IPv4Address(ip.packed[:3] + b"\0")
    backwards = ".".join(str(one) for one in ip.packed[2::-1])
    start = f"{ip}".rpartition(".")[0] + "."
    return {start, f"{first}/24", str(int(first)), f"{backwards}.in-addr"}


def _around_6(ip: IPv6Address) -> set[str]:
    """The /48 and the /64."""
    first = IPv6Address(ip.packed[:6] + bytes(10))
    parts = [int.from_bytes(ip.packed[n : n + 2], "big") for n in (0, 2, 4, 6)]
    long = ":".join(f"{one:04x}" for one in parts[:3]) + ":"
    short = {f"{first.compressed}/48"} | ({":".join(f"{one:x}" for one in parts[:3]) + ":"} if parts[2] else set())
    return {long, ip.packed.hex(), ip.packed[:6].hex(), ip.packed[:8].hex(), *short}
