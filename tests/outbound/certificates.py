"""Certificates for receivers in tests, and who signs them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.db import now

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wanted:
    """A certificate: whose it is, for which hosts, and for how many days from now on."""

    name: str
    hosts: tuple[str, ...] = ()
    days: int = 1


@dataclass(frozen=True)
class Authority:
    """One that nobody knows."""

    name: str = "An authority for tests"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def pem(self) -> str:
        """Its own certificate, for those who shall trust it."""
        made = self._begun(Wanted(self.name), self.key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return self._signed(made).public_bytes(serialization.Encoding.PEM).decode()

    def receiver(self, wanted: Wanted, folder: Path) -> ssl.SSLContext:
        """What a receiver needs to show the certificate that is wanted; its file goes into the folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        return _shown(self._signed(self._begun(wanted, key.public_key())), key, folder)

    def _begun(self, wanted: Wanted, of: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        begun = x509.CertificateBuilder().serial_number(x509.random_serial_number()).public_key(of)
        begun = begun.issuer_name(_named(self.name)).subject_name(_named(wanted.name))
        ends = now() + wanted.days * _DAY
        begun = begun.not_valid_before(ends - 2 * _DAY).not_valid_after(ends)
        if wanted.hosts:
            begun = begun.add_extension(x509.SubjectAlternativeName(map(_host, wanted.hosts)), critical=False)
        return begun

    def _signed(self, begun: x509.CertificateBuilder) -> x509.Certificate:
        return begun.sign(self.key, hashes.SHA256())


def self_signed(host: str, folder: Path) -> ssl.SSLContext:
    """What a receiver needs that signed its certificate itself."""
    own = Authority(host)
    made = own._signed(own._begun(Wanted(host, (host,)), own.key.public_key()))
    return _shown(made, own.key, folder)


def _shown(made: x509.Certificate, key: ec.EllipticCurvePrivateKey, folder: Path) -> ssl.SSLContext:
    path = folder / f"{uuid4()}.pem"
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private + made.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
