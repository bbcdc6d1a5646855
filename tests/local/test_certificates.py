"""Certificates of the local network: what they cover, when they are renewed, what they may not."""

import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from giftpad.local.certificates import (
    SERVER_LIFE,
    CertificateFolder,
    make_authority,
    make_server,
)

ADDRESSES = ["192.168.1.20", "10.0.0.7"]
NOW = datetime.now(UTC)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "keys").mkdir()
    return CertificateFolder(tmp_path / "keys" / "lan")


def shake_hands(folder, name):
    """Let a client that trusts only the authority meet the server under a name."""
    trust = ssl.create_default_context(cafile=folder.authority)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(folder.server, folder.server_key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trust.wrap_bio(to_client, to_server, server_hostname=name)
    server = own.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert client.version() == "TLSv1.3"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


def names(folder):
    certificate = x509.load_pem_x509_certificate(folder.server.read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(each.value) for each in found}


def test_a_phone_that_trusts_the_authority_believes_every_address(folder):
    folder.prepare(ADDRESSES)
    for name in (*ADDRESSES, "127.0.0.1", "localhost"):
        shake_hands(folder, name)
    with pytest.raises(ssl.SSLCertVerificationError, match="address mismatch"):
        shake_hands(folder, "192.168.1.21")


def test_the_name_of_this_machine_in_its_network_is_covered(folder, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Front-Desk.city.example")
    folder.prepare(ADDRESSES)
    shake_hands(folder, "front-desk.local")
    authority = x509.load_pem_x509_certificate(folder.authority.read_bytes())
    assert authority.subject.rfc4514_string() == "CN=Giftpad on Front-Desk.city.example"


def test_a_machine_with_a_new_name_keeps_its_authority_and_serves(folder, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "old")
    folder.prepare(ADDRESSES)
    trusted = folder.authority.read_bytes()
    monkeypatch.setattr(socket, "gethostname", lambda: "new")
    folder.prepare(["192.168.1.99"])
    assert folder.authority.read_bytes() == trusted
    assert names(folder) == {"localhost", "old.local", "127.0.0.1", "192.168.1.99"}
    shake_hands(folder, "192.168.1.99")


@pytest.mark.parametrize("host", ["", "localhost", "under_score", "日本", "x" * 80])
def test_a_machine_with_a_name_that_is_none_gets_certificates_too(folder, monkeypatch, host):
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    folder.prepare(ADDRESSES)
    assert names(folder) == {"localhost", "127.0.0.1", *ADDRESSES}
    shake_hands(folder, ADDRESSES[0])


@pytest.mark.parametrize(
    "name",
    [
        x509.DNSName("bank.example"),
        x509.DNSName("www.city.example.jp"),
        x509.DNSName("other.local"),
        x509.IPAddress(IPv4Address("8.8.8.8")),
    ],
)
def test_the_authority_cannot_vouch_for_anything_of_the_internet(folder, name):
    folder.prepare(ADDRESSES)
    authority = folder._read(folder.authority)
    folder._write(folder.server, make_server(authority, [name], NOW))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake_hands(folder, str(name.value))


def test_the_authority_is_for_ten_years_and_the_server_for_less_than_phones_allow(folder):
    folder.prepare(ADDRESSES, now=NOW)
    authority, server = (
        x509.load_pem_x509_certificate(path.read_bytes())
        for path in (folder.authority, folder.server)
    )
    assert authority.not_valid_after_utc > NOW + timedelta(days=3640)
    assert server.not_valid_after_utc - server.not_valid_before_utc <= timedelta(days=397)
    assert server.not_valid_before_utc < NOW
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.path_length) == (True, 0)
    assert (
        folder.fingerprint.replace(":", "") == authority.fingerprint(hashes.SHA256()).hex().upper()
    )


def test_keys_are_for_their_owner_only(folder):
    folder.prepare(ADDRESSES)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.path.iterdir()}
    assert modes == dict.fromkeys(("ca.crt", "ca.key", "server.crt", "server.key"), 0o600)


def test_what_is_good_is_kept(folder):
    folder.prepare(ADDRESSES)
    before = contents(folder)
    folder.prepare([*reversed(ADDRESSES), "127.0.0.1"])
    assert contents(folder) == before


def test_a_new_address_renews_the_server_under_the_same_authority(folder):
    folder.prepare(ADDRESSES)
    before = contents(folder)
    folder.prepare(["192.168.7.7"])
    after = contents(folder)
    assert {name for name in after if after[name] != before[name]} == {"server.crt", "server.key"}
    shake_hands(folder, "192.168.7.7")
    assert not set(ADDRESSES) & names(folder)


@pytest.mark.parametrize(("days_left", "is_kept"), [(31, True), (29, False), (-1, False)])
def test_the_server_is_renewed_a_month_before_its_end(folder, days_left, is_kept):
    folder.prepare(ADDRESSES, now=NOW - SERVER_LIFE + timedelta(days=1 + days_left))
    before = contents(folder)
    folder.prepare(ADDRESSES, now=NOW)
    after = contents(folder)
    assert (after["server.crt"] == before["server.crt"]) is is_kept
    assert after["ca.crt"] == before["ca.crt"]
    shake_hands(folder, ADDRESSES[0])


def test_an_authority_at_its_end_is_replaced_with_all_it_signed(folder):
    folder.prepare(ADDRESSES, now=NOW - timedelta(days=3640))
    before = contents(folder)
    folder.prepare(ADDRESSES, now=NOW)
    assert all(content != before[name] for name, content in contents(folder).items())
    shake_hands(folder, ADDRESSES[0])


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "server.crt", "server.key"])
@pytest.mark.parametrize("damage", ["gone", "empty", "foreign"])
def test_what_is_damaged_is_made_again(folder, tmp_path, name, damage):
    folder.prepare(ADDRESSES)
    path = folder.path / name
    if damage == "gone":
        path.unlink()
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        other = CertificateFolder(tmp_path / "other")
        other.prepare(ADDRESSES)
        path.write_bytes((other.path / name).read_bytes())
    folder.prepare(ADDRESSES)
    shake_hands(folder, ADDRESSES[0])


def test_a_server_that_another_authority_signed_is_made_again(folder):
    folder.prepare(ADDRESSES)
    foreign = make_authority(socket.gethostname(), NOW)
    folder._write(folder.authority, foreign)
    folder.prepare(ADDRESSES)
    shake_hands(folder, ADDRESSES[0])
