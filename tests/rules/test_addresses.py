"""What a rule is about in the one way to write it, and which rules a submission could fall under."""

from __future__ import annotations

import pytest

from service.comments.rendering import hosts_of, render
from service.rules.addresses import BadValue, domain_of, normal, ranges_around, upwards


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("domain", "@Mail.Example.ORG.", "mail.example.org"),
        ("domain", "*.example.org", "example.org"),
        ("domain", "Bücher.example", "xn--bcher-kva.example"),
        ("link_host", "Spam.Example", "spam.example"),
        ("link_host", "203.0.113.7", "203.0.113.7"),
        ("cidr", "203.0.113.7/24", "203.0.113.0/24"),
        ("cidr", "203.0.113.7", "203.0.113.7/32"),
        ("cidr", "2001:DB8::/32", "2001:db8::/32"),
        ("cidr", "::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("network", " 0123456789abcdef ", "0123456789abcdef"),
    ],
)
def test_there_is_one_way_to_write_it(kind: str, typed: str, kept: str) -> None:
    assert normal(kind, typed) == kept == normal(kind, kept)


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("domain", ""), ("domain", "ada@example.org"), ("domain", "::1"), ("domain", "a b.example"),
        ("link_host", "https://spam.example/"), ("link_host", "spam.example:8080"), ("link_host", "-.example"),
        ("cidr", ""), ("cidr", "example.org"), ("cidr", "203.0.113.0/33"), ("cidr", "0.0.0.0/0"), ("cidr", "::/0"),
        ("cidr", "::ffff:0.0.0.0/96"), ("cidr", "203.0.113"),
        ("network", "203.0.113.0/24"), ("network", "0123456789ABCDEF"),
    ],
)  # fmt: skip
def test_what_no_rule_can_be_about_is_refused_with_an_example(kind: str, typed: str) -> None:
    with pytest.raises(BadValue) as refused:
        normal(kind, typed)
    assert len(str(refused.value)) > 30


def test_a_name_is_below_all_that_end_it() -> None:
    assert upwards("a.b.example.org") == {"a.b.example.org", "b.example.org", "example.org", "org"}
    assert domain_of("Ada@Bücher.Example") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("ip", "inside", "outside"),
    [
        ("203.0.113.7", "203.0.113.0/24", "203.0.112.0/24"),
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.6/32"),
        ("::ffff:203.0.113.7", "203.0.0.0/16", "203.1.0.0/16"),
        ("2001:db8:1::9", "2001:db8::/32", "2001:db9::/32"),
        ("fe80::1%eth0", "fe80::/16", "fe81::/16"),
    ],
)
def test_an_address_is_in_every_range_around_it(ip: str, inside: str, outside: str) -> None:
    around = ranges_around(ip)
    assert inside in around and outside not in around
    assert {normal("cidr", one) for one in around} == around


@pytest.mark.parametrize(
    ("body", "hosts"),
    [
        ("No link.", set()),
        ("[x](https://Sub.Spam.example/path?a=b&c=d)", {"sub.spam.example"}),
        ("https://somebody@spam.example:8080/", {"spam.example"}),
        ("[x](https://sp%61m.example/)", {"spam.example"}),
        ("<https://spam\N{IDEOGRAPHIC FULL STOP}example>", {"spam.example"}),
        ("https://bücher.example and http://www.spam.example.", {"xn--bcher-kva.example", "www.spam.example"}),
        ("www.spam.example is no link.", set()),
        ("[mail](mailto:ada@spam.example)", set()),
        ("`https://spam.example`", set()),
    ],
)
def test_a_links_host_is_where_a_browser_goes(body: str, hosts: set[str]) -> None:
    assert hosts_of(render(body), None) == hosts


def test_a_website_is_a_link_too() -> None:
    assert hosts_of("", "https://spam.example/", None) == {"spam.example"}
    assert hosts_of("", "http://[") == set()
