"""Which addresses are the public's: each network to its edges, and nothing but it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from service.outbound.networks import reason_against

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001::1", "2400::1"]

SPECIAL = {
    "the machine itself": ["0.0.0.0/8", "127.0.0.0/8", "::/128", "::1/128"],
    "a private network": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
    "a carrier's own network": ["100.64.0.0/10"],
    "a cloud's own services": ["168.63.129.16/32"],
    "a link, or a cloud's metadata": ["169.254.0.0/16"],
    "a network for protocols": ["192.0.0.0/24", "2001::/23"],
    "a network for examples": ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"],
    "a network for root name servers": ["192.31.196.0/24", "192.175.48.0/24", "2620:4f:8000::/48"],
    "a relay of multicast": ["192.52.193.0/24"],
    "a relay of IPv6": ["192.88.99.0/24"],
    "a network for benchmarks": ["198.18.0.0/15"],
    "a group of machines": ["224.0.0.0/4", "ff00::/8"],
    "a reserved network": ["240.0.0.0/4"],
    "an IPv4 address inside IPv6": ["::ffff:0:0/96", "64:ff9b::/96", "2002::/16"],
    "a link": ["fe80::/10"],
}
NOBODYS = ["::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::1", "100::1", "1fff:ffff::1", "4000::1", "5f00::1", "fec0::1"]
ISATAP = ["2606:4700::5efe:7f00:1", "2606:4700::200:5efe:7f00:1"]


@pytest.mark.parametrize("ip", PUBLIC)
def test_an_address_of_the_public_may_be_reached(ip: str) -> None:
    assert reason_against(ip_address(ip), ()) is None


@pytest.mark.parametrize(("what", "text"), [(what, one) for what, several in SPECIAL.items() for one in several])
def test_a_special_network_is_refused_to_its_edges(what: str, text: str) -> None:
    network = ip_network(text)
    assert {reason_against(one, ()) for one in (network[0], network[-1])} == {what}
    assert what not in {reason_against(one, ()) for one in _around(text)}


def _around(text: str) -> list[IPv4Address | IPv6Address]:
    """The addresses before and after a network, except where one of its kind goes on."""
    network = ip_network(text)
    kind = type(network[0])
    edges = [int(network[0]) - 1, int(network[-1]) + 1]
    last = 2**network.max_prefixlen
    follow = {"::/128": [2], "::1/128": [2]}
    return [kind(one) for one in follow.get(text, edges) if 0 <= one < last]


@pytest.mark.parametrize("ip", NOBODYS)
def test_ipv6_outside_the_public_part_is_refused(ip: str) -> None:
    assert reason_against(ip_address(ip), ()) == "a network that is not the public's"


@pytest.mark.parametrize("ip", ISATAP)
def test_ipv4_in_the_second_half_of_ipv6_is_refused(ip: str) -> None:
    assert reason_against(ip_address(ip), ()) == "an IPv4 address inside IPv6"


def test_what_is_allowed_may_be_reached_and_nothing_beside_it() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd00::/64")]
    reasons = [reason_against(ip_address(one), allowed) for one in ("10.1.2.3", "fd00::1", "10.2.0.1", "fd00:0:0:1::1")]
    assert reasons == [None, None, "a private network", "a private network"]


def test_allowing_an_ipv4_network_allows_no_other_way_to_write_it() -> None:
    allowed = [ip_network("127.0.0.0/8")]
    for ip in ("::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "::1"):
        assert reason_against(ip_address(ip), allowed)
