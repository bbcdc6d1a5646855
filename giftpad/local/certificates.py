"""The certificates that let phones of a local network speak https to this machine.

Hides: X.509, what lies in the folder of the keys, when a certificate is made anew.
An authority of this machine's own signs the server's certificate.  People install the authority
on their phones, so it is bound by name constraints: it can vouch for this machine and for
addresses that nobody has on the internet, and for nothing else.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from giftpad.local.home import write_private

LOCAL_NETWORKS = tuple(
    IPv4Network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"),
    )
)
"""Private networks, then those for tests and documentation: no site of the internet is in them."""
LOOPBACK = IPv4Network("127.0.0.0/8")
AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)
"""Phones refuse a server's certificate that is valid for longer than 398 days."""
RENEWED_BEFORE = timedelta(days=30)
CLOCKS_DIFFER = timedelta(days=1)
"""A phone's clock may be behind ours."""
COMMON_NAME_MAX = 64
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class CertificateFolder:
    """The authority and the server's certificate of one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.authority = path / "ca.crt"
        self.server = path / "server.crt"
        self.server_key = path / "server.key"

    def prepare(self, addresses: Sequence[str], *, now: datetime | None = None) -> None:
        """Make what is missing, what ends soon, and what names other addresses than these."""
        at = now or datetime.now(UTC)
        self.path.mkdir(mode=0o700, exist_ok=True)
        authority = self._read(self.authority)
        if authority is None or not _lasts(authority.certificate, at):
            authority = make_authority(socket.gethostname(), at)
            self._write(self.authority, authority)
        server = self._read(self.server)
        names = server_names(authority.certificate, addresses)
        if (
            server is None
            or not _lasts(server.certificate, at)
            or _names_of(server.certificate) != set(names)
            or not _is_signed_by(server.certificate, authority.certificate)
        ):
            self._write(self.server, make_server(authority, names, at))

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the authority's certificate, as phones show it."""
        certificate = x509.load_pem_x509_certificate(self.authority.read_bytes())
        return certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @staticmethod
    def _read(path: Path) -> Identity | None:
        """Return what lies there, or None if it is not there whole."""
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            key = serialization.load_pem_private_key(
                path.with_suffix(".key").read_bytes(), password=None
            )
        except (FileNotFoundError, ValueError):
            return None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            return None
        if key.public_key() != certificate.public_key():
            return None
        return Identity(certificate=certificate, key=key)

    @staticmethod
    def _write(path: Path, made: Identity) -> None:
        text = made.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(path.with_suffix(".key"), text)
        write_private(path, made.certificate.public_bytes(serialization.Encoding.PEM))


def make_authority(host: str, at: datetime) -> Identity:
    """Make an authority for one machine, named so that people know it in their phone's list."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Giftpad on {host}"[:COMMON_NAME_MAX])]
    )
    permitted = [
        *(x509.DNSName(each) for each in _host_names(host)),
        *(x509.IPAddress(network) for network in (*LOCAL_NETWORKS, LOOPBACK)),
    ]
    certificate = (
        _builder(name, name, key, at=at, life=AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Identity(certificate=certificate, key=key)


def make_server(
    authority: Identity, names: Sequence[x509.DNSName | x509.IPAddress], at: datetime
) -> Identity:
    """Make a server's certificate for these names, signed by the authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Giftpad")])
    issuer = authority.certificate.subject
    signer = authority.key.public_key()
    certificate = (
        _builder(name, issuer, key, at=at, life=SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Identity(certificate=certificate, key=key)


def server_names(
    authority: x509.Certificate, addresses: Sequence[str]
) -> list[x509.DNSName | x509.IPAddress]:
    """Return what the server is to be known by: the names its authority may sign, and addresses.

    A machine that was given another name keeps the one that phones trust already.
    """
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    hosts = [
        each for each in constraints.permitted_subtrees or () if isinstance(each, x509.DNSName)
    ]
    own = dict.fromkeys(("127.0.0.1", *addresses))
    return [*hosts, *(x509.IPAddress(IPv4Address(each)) for each in own)]


def _host_names(host: str) -> list[str]:
    label = host.lower().partition(".")[0]
    is_name = _LABEL.fullmatch(label) and label != "localhost"
    return ["localhost", f"{label}.local"] if is_name else ["localhost"]


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    at: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    begins = at - CLOCKS_DIFFER
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _lasts(certificate: x509.Certificate, at: datetime) -> bool:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return begins <= at and at + RENEWED_BEFORE <= ends


def _names_of(certificate: x509.Certificate) -> set[x509.GeneralName]:
    return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


def _is_signed_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
