"""A passkey whose private half lies in a file: for people who are made up.

The people of a demonstration have no hands to touch a key with.  The machine that runs it answers
for them, as their devices would; nothing is waived for them.

Source: Web Authentication, level 3, sections 6.1 and 6.5; RFC 9053 (keys in COSE).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

ID_BYTES = 16
PRESENT, VERIFIED, CARRIES_KEY = 0x01, 0x04, 0x40
NO_MODEL, NO_COUNT = bytes(16), bytes(4)


def new_soft_passkey() -> dict[str, str]:
    """Make a key pair and a name for it, as a file can keep them."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return {"id": _text(secrets.token_bytes(ID_BYTES)), "key": pem.decode()}


def present_soft_passkey(kept: dict[str, str], address: str, challenge: bytes) -> str:
    """Answer, as JSON, who is asked to make a passkey for ``address``: with this one."""
    credential_id = _bytes(kept["id"])
    numbers = _key(kept).public_key().public_numbers()
    public = {
        1: 2,  # an elliptic curve key
        3: -7,  # for ES256
        -1: 1,  # on P-256
        -2: numbers.x.to_bytes(32),
        -3: numbers.y.to_bytes(32),
    }
    about = NO_MODEL + len(credential_id).to_bytes(2) + credential_id + bytes(cbor2.dumps(public))
    told = _told(address, PRESENT | VERIFIED | CARRIES_KEY) + about
    attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": told})
    return _answer(
        kept,
        clientDataJSON=_text(_client_data("webauthn.create", address, challenge)),
        attestationObject=_text(attested),
    )


def answer_soft_passkey(
    kept: dict[str, str], address: str, challenge: bytes, *, person_id: UUID
) -> str:
    """Answer, as JSON, who asks ``address``'s visitor for a passkey: by this one, of a person."""
    client_data = _client_data("webauthn.get", address, challenge)
    told = _told(address, PRESENT | VERIFIED)
    signed = told + hashlib.sha256(client_data).digest()
    return _answer(
        kept,
        clientDataJSON=_text(client_data),
        authenticatorData=_text(told),
        signature=_text(_key(kept).sign(signed, ec.ECDSA(hashes.SHA256()))),
        userHandle=_text(person_id.bytes),
    )


def _key(kept: dict[str, str]) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(kept["key"].encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _client_data(kind: str, address: str, challenge: bytes) -> bytes:
    parts = urlsplit(address)
    said: dict[str, Any] = {
        "type": kind,
        "challenge": _text(challenge),
        "origin": f"{parts.scheme}://{parts.netloc}",
        "crossOrigin": False,
    }
    return json.dumps(said).encode()


def _told(address: str, flags: int) -> bytes:
    host = urlsplit(address).hostname or ""
    return hashlib.sha256(host.encode()).digest() + bytes([flags]) + NO_COUNT


def _answer(kept: dict[str, str], **response: str) -> str:
    return json.dumps(
        {"id": kept["id"], "rawId": kept["id"], "type": "public-key", "response": response}
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
