"""When the keys of another issuer are read, who waits for them, and what is no set of keys."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, RSAKey

from giftpad import identity
from giftpad.identity.adapters import OutsideUnread, key_sets, parse_key_set, read_key_set
from giftpad.identity.queries import foreign_keys
from giftpad.identity.queries.foreign_keys import ForeignKeys
from tests.make_foreign import DISCOVERY, KEYS, ForeignIssuer, key_named, send
from tests.waiting import wait_for

DRIPS, DRIP_S = 2000, 0.01
MINUTE = 60.0
HOUR = 60 * MINUTE


@pytest.fixture
def clock(monkeypatch):
    """The clock by which keys grow old, to be set by hand."""
    now = [1e6]
    monkeypatch.setattr(foreign_keys, "now_s", lambda: now[0])
    return now


@pytest.fixture
def issuer():
    issuer = ForeignIssuer()
    yield issuer
    issuer.close()


@pytest.fixture
def keys(issuer, clock):
    return ForeignKeys(issuer.address)


def settle(keys):
    """Wait until a reading that goes on behind is over."""
    wait_for(lambda: keys._reading is None)


def test_keys_are_read_once_and_then_held(keys, issuer, clock):
    for seconds in (0, 1, 500, 98):
        clock[0] += seconds
        assert keys.find("first").algorithm == "RS256"
    assert issuer.readings == 1


def test_old_keys_are_believed_while_they_are_read_anew(keys, issuer, clock):
    keys.find("first")
    clock[0] += 10 * MINUTE
    issuer.gate.clear()
    for _ in range(50):
        assert keys.find("first") is not None
    issuer.gate.set()
    settle(keys)
    assert issuer.readings == 2


def test_a_key_that_is_withdrawn_is_not_believed_once_that_is_read(keys, issuer, clock):
    keys.find("first")
    issuer.kids = ["second"]
    clock[0] += 10 * MINUTE - 1
    assert keys.find("first") is not None
    clock[0] += 1
    assert keys.find("first") is not None
    settle(keys)
    assert keys.find("first") is None
    assert (keys.knows("first"), keys.knows("second")) == (False, True)


def test_an_issuer_that_has_withdrawn_all_keys_is_believed_in_nothing(keys, issuer, clock):
    keys.find("first")
    issuer.kids = []
    clock[0] += 10 * MINUTE
    keys.find("first")
    settle(keys)
    assert keys.find("first") is None


def test_a_new_key_is_found_at_its_first_use(keys, issuer, clock):
    keys.find("first")
    issuer.kids = ["first", "second"]
    clock[0] += MINUTE
    assert keys.find("second") is not None


def test_a_storm_of_unknown_key_ids_is_one_reading_a_minute(keys, issuer, clock):
    keys.find("first")
    for minute in range(1, 4):
        clock[0] += MINUTE
        for number in range(100):
            assert keys.find(f"made up {minute} {number}") is None
        clock[0] += MINUTE - 1
        assert keys.find("made up") is None
        clock[0] -= MINUTE - 1
        assert issuer.readings == 1 + minute


def test_an_issuer_that_is_away_is_believed_by_what_it_said_last(keys, issuer, clock):
    began_at = clock[0]
    keys.find("first")
    issuer.answers[KEYS] = lambda handler: send(handler, b"", 500)
    for passed in (10 * MINUTE, HOUR, 24 * HOUR - 1):
        clock[0] = began_at + passed
        assert keys.find("first") is not None
        settle(keys)
        with pytest.raises(identity.IssuerAway):
            keys.find("unknown")
    clock[0] = began_at + 24 * HOUR
    assert not keys.knows("first")
    with pytest.raises(identity.IssuerAway):
        keys.find("first")
    issuer.answers.clear()
    clock[0] += 10
    assert keys.find("first") is not None


def test_an_issuer_that_does_not_answer_is_asked_once_in_ten_seconds(keys, issuer, clock):
    issuer.answers[DISCOVERY] = lambda handler: send(handler, b"", 503)
    for seconds in (0, 0, 9, 1, 0):
        clock[0] += seconds
        with pytest.raises(identity.IssuerAway):
            keys.find("first")
    assert issuer.asked.count(DISCOVERY) == 2


def test_nobody_waits_long_and_few_wait_at_all(keys, issuer, monkeypatch):
    issuer.gate.clear()
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(keys.find, "first") for _ in range(foreign_keys.WAITING_MAX)]
        wait_for(lambda: foreign_keys._waiting._value == 0)
        for _ in range(20):  # at once, or this test would take most of a minute
            with pytest.raises(identity.IssuerAway):
                keys.find("first")
        issuer.gate.set()
        assert all(found.result() is not None for found in waiting)
    settle(keys)
    issuer.gate.clear()
    fresh = ForeignKeys(issuer.address)
    monkeypatch.setattr(foreign_keys, "WAIT_S", 0.01)
    with pytest.raises(identity.IssuerAway):
        fresh.find("first")
    issuer.gate.set()
    settle(fresh)
    assert fresh.find("first") is not None
    assert foreign_keys._waiting._value == foreign_keys.WAITING_MAX


def test_an_issuer_that_lies_about_its_name_is_not_believed(keys, issuer):
    issuer.named = "https://other.example/"
    with pytest.raises(identity.IssuerAway):
        keys.find("first")
    assert issuer.readings == 0
    with pytest.raises(OutsideUnread, match="another name"):
        read_key_set(issuer.address)
    issuer.named = issuer.address[:-1]
    with pytest.raises(OutsideUnread, match="another name"):
        read_key_set(issuer.address)


def _redirect(handler):
    send(handler, b"", 302, Location=f"http://{handler.headers['Host']}/elsewhere")


def _drip(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(DRIPS):
        handler.wfile.write(b" ")
        threading.Event().wait(DRIP_S)


BAD = {
    "a redirect": (_redirect, "status 302"),
    "an error": (lambda h: send(h, b"{}", 500), "status 500"),
    "too much": (lambda h: send(h, b'{"keys": [' + b" " * 65536 + b"]}"), "more than 65536"),
    "no JSON": (lambda h: send(h, b"<html>"), "JSONDecodeError"),
    "no object": (lambda h: send(h, b"[]"), "no object"),
    "half of it": (lambda h: send(h, b'{"keys": [', **{"Content-Length": "99"}), "JSONDecodeError"),
    "no HTTP": (lambda h: h.wfile.write(b"hello\r\n\r\n"), "BadStatusLine"),
    "no keys": (lambda h: send(h, b"{}"), "no set of keys"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_set_of_keys_is_not_taken_for_one(issuer, kind):
    issuer.answers[KEYS], said = BAD[kind]
    with pytest.raises(OutsideUnread, match=said):
        read_key_set(issuer.address)
    assert issuer.asked == [DISCOVERY, KEYS]


@pytest.mark.parametrize("path", [DISCOVERY, KEYS])
def test_a_server_that_sends_a_byte_now_and_then_is_hung_up_on(issuer, monkeypatch, path):
    monkeypatch.setattr(key_sets, "WITHIN_S", 0.3)
    issuer.answers[path] = _drip
    began = time.monotonic()
    with pytest.raises(OutsideUnread):
        read_key_set(issuer.address)
    assert time.monotonic() - began < DRIPS * DRIP_S / 2


def test_a_server_that_says_nothing_is_hung_up_on(issuer, monkeypatch):
    monkeypatch.setattr(key_sets, "WITHIN_S", 0.2)
    issuer.gate.clear()
    with pytest.raises(OutsideUnread):
        read_key_set(issuer.address)


def test_a_server_that_is_not_there_is_told():
    issuer = ForeignIssuer()
    issuer.close()
    with pytest.raises(OutsideUnread, match=r"nothing answers at this address \(Conn"):
        read_key_set(issuer.address)


def test_a_name_that_nobody_has_is_told_in_words():
    with pytest.raises(OutsideUnread, match="no machine of this name was found"):
        read_key_set("https://nobody.invalid/")


def test_of_a_set_only_keys_for_signatures_are_taken_and_only_their_public_half():
    good = key_named("first").as_dict(private=True) | {"kid": "good"}
    found = parse_key_set(
        {
            "keys": [
                good,
                good | {"kid": "to encrypt with", "use": "enc"},
                good | {"kid": 7},
                {"kty": "oct", "k": "c2VjcmV0", "kid": "a secret"},
                ECKey.generate_key("P-256").as_dict(private=False) | {"kid": "curve"},
                "no key",
                good | {"kid": "short", "n": "AQAB" * 20},
            ]
        }
    )
    assert set(found) == {"good"}
    assert isinstance(found["good"].key, RSAKey)
    assert not found["good"].key.is_private


@pytest.mark.parametrize(
    "keys",
    [
        [key_named("first").as_dict(private=False) | {"kid": "a"}] * 2,
        [{"kty": "RSA", "kid": "a"}],
        [{"kty": "RSA", "kid": "a", "n": 7, "e": "AQAB"}],
        [key_named("first").as_dict(private=False) | {"kid": "a", "e": "AA"}],
        [{}] * 51,
        {},
        None,
    ],
)
def test_a_set_that_cannot_be_meant_is_refused_whole(keys):
    with pytest.raises(OutsideUnread):
        parse_key_set(json.loads(json.dumps({"keys": keys})))


@pytest.fixture
def certificate(tmp_path):
    """A certificate for this machine that signs itself, and its key, in one file each."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, no_secret = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "it.crt").write_bytes(made.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_secret)
    (tmp_path / "it.key").write_bytes(private)
    return tmp_path / "it.crt", tmp_path / "it.key"


@pytest.mark.parametrize("is_known", [True, False])
def test_https_is_believed_by_its_certificate_only(certificate, monkeypatch, is_known):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    issuer = ForeignIssuer(context)
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        assert set(read_key_set(issuer.address)) == {"first"}
    else:
        with pytest.raises(OutsideUnread, match=r"certificate is not accepted.*SSLCert"):
            read_key_set(issuer.address)
        assert issuer.asked == []
    issuer.close()
