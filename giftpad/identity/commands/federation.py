"""Signing in with a tenant's own provider: the way there and back, and what is believed of it.

Nothing is created on the way: whom the provider names comes in only if they have linked that
account before, signed in here.  While the provider is asked no transaction is open, and only a few
requests of a process wait for providers at once, so that a slow one takes no place of a payment.

Source: OpenID Connect Core 1.0, section 3.1; RFC 9700, sections 2.1 and 4.4; RFC 9207; RFC 7636.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey

from giftpad import guard, tenancy
from giftpad.identity.adapters import (
    OutsideUnread,
    Redemption,
    end_of_call,
    pick_key,
    read_keys,
    redeem_code,
)
from giftpad.identity.errors import (
    ConnectionNotFound,
    FederationRefused,
    LinkMissing,
    ProviderAway,
    SignInThrottled,
)
from giftpad.identity.models import ConnectionRow
from giftpad.identity.queries import (
    PLATFORM,
    ConnectionView,
    callback_address,
    find_connection,
    find_linked,
    get_person,
    list_memberships,
    password_mark,
    secret_place,
)
from giftpad.identity.rules import (
    BY_SECRET,
    Membership,
    challenge_of,
    is_same,
    judge_id_header,
    judge_id_token,
    new_proof,
)
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Actor, Scope, unit_of_work

log = get_logger("identity")

STARTS_BY_SOURCE_MAX = 200
ASKING_MAX = 2
"""How many requests of a process may wait for providers at once."""
ID_TOKEN_LENGTH_MAX = 16 * 1024
CODE_LENGTH_MAX = 4096

_asking = threading.BoundedSemaphore(ASKING_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A way to a provider that somebody has begun: what their browser keeps until they are back."""

    tenant_id: UUID
    connection_id: UUID
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Who has come by a connection, with the roles they may take; no session exists yet.

    ``proof`` opens a session later, as long as their password is the same.
    """

    person_id: UUID
    connection_id: UUID
    proof: str = field(repr=False)
    memberships: tuple[Membership, ...]


def start_federation(
    tenant_id: UUID, connection_id: UUID, *, source: str
) -> tuple[str, ConnectionView, Started]:
    """Return where somebody goes to prove who they are, by which connection, and what is kept.

    ``source`` is the network address from which they come.
    Raises: ConnectionNotFound, SignInThrottled.
    """
    name = f"connection:source:{source}"
    try:
        guard.check_failures(name)
        guard.count_failure(name, most=STARTS_BY_SOURCE_MAX)
    except guard.TooManyFailures as error:
        raise SignInThrottled(retry_after_s=error.retry_after_s) from error
    connection = find_connection(tenant_id, connection_id)
    if connection is None:
        raise ConnectionNotFound
    started = Started(
        tenant_id=tenant_id,
        connection_id=connection_id,
        state=new_proof(),
        nonce=new_proof(),
        verifier=new_proof(),
    )
    asked = {
        "response_type": "code",
        "client_id": connection.client_id,
        "redirect_uri": callback_address(),
        "scope": " ".join(connection.scopes),
        "state": started.state,
        "nonce": started.nonce,
        "code_challenge": challenge_of(started.verifier),
        "code_challenge_method": "S256",
    }
    begun = connection.authorization_endpoint
    joint = "&" if urlsplit(begun).query else "?"
    return f"{begun}{joint}{urlencode(asked)}", connection, started


def arrive(started: Started, parameters: Mapping[str, str]) -> Arrived:
    """Return who is back from a provider, if they have linked the account that they came with.

    Raises: FederationRefused, ConnectionNotFound, ProviderAway, LinkMissing.
    """
    connection, subject = prove_subject(started, parameters)
    person_id = find_linked(connection.id, subject)
    if person_id is None:
        raise LinkMissing
    with unit_of_work(PLATFORM) as work:
        person = get_person(work, person_id)
    if person is None:
        raise LinkMissing
    return Arrived(
        person_id=person_id,
        connection_id=connection.id,
        proof=password_mark(person.password_hash),
        memberships=tuple(
            each for each in list_memberships(person_id) if each.tenant_id == connection.tenant_id
        ),
    )


def prove_subject(started: Started, parameters: Mapping[str, str]) -> tuple[ConnectionView, str]:
    """Return the connection, and whom its provider names to the browser that began the way.

    Each way counts once, whatever becomes of it.
    Raises: FederationRefused, ConnectionNotFound, ProviderAway.
    """
    try:
        return _prove(started, parameters)
    except FederationRefused as refused:
        log.warning(
            "what came back from a provider is refused",
            connection=str(started.connection_id),
            why=refused.reason,
        )
        raise


def _prove(started: Started, parameters: Mapping[str, str]) -> tuple[ConnectionView, str]:
    if not is_same(parameters.get("state"), started.state):
        _refuse("state")
    connection = find_connection(started.tenant_id, started.connection_id)
    if connection is None:
        raise ConnectionNotFound
    _take_once(started)
    named = parameters.get("iss")
    if (named is not None or connection.promises_issuer) and named != connection.issuer:
        _refuse("another issuer answered")
    if "error" in parameters:
        _refuse("the provider said no")
    code = parameters.get("code", "")
    if not code or len(code) > CODE_LENGTH_MAX:
        _refuse("no code")
    secret = _open_secret(connection)
    tokens, keys = _ask(connection, secret, started, code)
    payload = _read_signed(tokens.get("id_token"), connection, secret, keys)
    subject = judge_id_token(
        payload,
        issuer=connection.issuer,
        client_id=connection.client_id,
        nonce=started.nonce,
        access_token=tokens.get("access_token"),
        at=time.time(),
    )
    if find_connection(started.tenant_id, started.connection_id) is None:  # disabled meanwhile
        raise ConnectionNotFound
    return connection, subject


def _refuse(reason: str) -> NoReturn:
    raise FederationRefused(reason)


def _take_once(started: Started) -> None:
    """Let nobody come back a second time by the same way.

    Raises: FederationRefused.
    """
    name = f"connection:{started.connection_id}"
    actor = Actor(kind="system", id=name, client_id=name)
    key = hashlib.sha256(started.state.encode()).hexdigest()
    with unit_of_work(Scope(tenant_id=started.tenant_id, actor=actor)) as work:
        if guard.once(work, key, b"") is not None:
            _refuse("shown a second time")
        kept_for = guard.KEPT_FOR_OTHERS
        guard.remember(work, key, guard.Answer(200, {}), kept_for=kept_for)


def _open_secret(connection: ConnectionView) -> str | None:
    with unit_of_work(Scope(tenant_id=connection.tenant_id)) as work:
        row = work.session.get(ConnectionRow, (work.tenant_id, connection.id))
        sealed = row.secret_sealed if row is not None else None
    if sealed is None:
        return None
    place = secret_place(connection.tenant_id, connection.id)
    return tenancy.open_text(connection.tenant_id, place, sealed)


def _ask(
    connection: ConnectionView, secret: str | None, started: Started, code: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the provider's tokens for a code, and its keys where those sign them.

    Raises: FederationRefused, ProviderAway.
    """
    redemption = Redemption(
        client_id=connection.client_id,
        secret=secret,
        secret_in=connection.secret_in,
        code=code,
        verifier=started.verifier,
        redirect_uri=callback_address(),
    )
    if not _asking.acquire(blocking=False):
        raise ProviderAway
    try:
        call = partial(_call, connection, redemption)
        answered = guard.outside_call(f"connection {connection.id}", call)
    except (OutsideUnread, guard.OutsideAway) as error:
        log.warning("a provider could not be asked", connection=str(connection.id), why=str(error))
        raise ProviderAway from error
    finally:
        _asking.release()
    if isinstance(answered, OutsideUnread):
        raise FederationRefused(str(answered)) from answered
    return answered


def _call(
    connection: ConnectionView, redemption: Redemption
) -> tuple[dict[str, Any], list[dict[str, Any]]] | OutsideUnread:
    """Ask a provider.  That it refuses a code is an answer, or bad codes would shut all others out.

    Raises: OutsideUnread.
    """
    ends_at = end_of_call()
    try:
        tokens = redeem_code(connection.token_endpoint, redemption, ends_at)
    except OutsideUnread as error:
        if error.is_refusal:
            return error
        raise
    if BY_SECRET in connection.algorithms:
        return tokens, []
    return tokens, read_keys(connection.jwks_uri, ends_at)


def _read_signed(
    token: object, connection: ConnectionView, secret: str | None, keys: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what an ID token says that the provider has signed as the connection allows.

    The algorithm is judged before a key is chosen: a public key is never taken for a secret.
    Raises: FederationRefused.
    """
    if not isinstance(token, str) or len(token) > ID_TOKEN_LENGTH_MAX:
        _refuse("no ID token")
    try:
        signature = jws.extract_compact(token.encode("ascii"))
        algorithm, kid = judge_id_header(signature.headers(), connection.algorithms)
        key = _key_for(algorithm, kid, secret, keys)
        is_signed = jws.validate_compact(signature, key, algorithms=[algorithm])
        payload: object = orjson.loads(signature.payload or b"")
    except (JoseError, ValueError, TypeError) as error:
        raise FederationRefused(type(error).__name__) from error
    if not is_signed or not isinstance(payload, dict):
        _refuse("signature")
    return payload


def _key_for(
    algorithm: str, kid: str | None, secret: str | None, keys: list[dict[str, Any]]
) -> OctKey | RSAKey | ECKey:
    if algorithm == BY_SECRET:
        assert secret is not None, "a connection with HS256 has a secret"
        return OctKey.import_key(secret.encode())
    key = pick_key(keys, kid=kid, algorithm=algorithm)
    if key is None:
        reason = "key"
        raise FederationRefused(reason)
    return key
