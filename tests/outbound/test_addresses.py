"""What webhooks may be sent to, as far as a URL tells."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from service.config import Settings
from service.outbound.addresses import LONGEST, BadTarget, Policy, Target, policy_of, read_target

STRICT = Policy()
WIDE = Policy(http=True, ports=frozenset({80, 443}))
INSIDE = replace(WIDE, allowed=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
FOUND_OUT_LATER = {
    "127.0.0.1.nip.io", "169-254-169-254.nip.io", "localtest.me", "lvh.me", "spoofed.burpcollaborator.net",
}  # fmt: skip
"""Names in the corpus that lead inside, which only a name server can tell."""
PLAIN, EDGE = "https://hooks.example.org", "a" * 63


def refusal(url: str, policy: Policy = STRICT) -> str:
    with pytest.raises(BadTarget) as refused:
        read_target(url, policy)
    assert len(str(refused.value)) <= 200
    return str(refused.value)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (PLAIN, Target("https", "hooks.example.org", 443, "/")),
        ("HTTPS://Hooks.Example.ORG:443/In?A=b", Target("https", "hooks.example.org", 443, "/In?A=b")),
        (f"{PLAIN}?x=1&y=%2F", Target("https", "hooks.example.org", 443, "/?x=1&y=%2F")),
        (f"{PLAIN}/a/-._~!$&'()*+,;=:@?/?", Target("https", "hooks.example.org", 443, "/a/-._~!$&'()*+,;=:@?/?")),
        ("https://Bücher.example.org/", Target("https", "xn--bcher-kva.example.org", 443, "/")),
        ("https://a_b.example.org/", Target("https", "a_b.example.org", 443, "/")),
        (f"https://{EDGE}.example.org/", Target("https", f"{EDGE}.example.org", 443, "/")),
        ("https://1.1.1.1/", Target("https", "1.1.1.1", 443, "/")),
        ("https://[2606:4700:0::1111]/", Target("https", "2606:4700::1111", 443, "/")),
    ],
)
def test_a_url_is_read(url: str, target: Target) -> None:
    assert read_target(url, STRICT) == target


@pytest.mark.parametrize(
    ("target", "authority"),
    [
        (Target("https", "a.example.org", 443, "/"), "a.example.org"),
        (Target("https", "a.example.org", 80, "/"), "a.example.org:80"),
        (Target("http", "a.example.org", 80, "/"), "a.example.org"),
        (Target("https", "2606:4700::1", 443, "/"), "[2606:4700::1]"),
        (Target("https", "2606:4700::1", 8443, "/"), "[2606:4700::1]:8443"),
    ],
)
def test_a_host_is_named_as_its_scheme_has_it(target: Target, authority: str) -> None:
    assert target.authority == authority


@pytest.mark.parametrize("url", ["", "   ", "hooks.example.org", "//a.example.org", "https:a.example", "https:/a.b"])
def test_what_does_not_begin_with_a_scheme_is_refused(url: str) -> None:
    assert refusal(url) in (
        "The address has to begin with https://.",
        "The address holds a space, a backslash or a character that cannot be seen.",
    )


@pytest.mark.parametrize("scheme", ["http", "HTTP", "ftp", "file", "ws", "gopher", "javascript", "https+unix"])
def test_only_https_is_taken_and_http_when_it_is_allowed(scheme: str) -> None:
    url = f"{scheme}://hooks.example.org/"
    assert refusal(url) == "The address has to begin with https://."
    if scheme.lower() == "http":
        assert read_target(url, WIDE).port == 80
    else:
        assert refusal(url, WIDE) == "The address has to begin with https:// or http://."


@pytest.mark.parametrize(
    "mark", [" ", "\\", "\t", "\n", "\r", "\0", "\x7f", "\xa0", "\xad", "\u200b", "\u2028", "\ud800"]
)
@pytest.mark.parametrize("place", ["https://a{}.example.org/", f"{PLAIN}/{{}}", f"{PLAIN}/?{{}}", "{}" + PLAIN])
def test_what_cannot_be_seen_is_refused_wherever_it_stands(place: str, mark: str) -> None:
    assert refusal(place.format(mark)).startswith("The address holds a space, a backslash")


@pytest.mark.parametrize("url", ["https://a@hooks.example.org/", "https://a:b@hooks.example.org/", "https://@1.1.1.1/"])
def test_a_user_is_refused(url: str) -> None:
    assert refusal(url) == "Please leave the user name and the password out of the address."


@pytest.mark.parametrize("url", [f"{PLAIN}#", f"{PLAIN}/#a", f"{PLAIN}/?a#b", f"{PLAIN}##"])
def test_a_fragment_is_refused(url: str) -> None:
    assert refusal(url) == "Please leave out what begins with #: it is never sent."


@pytest.mark.parametrize("mark", ["ü", "\u3002", '"', "<", ">", "[", "]", "^", "`", "{", "|", "}", "%", "%2", "%zz"])
@pytest.mark.parametrize("place", ["/", "/?a="])
def test_a_path_is_written_in_ascii(place: str, mark: str) -> None:
    said = "After the host the address holds a character that has to be written like %20."
    assert refusal(PLAIN + place + mark) == said


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "a..example.org", ".example.org", "hooks.example.org.", "-a.example.org", "a-.example.org",
        f"{EDGE}a.example.org", ".".join([EDGE] * 4) + ".org", "a%2eexample.org", "%61.example.org", "a!.example.org",
        "a;b.example.org", "a,b.example.org", "a\u3002example.org", "a\uff0eexample.org", "a\uff61example.org",
        "ｈooks.example.org", "\u212aelvin.example.org", "Ü.example.org", "a\u0301.example.org", "٣.example.org",
        "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.01", "127.0.0.256",
        "1.2.3.4.5", "1.1.1.1.", "a.1", "a.0x1", "a.0x", "１.1.1.1", "[::g]", "[::1", "::1]", "[]", "[1.1.1.1]",
        "[fe80::1%eth0]", "[fe80::1%25eth0]", "[::1]a", "a[::1]", "[v1.a]",
    ],
)  # fmt: skip
def test_what_others_might_read_as_another_host_is_refused(host: str) -> None:
    assert refusal(f"https://{host}/", INSIDE) == "The address has no valid name of a host, or no valid port."


@pytest.mark.parametrize("port", ["", "a", "-1", "+443", "443a", "4 43", "443:443", "000443", "\u0664\u0664\u0663"])
def test_a_port_is_a_number(port: str) -> None:
    assert refusal(f"{PLAIN}:{port}/").startswith("The address ")


@pytest.mark.parametrize("port", [0, 65_536, 99_999])
def test_a_port_is_a_number_that_there_is(port: int) -> None:
    assert refusal(f"{PLAIN}:{port}/", INSIDE) == "The port in the address is not a number from 1 to 65535."


def test_only_listed_ports_are_reached() -> None:
    for url in (f"{PLAIN}:8443/", "https://1.1.1.1:8443/", "https://[2606:4700::1]:8443/"):
        assert refusal(url) == "Nothing may be sent to port 8443."
        assert read_target(url, Policy(ports=frozenset({8443}))).port == 8443
    assert refusal(f"{PLAIN}:80/") == "Nothing may be sent to port 80."
    assert read_target(f"{PLAIN}:65535/", Policy(ports=frozenset({65_535}))).port == 65_535


def test_a_network_inside_is_reached_when_it_is_allowed_and_on_any_port() -> None:
    for host in ("10.1.2.3", "[fd00::1]"):
        assert refusal(f"https://{host}/", WIDE) == "Nothing may be sent to a private network."
        assert read_target(f"http://{host}:8080/", INSIDE).port == 8080
    assert refusal("https://192.168.1.1/", INSIDE) == "Nothing may be sent to a private network."
    assert refusal("https://1.1.1.1:8080/", INSIDE) == "Nothing may be sent to port 8080."
    # Which network a name leads to is found out when something is sent.
    assert read_target("https://hooks.example.org:8080/", INSIDE).port == 8080


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "foo.localhost", "metadata", "metadata.google.internal", "kubernetes.default.svc",
        "x.lan", "printer.local", "x.home.arpa", "1.0.0.127.in-addr.arpa", "a.intranet", "x.test", "x.example",
        "x.corp", "x.home", "x.mail", "x.private", "localhost.localdomain", "intranet",
    ],
)  # fmt: skip
def test_a_name_of_some_network_is_refused_unless_one_is_allowed(host: str) -> None:
    assert refusal(f"https://{host}/") == "Nothing may be sent to a name that only a network of one's own knows."
    assert read_target(f"https://{host}/", INSIDE).host == host.lower()


@pytest.mark.parametrize("host", ["x.onion", "x.invalid", "invalid", "x.alt"])
def test_a_name_that_is_nowhere_is_always_refused(host: str) -> None:
    assert refusal(f"https://{host}/", INSIDE) == "Nothing may be sent to a name that nobody can look up."


def test_a_name_has_a_length() -> None:
    longest = ".".join([EDGE, EDGE, EDGE, "a" * 57, "org"])
    assert len(longest) == 253 and read_target(f"https://{longest}/", STRICT).host == longest
    assert "no valid name" in refusal(f"https://{longest}g/")


def test_a_url_has_a_length() -> None:
    longest = f"{PLAIN}/".ljust(LONGEST, "a")
    assert read_target(longest, STRICT)
    assert refusal(f"{longest}a") == "The address is longer than 2,000 characters."


def test_settings_say_what_is_allowed() -> None:
    assert policy_of(Settings()) == Policy() == Policy((), http=False, ports=frozenset({443}), timeout=15.0)
    settings = Settings(
        webhook_http=True, webhook_ports=["443", "8443"], webhook_timeout=3.0, webhook_allow_cidrs=["10.0.0.1/8"]
    )
    allowed = (ip_network("10.0.0.0/8"),)
    assert policy_of(settings) == Policy(allowed, http=True, ports=frozenset({80, 443, 8443}), timeout=3.0)


def test_a_policy_and_a_target_do_not_change() -> None:
    assert {policy_of(Settings()): 1}[Policy()] == 1
    assert len({read_target(f"{PLAIN}/", STRICT), read_target(PLAIN, STRICT)}) == 1


def corpus(shared: Path, expect: str) -> list[str]:
    rows = json.loads((shared / "corpora/ssrf-generated/urls.json").read_text())
    return [one["url"] for one in rows if one["expect"] == expect]


def test_no_url_of_the_corpus_is_read_but_names_that_are_found_out_later(shared: Path) -> None:
    urls = [one for one in corpus(shared, "block") if not one.startswith(("REDIRECT:", "DNS:", "PROXY:"))]
    assert len(urls) > 990
    read = set()
    for url in urls:
        for spelled in {url, url.replace("http://", "https://", 1)}:
            assert_refused_when_strict(spelled)
            try:
                read.add(read_target(spelled, WIDE).host)
            except BadTarget:
                continue
    assert read == FOUND_OUT_LATER


def assert_refused_when_strict(url: str) -> None:
    try:
        host = read_target(url, STRICT).host
    except BadTarget:
        return
    assert host in FOUND_OUT_LATER


def test_the_controls_of_the_corpus_are_read(shared: Path) -> None:
    urls = corpus(shared, "allow")
    assert len(urls) == 5
    for url in urls:
        assert read_target(url, WIDE).address
