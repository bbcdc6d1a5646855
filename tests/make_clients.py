"""Builders: what people have let clients do, without a browser."""

from __future__ import annotations

from uuid import UUID

from giftpad import identity, tills
from giftpad.identity.commands.authorisations import (
    Asked,
    begin_authorisation,
    find_code,
    take_code,
)
from giftpad.identity.commands.devices import start_device
from giftpad.identity.queries import find_client
from giftpad.identity.rules import Granted
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope

HOME = "https://app.example.jp/callback"


def _client(scope: Scope, kind: str, **more) -> Granted:
    new = identity.NewClient(name="まち歩きアプリ", kind=kind, **more)
    found = find_client(identity.create_client(scope, new).client_id)
    assert found is not None
    return found


def authorise(scope: Scope, person_id: UUID, session: identity.SessionView) -> UUID:
    """Let somebody let a client of theirs act for them, with a refresh token."""
    api = f"https://api.example.jp/{new_id().hex}"
    client = _client(scope, "web", redirect_uris=(HOME,), audience=api)
    asked = Asked(
        client=client,
        redirect_uri=HOME,
        state="",
        names=("openid", "offline_access"),
        audience=api,
        nonce="",
        code_challenge="",
    )
    (role,) = identity.list_memberships(person_id)
    approval = identity.Approval(
        membership=role, session_id=session.id, proved_at=session.proved_at, amr=session.amr
    )
    found = find_code(client, begin_authorisation(asked, approval))
    assert found is not None
    taken = take_code(found)
    assert taken is not None
    return taken.id


def connect_tablet(scope: Scope, shop_id: UUID) -> UUID:
    """Let a tablet into a shop, and return its id."""
    waiting = tills.start_pairing("")
    return tills.approve_pairing(scope, waiting.user_code, shop_id, "レジ1")


def let_wait(scope: Scope) -> str:
    """Let a device wait, and return the code it shows."""
    return start_device(_client(scope, "device"), ("openid",), "").user_code
