"""Keys and sealed values: what lies in the database or in a file is no use without the KEK.

Hides: AES-256-GCM, HKDF, the layout of a sealed value.  The key-encryption key (KEK) only wraps
other keys and has a fingerprint; everything else is derived from a wrapped key by a label, so
that rotating the KEK re-wraps and changes nothing else.

Source: ADR 0005; NIST SP 800-38D; RFC 5869.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_LENGTH = 32
FINGERPRINT_LENGTH = 8
_FINGERPRINT_LABEL = "giftpad key fingerprint"
_NONCE_LENGTH = 12
_VERSION = b"\x01"


class SealBroken(Exception):
    """A sealed value does not open: another key, another place, or a changed byte."""


class KeyUnreadable(Exception):
    """The file of the key-encryption key is missing, holds no key, or another key than is meant."""


def new_key() -> bytes:
    """Make a new random key."""
    return secrets.token_bytes(KEY_LENGTH)


def load_kek(path: Path) -> bytes:
    """Read the key-encryption key.

    Raises: KeyUnreadable.
    """
    try:
        kek = path.read_bytes()
    except OSError as error:
        message = f"The key file {path} cannot be read: {error.strerror}. See GIFTPAD_KEK_FILE."
        raise KeyUnreadable(message) from error
    if len(kek) != KEY_LENGTH:
        message = f"The key file {path} holds {len(kek)} bytes; a key has {KEY_LENGTH}."
        raise KeyUnreadable(message)
    return kek


def seal(key: bytes, plain: bytes, place: str) -> bytes:
    """Seal ``plain`` so that it opens only with ``key`` and only at ``place``."""
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, place.encode())


def open_sealed(key: bytes, sealed: bytes, place: str) -> bytes:
    """Open what ``seal`` has sealed.

    Raises: SealBroken.
    """
    nonce, body = sealed[1 : 1 + _NONCE_LENGTH], sealed[1 + _NONCE_LENGTH :]
    if sealed[:1] != _VERSION:
        message = "unknown version of a sealed value"
        raise SealBroken(message)
    try:
        return AESGCM(key).decrypt(nonce, body, place.encode())
    except InvalidTag as error:
        message = f"a sealed value does not open at {place}"
        raise SealBroken(message) from error


def wrap(kek: bytes, key: bytes, place: str) -> bytes:
    """Wrap a key with the KEK for keeping in the database at ``place``."""
    return seal(kek, key, "wrap:" + place)


def unwrap(kek: bytes, wrapped: bytes, place: str) -> bytes:
    """Unwrap a key.

    Raises: SealBroken.
    """
    return open_sealed(kek, wrapped, "wrap:" + place)


def derive(key: bytes, label: str) -> bytes:
    """Derive the key for one use, named by ``label``, from a ring key."""
    return HKDF(algorithm=SHA256(), length=KEY_LENGTH, salt=None, info=label.encode()).derive(key)


def fingerprint(key: bytes) -> str:
    """Return what tells a key from others and reveals nothing of it, for writing in the open."""
    return derive(key, _FINGERPRINT_LABEL)[:FINGERPRINT_LENGTH].hex()


def column_place(tenant_id: UUID, table: str, column: str, row_id: UUID) -> str:
    """Name the place of a sealed column, so that a value copied elsewhere does not open."""
    return f"{tenant_id}:{table}:{column}:{row_id}"


def blind_index(key: bytes, text: str) -> bytes:
    """Return what finds a sealed text again by its normalised form, without revealing it."""
    return hmac.digest(key, text.encode(), "sha256")
