"""What a rule is about in the one way to write it, and all the rules that a submission could fall under."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network

from service.privacy.seal import plain_ip
from service.rules.policy import CIDR, DOMAIN, LINK_HOST, NETWORK
from service.sites.weburl import ascii_host

WIDEST = {4: 8, 6: 16}
"""The shortest prefix of a range, by the version of IP: a slip shall not reach half the Internet."""
_LABEL = re.compile("[0-9a-f]{16}")


class BadValue(ValueError):
    """What no rule can be about; its text is a sentence for people."""


def normal(kind: str, text: str) -> str:
    """A domain, label, range or host in the one way to write it. Raises BadValue."""
    return _NORMAL[kind](text.strip())


def _domain(text: str) -> str:
    name = _host(text.removeprefix("@"))
    if ":" in name:
        raise BadValue("An address of e-mail has a domain, like example.org.")
    return name


def _host(text: str) -> str:
    name = ascii_host(text.removeprefix("*").removeprefix("."))
    if name is None:
        raise BadValue("Write a name like example.org, and nothing before or after it. What is below it is meant, too.")
    return name


def _range(text: str) -> str:
    try:
        found = _plain(ip_network(text.partition("%")[0], strict=False))
    except ValueError as error:
        raise BadValue("Write an address or a range, like 198.51.100.0/24 or 2001:db8::/32.") from error
    if found.prefixlen < WIDEST[found.version]:
        raise BadValue(f"That is too wide to be meant: take /{WIDEST[found.version]} or more.")
    return str(found)


def _plain(found: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """A range of IPv4 inside IPv6 as what it is, as `plain_ip` has addresses."""
    mapped = found.network_address.ipv4_mapped if isinstance(found, IPv6Network) else None
    return IPv4Network((mapped.packed, found.prefixlen - 96)) if mapped and found.prefixlen >= 96 else found


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise BadValue("The label of a network has sixteen of the characters 0-9 and a-f, as beside a comment.")
    return text


_NORMAL: dict[str, Callable[[str], str]] = {DOMAIN: _domain, NETWORK: _label, CIDR: _range, LINK_HOST: _host}


def upwards(host: str) -> set[str]:
    """A host and the domains above it."""
    labels = host.split(".")
    return {".".join(labels[n:]) for n in range(len(labels))}


def domain_of(email: str) -> str:
    """The domain of an address as rules write it."""
    return ascii_host(email.rpartition("@")[2]) or ""


def ranges_around(ip: str) -> set[str]:
    """Every range that a rule may name and that holds an address."""
    plain = plain_ip(ip)
    bits, number = plain.max_prefixlen, int(plain)
    beyond = {length: bits - length for length in range(WIDEST[plain.version], bits + 1)}
    return {f"{type(plain)(number >> rest << rest)}/{length}" for length, rest in beyond.items()}
