"""Who is asking: the client's address, as far as proxies of ours vouch for it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from flask import Request

UNKNOWN = "0.0.0.0"  # noqa: S104 - nobody has this address, and nothing listens here
"""The client's address when the server does not tell one (a Unix socket)."""


def client_ip(request: Request, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The client's address: the peer, or, behind proxies of ours, the last hop that is none of ours.

    As long as a hop is in `trusted`, what it appended to X-Forwarded-For is believed: the list is read from
    the right. Forwarded (RFC 7239), X-Real-IP and the like are never read: a proxy passes on what the client
    wrote there. A list that cannot be read counts as the peer itself. IPv4 inside IPv6 becomes IPv4; ports
    and zones are dropped.
    """
    peer = _address(request.remote_addr or "")
    hop, before = peer, request.headers.get("X-Forwarded-For", "").split(",")
    while hop and before and any(hop in network for network in trusted):
        hop = _address(before.pop())
    return str(hop or peer or UNKNOWN)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
