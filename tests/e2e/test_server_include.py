"""What the manual's nginx sends to Greenroom when it includes the comments, seen by a server in Greenroom's place."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.db import now
from tests.e2e.conftest import listening
from tests.e2e.nginx import include, locations, serving_by_nginx
from tests.e2e.recipes import PATH, TITLE, page
from tests.processes import free_port

pytestmark = pytest.mark.browser  # it needs nginx, which `make test` does not

NAME = "localhost"
"""A name that this machine knows: no client sends an address as the name of a server."""
VISITORS = {
    "Cookie": "session=of-the-blog",
    "Authorization": "Basic b2YtdGhlLWJsb2c=",
    "Accept-Encoding": "gzip",
    "If-None-Match": '"of-the-blog"',
    "If-Modified-Since": "Mon, 30 Nov 2020 08:00:00 GMT",
    "Range": "bytes=0-9",
}


@pytest.fixture
def asked() -> list[dict[str, Any]]:
    """The requests that came to Greenroom's place."""
    return []


@pytest.fixture
def place(asked: list[dict[str, Any]]) -> Callable[..., Iterable[bytes]]:
    def comments(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked.append(environ)
        start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<section>Included.</section>"]

    return comments


def included(service: str) -> str:
    """The page of a blog behind nginx, as a browser gets it that sends all that a visitor's may send."""
    origin = f"http://127.0.0.1:{free_port()}"
    with serving_by_nginx(origin, {PATH: page(include(PATH, TITLE))}, locations(service)):
        request = Request(origin + PATH, headers=VISITORS)
        with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
            return str(answer.read().decode())


def test_nothing_of_the_visitor_goes_along(asked: list[dict[str, Any]], place: Any) -> None:
    service = f"http://127.0.0.1:{free_port()}"
    with listening(service, place):
        assert "Included." in included(service)
    (request,) = asked
    assert request["PATH_INFO"] == "/embed/blog"
    names = {f"HTTP_{name.upper().replace('-', '_')}" for name in VISITORS}
    assert {name: request[name] for name in names if request.get(name)} == {}


def test_greenroom_is_told_by_its_name_where_many_share_an_address(tmp_path: Path, place: Any) -> None:
    names: list[str | None] = []
    service = f"https://{NAME}:{free_port()}"
    with listening(service, place, certified(tmp_path, names)):
        assert "Included." in included(service)
    assert names == [NAME]


def certified(folder: Path, names: list[str | None]) -> ssl.SSLContext:
    """A server's side of TLS, which keeps the names that clients ask for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now()).not_valid_after(now() + timedelta(hours=1))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "tls.pem").write_bytes(private + public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    return context
