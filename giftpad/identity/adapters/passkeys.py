"""Passkeys, as browsers speak of them: what one is asked, and whether its answer is good.

Hides: the library, CBOR, COSE.  Nothing of the network and nothing of the database.

Source: Web Authentication, level 3.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import exceptions, parse_client_data_json
from webauthn.helpers.base64url_to_bytes import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from giftpad.identity.rules import CHALLENGE_LIFE_S

ANSWER_LENGTH_MAX = 16_384
_BROKEN = (exceptions.WebAuthnException, ValueError, KeyError, TypeError, IndexError)
"""What the library raises of an answer that is none; it reads what anybody can send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePasskey:
    """A passkey that a browser has just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    is_synced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyAnswer:
    """What a passkey answered; nothing of it is believed yet."""

    credential_id: bytes
    challenge: bytes
    person_id: UUID | None
    content: dict[str, Any]


def can_use_passkeys(address: str) -> bool:
    """Whether browsers keep passkeys for an address: a name does, a number does not."""
    host = urlsplit(address).hostname or ""
    return any(sign.isalpha() for sign in host) and ":" not in host


def ask_to_make(
    address: str,
    challenge: bytes,
    *,
    person_id: UUID,
    email: str,
    name: str,
    known: Sequence[bytes],
) -> str:
    """Return, as JSON, what a browser is asked to make: none on a device that has one already."""
    return str(
        webauthn.options_to_json(
            webauthn.generate_registration_options(
                rp_id=_host(address),
                rp_name="Giftpad",
                user_id=person_id.bytes,
                user_name=email,
                user_display_name=name,
                challenge=challenge,
                timeout=CHALLENGE_LIFE_S * 1000,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    require_resident_key=True,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
            )
        )
    )


def ask_for_answer(address: str, challenge: bytes, *, known: Sequence[bytes] = ()) -> str:
    """Return, as JSON, what a browser is asked to answer: by any passkey, or by one of these."""
    return str(
        webauthn.options_to_json(
            webauthn.generate_authentication_options(
                rp_id=_host(address),
                challenge=challenge,
                timeout=CHALLENGE_LIFE_S * 1000,
                allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )
    )


def judge_made(address: str, text: str, challenge: bytes) -> MadePasskey | None:
    """Return the passkey that a browser has made as it was asked; None if it has not."""
    try:
        made = webauthn.verify_registration_response(
            credential=_read(text),
            expected_challenge=challenge,
            expected_rp_id=_host(address),
            expected_origin=_origin(address),
            require_user_verification=True,
        )
    except _BROKEN:
        return None
    return MadePasskey(
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        is_synced=made.credential_backed_up,
    )


def read_answer(text: str) -> PasskeyAnswer | None:
    """Return what an answer says of itself, to find the passkey by; None if it is none."""
    try:
        content = _read(text)
        told = content["response"]
        handle = base64url_to_bytes(told["userHandle"]) if told.get("userHandle") else b""
        client = parse_client_data_json(base64url_to_bytes(told["clientDataJSON"]))
        return PasskeyAnswer(
            credential_id=base64url_to_bytes(content["rawId"]),
            challenge=client.challenge,
            person_id=UUID(bytes=handle) if handle else None,
            content=content,
        )
    except _BROKEN:
        return None


def judge_answer(
    address: str, answer: PasskeyAnswer, challenge: bytes, *, public_key: bytes, sign_count: int
) -> int | None:
    """Return the new count of a passkey that has answered its challenge; None if it has not.

    A count that does not grow, where there is one, is of a copy, and no answer either.
    """
    try:
        found = webauthn.verify_authentication_response(
            credential=answer.content,
            expected_challenge=challenge,
            expected_rp_id=_host(address),
            expected_origin=_origin(address),
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except _BROKEN:
        return None
    return found.new_sign_count


def _read(text: str) -> dict[str, Any]:
    if len(text) > ANSWER_LENGTH_MAX:
        message = "too long"
        raise ValueError(message)
    content = json.loads(text)
    if not isinstance(content, dict):
        message = "no object"
        raise TypeError(message)
    return content


def _host(address: str) -> str:
    return urlsplit(address).hostname or ""


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
