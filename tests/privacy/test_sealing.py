"""Sealed addresses, blind indexes and labels, against the standard library's HMAC and known answers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from ipaddress import IPv6Address
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from service.privacy import seal, unseal
from service.privacy.keys import Keys

SITE, OTHER = UUID(int=1), UUID(int=2)
INDEX = b"the index key of these tests, with 32+ bytes"
NEWEST, OLDER = (Fernet.generate_key().decode() for _ in range(2))


@pytest.fixture(autouse=True)
def app() -> Iterator[Flask]:
    """As much of an app as seals need: its keys."""
    app = Flask("seals")
    app.extensions["greenroom_keys"] = Keys("s" * 32, (NEWEST, OLDER), INDEX, b"a" * 32)
    with app.app_context():
        yield app


def expected(*parts: bytes) -> bytes:
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(INDEX, message, hashlib.sha256).digest()


def test_what_is_sealed_can_be_opened_and_not_be_read() -> None:
    sealed = seal.seal("äda@mail.example.org")
    assert unseal.unseal(sealed) == "äda@mail.example.org"
    assert b"mail" not in sealed
    assert seal.seal("äda@mail.example.org") != sealed


def test_the_newest_key_seals_and_every_key_opens() -> None:
    assert Fernet(NEWEST).decrypt(seal.seal("ada@example.org")) == b"ada@example.org"
    assert unseal.unseal(Fernet(OLDER).encrypt(b"ada@example.org")) == "ada@example.org"
    with pytest.raises(unseal.NoKeyFits):
        unseal.unseal(Fernet(Fernet.generate_key()).encrypt(b"ada@example.org"))


def test_sealing_anew_takes_the_newest_key() -> None:
    anew = unseal.reseal(Fernet(OLDER).encrypt(b"ada@example.org"))
    assert Fernet(NEWEST).decrypt(anew) == b"ada@example.org"


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ada@mail.example.org", "a…@mail.example.org"), ("a@b@example.org", "a…@example.org"), ("x@y.org", "x…@y.org")],
)
def test_of_an_address_the_first_letter_and_the_domain_are_shown(address: str, shown: str) -> None:
    assert unseal.masked(seal.seal(address)) == shown


def test_a_mask_is_remembered_for_the_keys_that_opened_it(app: Flask) -> None:
    sealed, right = seal.seal("ada@example.org"), app.extensions["greenroom_keys"]
    wrong = Keys("s" * 32, (Fernet.generate_key().decode(),), INDEX, b"a" * 32)
    for keys, shown in ((right, "a…@example.org"), (wrong, "unreadable"), (right, "a…@example.org")):
        app.extensions["greenroom_keys"] = keys
        assert unseal.masked(sealed) == shown


_OTHER = pytest.param(Fernet(Fernet.generate_key()).encrypt(b"ada@example.org"), id="another key's")


@pytest.mark.parametrize("sealed", [b"", b"no seal", _OTHER])
def test_an_address_that_no_key_opens_is_shown_as_unreadable(sealed: bytes) -> None:
    assert unseal.masked(sealed) == "unreadable"


def test_of_no_address_nothing_is_shown() -> None:
    assert unseal.masked(None) is None


@pytest.mark.parametrize("spelling", [" Ada@Example.ORG ", "ada@example.org", "ADA@EXAMPLE.ORG\n"])
def test_two_spellings_of_a_mailbox_have_one_index(spelling: str) -> None:
    assert seal.email_index(SITE, spelling) == expected(b"email", SITE.bytes, b"ada@example.org")


def test_a_capital_that_lower_case_does_not_fold_is_folded() -> None:
    assert seal.normal_email("STRASSE@x.org") == seal.normal_email("straße@x.org")


def test_another_site_or_address_has_another_index() -> None:
    found = [seal.email_index(SITE, "a@x.org"), seal.email_index(OTHER, "a@x.org"), seal.email_index(SITE, "b@x.org")]
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
    ],
)
def test_a_network_is_a_24_or_a_48(address: str, network: str) -> None:
    assert seal.network_of(address) == network
    label = expected(b"network", SITE.bytes, network.encode()).hex()[:16]
    assert seal.network_label(SITE, address) == label


def test_the_zone_of_an_address_is_no_part_of_it() -> None:
    assert seal.plain_ip("fe80::1%eth0") == IPv6Address("fe80::1")


def test_another_site_labels_a_network_otherwise() -> None:
    assert seal.network_label(SITE, "203.0.113.7") != seal.network_label(OTHER, "203.0.113.7")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.77", bytes([203, 0, 113, 77])),
        ("::ffff:203.0.113.77", bytes([203, 0, 113, 77])),
        ("2001:db8:1:2:3:4:5:6", bytes.fromhex("20010db800010002")),
    ],
)
def test_limits_count_an_ipv4_address_or_a_64(address: str, counted: bytes) -> None:
    assert seal.rate_key(address) == expected(b"rate", counted).hex()[:32]


def test_purposes_and_parts_are_kept_apart() -> None:
    assert seal.keyed("sign-in", b"ab", b"c") == expected(b"sign-in", b"ab", b"c")
    assert seal.keyed("sign-in", b"a", b"bc") != seal.keyed("sign-in", b"ab", b"c")
    assert seal.keyed("other", b"ab", b"c") != seal.keyed("sign-in", b"ab", b"c")
