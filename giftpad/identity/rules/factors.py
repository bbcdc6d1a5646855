"""Second steps: who must take one, what counts as one, and how codes are made: values, no state.

Source: RFC 6238 (six digits of a half minute), RFC 8176 (names of methods).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Sequence

import pyotp

from giftpad.kernel import codes

PASSWORD_METHOD = "pwd"  # noqa: S105 - how RFC 8176 calls it
CODE_METHOD = "otp"
DEVICE_KEY_METHOD, SYNCED_KEY_METHOD = "hwk", "swk"
SECOND_STEP = "mfa"
"""What stands among the methods of whoever has proved themselves in two ways."""

PROOF_FRESH_S = 15 * 60
"""How long somebody who has just proved themselves may move money before they do it again."""

STEP_S = 30
STEPS_APART_MAX = 1
CODE_DIGITS = 6
WRONG_CODES_MAX = 20
RECOVERY_CODES = 10
RECOVERY_LENGTH = 12
RESET_LENGTH = 8
RESET_LIFE_S = 600
RESET_TRIES_MAX = 5
PASSKEYS_MAX = 20
CHALLENGE_BYTES, CHALLENGE_LIFE_S = 32, 300

KEEPERS = frozenset({"owner", "approver", "operator", "operator_viewer"})
"""Roles that nobody takes by a password alone."""
POLICIES = ("keepers", "everyone")
DEFAULT_POLICY = "keepers"


def needs_second_step(role: str, policy: str) -> bool:
    """Whether a role is taken by no password alone, where this is asked of people."""
    return role in KEEPERS or policy == "everyone"


def has_second_step(methods: Collection[str]) -> bool:
    """Whether somebody who has proved themselves so has done it in two ways."""
    return SECOND_STEP in methods


def add_methods(before: Sequence[str], more: Sequence[str]) -> list[str]:
    """Return how somebody has proved themselves by now, each way once, in their order."""
    return list(dict.fromkeys((*before, *more)))


def new_authenticator_secret() -> str:
    """Make what an authenticator app is told: 160 random bits, in base32."""
    return str(pyotp.random_base32(32))


def authenticator_address(secret: str, *, name: str, issuer: str) -> str:
    """Return what an authenticator app reads as a QR."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer))


def find_step(secret: str, digits: str, *, at: float, after: int) -> int | None:
    """Return the half minute whose digits these are; None if none near now, and after the last.

    Each is compared in a time that tells nothing.
    """
    app, now = pyotp.TOTP(secret), int(at) // STEP_S
    found = None
    for step in range(now - STEPS_APART_MAX, now + STEPS_APART_MAX + 1):
        if hmac.compare_digest(app.generate_otp(step), digits) and step > after:
            found = step
    return found


def is_authenticator_code(text: str) -> bool:
    """Whether a normalised text looks like what an authenticator app shows."""
    return len(text) == CODE_DIGITS and text.isascii() and text.isdigit()


def new_recovery_codes() -> list[str]:
    """Make a sheet of recovery codes, of 60 random bits each, without signs that look alike."""
    return [_new_code(RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]


def new_reset_code() -> str:
    """Make a code for a new password, of 40 random bits: a few tries are all that it sees."""
    return _new_code(RESET_LENGTH)


def _new_code(length: int) -> str:
    return "".join(secrets.choice(codes.ALPHABET) for _ in range(length))


def group_code(code: str) -> str:
    """Return a code in groups of four, as people copy it."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
