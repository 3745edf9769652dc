"""What webhooks may be sent to: a strict grammar of URLs (RFC 3986), checked before anything is looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import idna

from service.config import Settings
from service.outbound.networks import Address, Network, reason_against

LONGEST = 2_000
"""Characters of a URL."""
_DEFAULT_PORTS = {"http": 80, "https": 443}

# What browsers, resolvers and libraries read in different ways is refused, not mended.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)(#.*)?")
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?")
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that makes resolvers read the whole host as an IPv4 address, in decimal, octal or hexadecimal."""

_NOWHERE = {"alt", "invalid", "onion"}
"""Ends of names that no name server may be asked for (RFC 9476, RFC 6761, RFC 7686)."""
_INSIDE = {
    "arpa", "corp", "example", "home", "internal", "intranet", "lan", "local", "localdomain", "localhost", "mail",
    "private", "svc", "test",
}  # fmt: skip
"""Ends of names that only a network of one's own knows (RFC 6761, RFC 6762, RFC 8375, and habit)."""


class BadTarget(ValueError):
    """What nothing may be sent to; its text is a sentence for people, of 200 characters at most."""


@dataclass(frozen=True)
class Policy:
    """Where deliveries may go. `timeout`: seconds for the whole of one, from the name to the end of the answer.

    `allowed`: networks inside that may be reached, on any port. `http`: whether without TLS, too. `ports`: of all
    other receivers.
    """

    allowed: tuple[Network, ...] = ()
    http: bool = False
    ports: frozenset[int] = frozenset({443})
    timeout: float = 15.0

    def reason_against(self, ip: Address, port: int) -> str | None:
        """What a delivery would reach that none may, as in "port 22"; None when all is well."""
        reason = reason_against(ip, self.allowed)
        if reason or port in self.ports or any(ip in network for network in self.allowed):
            return reason
        return f"port {port}"


def policy_of(settings: Settings) -> Policy:
    """What the operator of an install allows."""
    ports = {int(one) for one in settings.webhook_ports} | ({80} if settings.webhook_http else set())
    return Policy(tuple(settings.webhook_networks), settings.webhook_http, frozenset(ports), settings.webhook_timeout)


@dataclass(frozen=True)
class Target:
    """A URL that was read. `host`: a name in lower-case ASCII, or an address, bare. `path`: with the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def address(self) -> Address | None:
        """The host, when it is an address and no name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """`host[:port]` as the Host header has it, the scheme's own port left out (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"


def read_target(url: str, policy: Policy) -> Target:
    """The parts of a URL that may be sent to, as far as that can be told without asking anybody. Raises BadTarget.

    A name that leads inside is found out by whoever sends.
    """
    if len(url) > LONGEST:
        raise BadTarget(f"The address is longer than {LONGEST:,} characters.")
    if " " in url or "\\" in url or not url.isprintable():
        raise BadTarget("The address holds a space, a backslash or a character that cannot be seen.")
    found = _URL.fullmatch(url)
    if found is None or found[1].lower() not in (("https", "http") if policy.http else ("https",)):
        raise BadTarget("The address has to begin with https://" + (" or http://." if policy.http else "."))
    if found[4]:
        raise BadTarget("Please leave out what begins with #: it is never sent.")
    scheme = found[1].lower()
    host, port = _host_and_port(found[2], scheme)
    if not _PATH.fullmatch(found[3]):
        raise BadTarget("After the host the address holds a character that has to be written like %20.")
    target = Target(scheme, host, port, found[3] if found[3].startswith("/") else f"/{found[3]}")
    if reason := _reason_against(target, policy):
        raise BadTarget(f"Nothing may be sent to {reason}.")
    return target


def _host_and_port(text: str, scheme: str) -> tuple[str, int]:
    if "@" in text:
        raise BadTarget("Please leave the user name and the password out of the address.")
    found = _PLACE.fullmatch(text)
    host = _host(found[1]) if found else None
    if found is None or host is None:
        raise BadTarget("The address has no valid name of a host, or no valid port.")
    port = int(found[2] or _DEFAULT_PORTS[scheme])
    if not 1 <= port <= 65_535:
        raise BadTarget("The port in the address is not a number from 1 to 65535.")
    return host, port


def _host(text: str) -> str | None:
    """A name in lower-case ASCII, or an address in the one way to write it; None when it is neither."""
    try:
        if text.startswith("["):
            return str(IPv6Address(text[1:-1]))
        host = _ascii(text)
        labels = host.split(".")
        if _NUMBER.fullmatch(labels[-1]):
            return str(IPv4Address(host))  # four decimals without leading zeros, or ValueError
    except ValueError:
        return None
    return host if len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels) else None


def _ascii(host: str) -> str:
    """The A-labels of a name (IDNA 2008). ValueError for characters that would first have to become others."""
    lower = "".join(one.lower() if one.isascii() else one for one in host)  # the sign for Kelvin stays itself
    return lower if lower.isascii() else idna.encode(lower, strict=True).decode()


def _reason_against(target: Target, policy: Policy) -> str | None:
    if target.address:
        return policy.reason_against(target.address, target.port)
    labels = target.host.split(".")
    if labels[-1] in _NOWHERE:
        return "a name that nobody can look up"
    if policy.allowed:
        return None  # it may lead into one of these networks, on any port
    if len(labels) == 1 or labels[-1] in _INSIDE:
        return "a name that only a network of one's own knows"
    return None if target.port in policy.ports else f"port {target.port}"
