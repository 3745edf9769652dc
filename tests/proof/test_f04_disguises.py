"""The control of the needles of figure 4: each disguise is seen, made here by other means and in longer texts."""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import html
import json
import socket
import struct
import urllib.parse
import zlib
from collections.abc import Callable

import pytest
from markupsafe import escape

from .disguises import CODINGS, DIGESTS, HASHES, WRITINGS
from .leaks import leaks, of_addresses, of_networks, of_tokens

ADDRESS = "O'C0190f0f07000700@löschen-canary.example.org"
TOKEN = "gra_Zm9vYmFyLWJhei1xdXV4LWZvby1iYXItYmF6LXF1dXg"
FOUR, SIX = "203.0.113.77", "2001:db8:77:7::77"
WRITTEN: dict[str, Callable[[str], bytes]] = {
    "as it is": lambda text: f"<p>{text.upper()}</p>".encode(),
    "in a URL": lambda text: urllib.parse.urlencode({"a": 1, "mail": text}).encode(),
    "in a URL, all of it": lambda text: b"?" + b"".join(b"%%%02X" % one for one in text.encode()),
    "in HTML": lambda text: f'<a title="{html.escape(text)}">'.encode(),
    "in HTML by numbers": lambda text: f"<p>{escape(text)}</p>".encode(),
    "in HTML by numbers, all of it": lambda text: "".join(f"&#{ord(one)};" for one in text).encode(),
    "in HTML by hex numbers": lambda text: text.replace("'", "&#X27;").encode(),
    "in HTML by hex numbers, all of it": lambda text: "".join(f"&#x{ord(one):X};" for one in text).encode(),
    "in JSON": lambda text: json.dumps({"author": {"email": text}}).encode(),
    "in JSON by numbers": lambda text: text.replace("'", "\\u0027").replace("@", "\\u0040").encode(),
    "in JSON by numbers, all of it": lambda text: "".join(f"\\u{ord(one):04X}" for one in text).encode(),
    "quoted-printable": lambda text: codecs.encode(text.encode(), "quopri"),
    "quoted-printable, all of it": lambda text: b"".join(b"=%02X" % one for one in text.encode()),
    "in Python's bytes": lambda text: "".join(f"\\x{one:02x}" for one in text.encode()).encode(),
    "in punycode": lambda text: text.lower().partition("@")[2].encode("idna").join([b"o'c0190f0f07000700@", b"?"]),
    "in UTF-16": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16")[2:],
    "backwards": lambda text: "".join(reversed(text)).encode(),
    "in ROT13": lambda text: codecs.encode(text, "rot_13").encode(),
}
CODED: dict[str, Callable[[bytes], bytes]] = {
    "hex": binascii.hexlify,
    "base85": lambda raw: b"<~" + base64.b85encode(raw) + b"~>",
    **{f"base64, {n} bytes in": lambda raw, n=n: binascii.b2a_base64(b"{" * n + raw + b"}") for n in range(3)},  # type: ignore[misc]
    **{
        f"base64url, {n} bytes in": lambda raw, n=n: base64.urlsafe_b64encode(b"{" * (n + 3) + raw + b"}}")  # type: ignore[misc]
        for n in range(3)
    },
    **{f"base32, {n} bytes in": lambda raw, n=n: base64.b32encode(b"{" * (n + 5) + raw + b"}") for n in range(5)},  # type: ignore[misc]
}
DIGESTED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda digest: b"\0" + digest + b"\0",
    " in hex": lambda digest: digest.hex()[:16].upper().encode(),
    " in base64": lambda digest: b"/avatar/" + binascii.b2a_base64(digest),
    " in base64url": lambda digest: base64.urlsafe_b64encode(digest).rstrip(b"="),
    " in base32": lambda digest: base64.b32encode(digest).lower(),
}
NETWORKS = {
    FOUR: [
        "203.0.113.9",
        "203.0.113.0/24",
        "%3A%3Affff%3A203.0.113.77",
        "::ffff:cb00:714d",
        str(struct.unpack("!I", socket.inet_aton(FOUR))[0]),
        "0xCB00714D",
        "0313.0.0161.0115".replace(".0.", ".00."),
        "77.113.0.203.in-addr.arpa",
        hashlib.sha256(socket.inet_aton(FOUR)).hexdigest(),
        hashlib.sha1(b"203.0.113.0").hexdigest(),
    ],
    SIX: [
        "2001:db8:77::1",
        "2001:0DB8:0077:0007::",
        "2001%3Adb8%3A77%3A7%3A%3A77",
        socket.inet_pton(socket.AF_INET6, SIX).hex(),
        str(int.from_bytes(socket.inet_pton(socket.AF_INET6, SIX), "big")),
        ".".join(reversed(socket.inet_pton(socket.AF_INET6, SIX).hex())) + ".ip6.arpa",
        hashlib.md5(b"2001:db8:77::/48").hexdigest(),
    ],
}


@pytest.mark.control("4")
def test_every_writing_and_coding_of_an_address_is_seen() -> None:
    assert (set(WRITTEN), set(CODED)) == (set(WRITINGS), set(CODINGS)), "a disguise has no example, or the other way"
    heaps = {name: write(ADDRESS) for name, write in WRITTEN.items()}
    heaps |= {name: code(ADDRESS.lower().encode()) for name, code in CODED.items()}
    assert {line.partition(":")[0] for line in leaks(heaps, of_addresses([ADDRESS]))} == set(heaps)
    assert leaks(heaps, of_addresses(["somebody-else@example.org"])) == []


@pytest.mark.control("4")
@pytest.mark.parametrize("what", ["address", "local part", "token"])
def test_every_hash_is_seen(what: str) -> None:
    assert set(DIGESTED) == set(DIGESTS)
    secret = {"address": ADDRESS.lower(), "local part": "o'c0190f0f07000700", "token": TOKEN}[what]
    needles = of_tokens({"it": TOKEN}) if what == "token" else of_addresses([ADDRESS])
    heaps = {
        f"{name}{how}": write(hashlib.new(name, secret.encode()).digest())
        for name in HASHES
        for how, write in DIGESTED.items()
        if what != "token" or how  # what is kept of a token is a digest, as bytes
    }
    assert {line.partition(":")[0] for line in leaks(heaps, needles)} == set(heaps)


@pytest.mark.control("4")
@pytest.mark.parametrize("ip", [FOUR, SIX])
def test_every_writing_of_an_address_of_a_network_is_seen(app: object, ip: str) -> None:
    heaps = {f"<{one}>": f"<p>{one}</p>".encode() for one in NETWORKS[ip]}
    heaps |= {f"<{name}>": code(ip.encode()) for name, code in CODED.items()}
    if ip == SIX:
        heaps["<bytes>"] = b"\0\0" + socket.inet_pton(socket.AF_INET6, ip) + b"\0"
    seen = {line.partition(">")[0] + ">" for line in leaks(heaps, of_networks([ip]))}
    assert seen == set(heaps)
    assert leaks(heaps, of_networks(["198.51.100.7"])) == []


@pytest.mark.control("4")
def test_what_is_packed_is_looked_into() -> None:
    packed = base64.urlsafe_b64encode(zlib.compress(json.dumps({"mail": ADDRESS, "fill": "x" * 200}).encode()))
    assert leaks({"cookie": b"Set-Cookie: a=." + packed.rstrip(b"=") + b".Zx8.sig"}, of_addresses([ADDRESS]))
