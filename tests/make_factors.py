"""Builders: second steps of people, taken over HTTP as their devices would."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any
from uuid import UUID

from giftpad import identity

PASSWORD = "a long enough word"
PASSKEYS: dict[str, dict[str, str]] = {}
"""The devices of the people of this process, by the address they sign in with."""


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def read_question(page: str, how: str = "answer") -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a page asks of passkeys, and the hidden fields that go back with the answer."""
    form = re.search(rf'<form[^>]*data-passkey="{how}".*?</form>', page, re.DOTALL)
    assert form is not None, page[:3000]
    options = re.search(r'data-options="([^"]*)"', form[0])
    assert options is not None
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
    return json.loads(html.unescape(options[1])), {
        name: html.unescape(value) for name, value in hidden.items() if name != "csrf"
    }


def make_passkey(page: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return a new passkey for the person whom a page asks to make one, and the form to send."""
    options, fields = read_question(page, "make")
    passkey = identity.new_soft_passkey()
    answer = identity.present_soft_passkey(
        passkey, identity.issuer().address, _bytes(options["challenge"])
    )
    passkey["person"] = str(UUID(bytes=_bytes(options["user"]["id"])))
    return passkey, fields | {"answer": answer}


def use_passkey(page: str, passkey: dict[str, str]) -> dict[str, str]:
    """Return the form by which a passkey answers what a page asks."""
    options, fields = read_question(page)
    answer = identity.answer_soft_passkey(
        passkey,
        identity.issuer().address,
        _bytes(options["challenge"]),
        person_id=UUID(passkey["person"]),
    )
    return fields | {"answer": answer}


def standing(person_id: UUID) -> identity.Standing:
    """Return by what somebody may be given a factor: the password first, later a session."""
    if not identity.find_factors(person_id).are_any:
        return identity.Standing(proof=identity.find_proof(person_id))
    role = identity.list_memberships(person_id)[0]
    opened = identity.open_session(
        person_id, role.tenant_id, role.id, methods=("pwd", "otp", "mfa")
    )
    return identity.Standing(session_id=opened.session_id)


def give_passkey(email: str, password: str = PASSWORD) -> tuple[dict[str, str], UUID]:
    """Give somebody a passkey, without a browser; return it and whose it is."""
    person_id = identity.verify_password(email, password)
    assert person_id is not None
    asked = identity.ask_new_passkey(person_id)
    passkey = identity.new_soft_passkey()
    answer = identity.present_soft_passkey(passkey, identity.issuer().address, asked.challenge)
    identity.add_passkey(
        person_id, answer, asked.challenge, identity.Seen(), on=standing(person_id)
    )
    PASSKEYS[email] = passkey | {"person": str(person_id)}
    return passkey, person_id


def step_on(browser, answer, email: str):
    """Take the second step that an answer leads to, if it does; return the answer after it."""
    where = answer.headers.get("Location", "")
    if where.endswith("/sign-in/set-up"):
        passkey, fields = make_passkey(browser.get(where).text)
        PASSKEYS[email] = passkey
        sheet = browser.post("/sign-in/set-up/passkey", fields)
        assert sheet.status_code == 200, sheet.text[:3000]
        return browser.post("/sign-in/set-up/done", {})
    if where.endswith("/sign-in/second"):
        fields = use_passkey(browser.get(where).text, PASSKEYS[email])
        return browser.post("/sign-in/second/passkey", fields)
    return answer
