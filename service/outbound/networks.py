"""Which IP addresses belong to the public Internet: tables of our own, from IANA's registries of special purposes.

Not `ipaddress`: what it calls global changes with Python's patch releases (CVE-2024-4032), and before 3.12.4 it holds
multicast, NAT64, 6to4 and a cloud's services.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PRIVATE, _EXAMPLES, _EMBEDDED = "a private network", "a network for examples", "an IPv4 address inside IPv6"
_ITSELF, _GROUPS, _ROOT = "the machine itself", "a group of machines", "a network for root name servers"

_SPECIAL = {
    "0.0.0.0/8": _ITSELF,  # RFC 1122: "this host"; Linux connects to the loopback
    "10.0.0.0/8": _PRIVATE,  # RFC 1918
    "100.64.0.0/10": "a carrier's own network",  # RFC 6598; 100.100.100.200 is a cloud's metadata
    "127.0.0.0/8": _ITSELF,  # RFC 1122
    "168.63.129.16/32": "a cloud's own services",  # Azure, the same in every region
    "169.254.0.0/16": "a link, or a cloud's metadata",  # RFC 3927
    "172.16.0.0/12": _PRIVATE,  # RFC 1918
    "192.0.0.0/24": "a network for protocols",  # RFC 6890; 192.0.0.192 is a cloud's metadata
    "192.0.2.0/24": _EXAMPLES,  # RFC 5737
    "192.31.196.0/24": _ROOT,  # RFC 7535
    "192.52.193.0/24": "a relay of multicast",  # RFC 7450
    "192.88.99.0/24": "a relay of IPv6",  # RFC 7526
    "192.168.0.0/16": _PRIVATE,  # RFC 1918
    "192.175.48.0/24": _ROOT,  # RFC 7534
    "198.18.0.0/15": "a network for benchmarks",  # RFC 2544
    "198.51.100.0/24": _EXAMPLES,  # RFC 5737
    "203.0.113.0/24": _EXAMPLES,  # RFC 5737
    "224.0.0.0/4": _GROUPS,  # RFC 5771
    "240.0.0.0/4": "a reserved network",  # RFC 1112, with the broadcast of RFC 919
    "::/128": _ITSELF,  # RFC 4291
    "::1/128": _ITSELF,  # RFC 4291
    "::ffff:0:0/96": _EMBEDDED,  # RFC 4291, mapped
    "64:ff9b::/96": _EMBEDDED,  # RFC 6052, NAT64
    "2001::/23": "a network for protocols",  # RFC 2928, with Teredo, benchmarks and both ORCHIDs
    "2001:db8::/32": _EXAMPLES,  # RFC 3849
    "2002::/16": _EMBEDDED,  # RFC 3056, 6to4
    "2620:4f:8000::/48": _ROOT,  # RFC 7534
    "3fff::/20": _EXAMPLES,  # RFC 9637
    "fc00::/7": _PRIVATE,  # RFC 4193
    "fe80::/10": "a link",  # RFC 4291
    "ff00::/8": _GROUPS,  # RFC 4291
}
"""Networks that no delivery may reach, and what is there. Those of IPv6 outside `_UNICAST` are for the word only."""

_NAMED = [(ip_network(text), what) for text, what in _SPECIAL.items()]
_UNICAST = IPv6Network("2000::/3")
"""All of IPv6 that is given to the public (RFC 4291, and IANA's registry of global unicast)."""
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""The third quarter of an IPv6 address whose last quarter is an IPv4 address to go on to (RFC 5214)."""


def reason_against(ip: Address, allowed: Iterable[Network]) -> str | None:
    """What an address leads to that no delivery may reach, as in "a private network"; None when it may be reached.

    `allowed` networks may be reached whatever they are. No address is taken apart: who means the IPv4 address inside
    an IPv6 one has to write that.
    """
    if any(ip in network for network in allowed):
        return None
    for network, what in _NAMED:
        if ip in network:
            return what
    if isinstance(ip, IPv4Address):
        return None
    if ip not in _UNICAST:
        return "a network that is not the public's"
    return _EMBEDDED if int(ip) >> 32 & 0xFFFF_FFFF in _ISATAP else None
