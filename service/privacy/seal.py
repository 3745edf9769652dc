"""Seal an address, find it without opening it, reduce an IP to a label. Nothing here can open a seal."""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from uuid import UUID

from cryptography.fernet import Fernet, MultiFernet
from flask import current_app

from service.privacy.keys import Keys


def keys() -> Keys:
    """The running app's keys."""
    found: Keys = current_app.extensions["greenroom_keys"]
    return found


def fernet() -> MultiFernet:
    return _fernet(keys().email)


@cache
def _fernet(email: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(one) for one in email])


def seal(text: str) -> bytes:
    """Encrypt `text` with the newest key (Fernet: AES-CBC with HMAC)."""
    return fernet().encrypt(text.encode())


def normal_email(address: str) -> str:
    """The form in which two spellings of one mailbox agree: lower case, no blanks around."""
    return address.strip().casefold()


def email_index(site_id: UUID, address: str) -> bytes:
    """32 bytes by which a site finds an address again. Another site's index of it differs."""
    return _keyed(b"email", site_id.bytes, normal_email(address).encode())


def network_of(address: str) -> str:
    """The /24 or /48 around an address; IPv4 inside IPv6 counts as IPv4."""
    ip = plain_ip(address)
    if isinstance(ip, IPv4Address):
        return f"{ip.packed[0]}.{ip.packed[1]}.{ip.packed[2]}.0/24"
    return f"{IPv6Address(ip.packed[:6] + bytes(10))}/48"


def network_label(site_id: UUID, address: str) -> str:
    """16 hex digits that stand for the network of an address on one site."""
    return _keyed(b"network", site_id.bytes, network_of(address).encode()).hex()[:16]


def rate_key(address: str) -> str:
    """What limits count by: the full IPv4 address or the IPv6 /64, keyed so that a store holds no address."""
    ip = plain_ip(address)
    packed = ip.packed if isinstance(ip, IPv4Address) else ip.packed[:8]
    return _keyed(b"rate", packed).hex()[:32]


def keyed(purpose: str, *parts: bytes) -> bytes:
    """HMAC-SHA-256 under the index key, apart for each purpose."""
    return _keyed(purpose.encode(), *parts)


def plain_ip(address: str) -> IPv4Address | IPv6Address:
    ip = ip_address(address.split("%")[0])
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


def _keyed(*parts: bytes) -> bytes:
    # Lengths in front: ("ab", "c") and ("a", "bc") must differ.
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(keys().index, message, hashlib.sha256).digest()
