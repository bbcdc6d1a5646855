"""Two tenants with everything a tenant can have, and everybody who might knock at their doors."""

from __future__ import annotations

import base64
import functools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import UUID

import psycopg
import pyotp
from flask import Flask
from joserfc.jwk import RSAKey
from psycopg import sql
from werkzeug.test import TestResponse

from giftpad import events, guard, health, identity, messaging, shops, tills, wiring
from giftpad.app import build_app
from giftpad.kernel.config import Settings
from giftpad.kernel.db import database
from giftpad.kernel.ids import new_id
from giftpad.kernel.work import Scope, unit_of_work
from giftpad.tenancy import PLATFORM_TENANT_ID
from tests import make_coupons as mk
from tests import pump
from tests.database import REDIS_DATABASES, Servers, own_database, settings_for
from tests.isolation_letters import send_to_many
from tests.make import Town
from tests.make_catalog import fill_catalogue
from tests.make_clients import authorise, connect_tablet, let_wait
from tests.make_factors import give_passkey, standing
from tests.make_gift_rows import leave_rows
from tests.make_gifts import Company
from tests.make_identity import Machine, claims_of, sign
from tests.make_idp import add_connection, add_link
from tests.make_sessions import visit

EVERYTHING = identity.PERMISSIONS
NO_LIMITS = identity.Limits(rate_s=100_000, burst=100_000, failed_codes_max=100_000)
FIXED_ID = "isolation-test"
COUPONS = 72
BAD_SHEET = b"number,name,area\n-,x,y\n"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, but for who asks: what stands for the route's arguments, and what is sent."""

    method: str = ""
    rule: str = ""
    path: dict[str, object] = field(default_factory=dict)
    query: dict[str, object] = field(default_factory=dict)
    body: object = None
    data: bytes | dict[str, object] | None = None
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    key: str = "isolation"

    def address(self, app: Flask) -> str:
        """Return the path with its arguments, by the application's own map."""
        if not self.path:
            return self.rule
        rule = next(
            rule
            for rule in app.url_map.iter_rules()
            if rule.rule == self.rule and self.method in (rule.methods or ())
        )
        built = app.url_map.bind("localhost").build(rule.endpoint, self.path, self.method)
        assert app.url_map.bind("localhost").match(built, self.method, return_rule=True)[0] == rule
        return built


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Somebody with a header Authorization, or nobody."""

    app: Flask
    authorization: str = ""
    machine: Machine | None = None

    def send(
        self, call: Call, *, method: str = "", environ: dict[str, str] | None = None
    ) -> TestResponse:
        """Send a request and return the answer; ``environ`` goes past the client's own checks."""
        headers = {"X-Request-Id": FIXED_ID, "Accept-Language": "en", "Idempotency-Key": call.key}
        if self.authorization:
            headers["Authorization"] = self.authorization
        return self.app.test_client().open(
            call.address(self.app),
            method=method or call.method,
            query_string=call.query,
            json=call.body,
            data=call.data,
            content_type=call.content_type,
            headers=headers | call.headers,
            environ_overrides=environ,
            buffered=True,
        )


@dataclass(kw_only=True)
class Side:
    """A tenant with one of each thing; ``office`` may do everything in it."""

    town: Town
    office: Bearer
    import_id: str = ""
    ready_ids: list[str] = field(default_factory=list)
    released_id: str = ""
    serials: list[str] = field(default_factory=list)
    papers: dict[str, tuple[str, str]] = field(default_factory=dict)
    payment_id: str = ""
    goods: object = None
    """What ``fill_catalogue`` has made."""
    company: Company | None = None

    @property
    def scope(self) -> Scope:
        return self.town.scope

    def take_serial(self) -> str:
        """Return the serial of a coupon that no test has touched."""
        return self.serials.pop()

    def take_branch(self) -> str:
        """Open a place of the first shop, and return its id."""
        with unit_of_work(self.scope) as work:
            shops.add_branch(work, self.town.shop_id, name="駅前店")
            return str(shops.get_shop(work, self.town.shop_id).branches[-1].id)


@dataclass(kw_only=True)
class World:
    """The application, two tenants in it, and a way past the application to look at the rows."""

    app: Flask
    home: Side
    other: Side
    settings: Settings
    superuser: psycopg.Connection
    nobody: Bearer
    impostors: dict[str, Bearer]
    lacking: dict[str, Bearer]
    tables: list[str]

    def rows(self, side: Side) -> dict[str, tuple[int, str]]:
        """Return how many rows each table has of a tenant, and what they amount to."""
        return self.rows_of(side.scope.tenant_id)

    def rows_of(self, tenant_id: UUID) -> dict[str, tuple[int, str]]:
        """Return the rows of one tenant, of the platform's if it is the platform."""
        found = self.superuser.execute(self._all_rows, {"tenant": tenant_id}).fetchall()
        return {name: (count, digest) for name, count, digest in found}

    def marks(self, side: Side) -> set[str]:
        """Return every id of a tenant's rows, and what else would give it away."""
        told = {side.town.scope.tenant_id.hex, side.serials[0].partition("-")[0] + "-"}
        found = self.superuser.execute(self._all_ids, {"tenant": side.scope.tenant_id}).fetchall()
        return told | {str(row[0]) for row in found if row[0] is not None}

    @functools.cached_property
    def _all_rows(self) -> sql.Composed:
        one = sql.SQL(
            "SELECT {name}, count(*), coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')"
            " FROM {table} t WHERE tenant_id = %(tenant)s"
        )
        return sql.SQL(" UNION ALL ").join(
            one.format(name=sql.Literal(table), table=sql.Identifier(table))
            for table in self.tables
        )

    @functools.cached_property
    def _all_ids(self) -> sql.Composed:
        """One query for every id in every table: a query for each column is hundreds of them."""
        columns = self.superuser.execute(
            "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
            " WHERE table_name = ANY (%s) AND data_type = 'uuid' GROUP BY table_name",
            [self.tables],
        ).fetchall()
        one = sql.SQL("SELECT unnest(ARRAY[{columns}]) FROM {table} WHERE tenant_id = %(tenant)s")
        return sql.SQL(" UNION ").join(
            one.format(
                columns=sql.SQL(", ").join(map(sql.Identifier, names)), table=sql.Identifier(table)
            )
            for table, names in columns
        )


def list_tables(connection: psycopg.Connection) -> list[str]:
    """Return every table of the catalogue that has a tenant's rows."""
    return [
        row[0]
        for row in connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
            " AND a.attname = 'tenant_id' AND NOT a.attisdropped ORDER BY c.relname"
        )
    ]


def make_bearer(app: Flask, scope: Scope, *permissions: str, shop_id: UUID | None = None) -> Bearer:
    """Make a client of a tenant with a token from the token endpoint."""
    new = identity.NewClient(
        name="isolation", permissions=permissions, shop_id=shop_id, limits=NO_LIMITS
    )
    made = identity.create_client(scope, new)
    machine = Machine(
        app=app, scope=scope, client_id=made.client_id, client_secret=made.client_secret
    )
    return Bearer(app=app, authorization=f"Bearer {machine.token()}", machine=machine)


def _part(content: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def make_impostors(app: Flask, office: Bearer) -> dict[str, Bearer]:
    """Return bearers whose token says all that ``office`` may, and is not to be believed."""
    machine = office.machine
    assert machine is not None
    everything = {"permissions": list(EVERYTHING), "scope": " ".join(EVERYTHING)}
    good = claims_of(machine, **everything)
    now = int(time.time())
    ours = sign(good)
    kid = json.loads(base64.urlsafe_b64decode(ours.split(".")[0] + "=="))["kid"]
    unsigned = _part({"alg": "none", "typ": "at+jwt", "kid": kid})
    texts = {
        "expired": sign(good | {"iat": now - 7200, "exp": now - 3600}),
        "of another key": sign(good, key=RSAKey.generate_key(2048)),
        "unsigned": f"{unsigned}.{_part(good)}.",
        "an ID token": sign(good | {"aud": machine.client_id}, header={"typ": "JWT"}),
        "for another API": sign(good | {"aud": "https://other.example/api/v1"}),
        "of another issuer": sign(good | {"iss": "https://other.example/"}),
        "of no tenant": sign(good | {"org_id": "org_nobody"}),
        "cut": ours[:-8],
        "garbage": "garbage",
    }
    found = {name: Bearer(app=app, authorization=f"Bearer {text}") for name, text in texts.items()}
    found["by name and secret"] = Bearer(
        app=app,
        authorization="Basic "
        + base64.b64encode(f"{machine.client_id}:{machine.client_secret}".encode()).decode(),
    )
    return found


def _fill(app: Flask, settings: Settings, *, prefix: str, quantity: int) -> Side:
    """Give a tenant one of each thing, through the doors and over HTTP."""
    town = mk.make_town(prefix, f"{prefix}商品券")
    side = Side(town=town, office=make_bearer(app, town.scope, *EVERYTHING))
    *ready, released = (mk.order(town, count) for count in (1, 1, 1, quantity))
    with shops.kept_file(town.scope, BAD_SHEET) as kept, unit_of_work(town.scope) as work:
        shops.set_contact(work, town.shop_id, shops.Contact(name="青葉 花"))
        side.import_id = str(shops.order_import(work, kept))
        events.publish(work, shops.ShopImportOrdered(object_id=new_id()))  # its handler fails
    pump.pump(settings)
    mk.release(town, released)
    side.ready_ids, side.released_id = [str(batch) for batch in ready], str(released)
    batch = mk.get_batch(town, released)
    first = int(batch.serial_first.partition("-")[2])
    side.serials = [f"{prefix}-{number:07d}" for number in range(first, first + quantity)]
    papers = mk.read_paper(mk.take_pdf(town, released))
    side.papers = dict(zip(side.serials, papers, strict=True))
    _let_people_in(town.scope, prefix, town.shop_id)
    side.goods = fill_catalogue(town.scope)
    side.take_branch()
    side.payment_id = pay(side)
    refund = Call(
        method="POST",
        rule="/api/v1/payments/<uuid:payment_id>/refund",
        path={"payment_id": side.payment_id},
        body={"amount_minor": 1},
    )
    assert side.office.send(refund).status_code == 201
    replace = Call(
        method="POST",
        rule="/api/v1/coupons/<serial>/replace",
        path={"serial": side.take_serial()},
        body={},
        key=new_id().hex,
    )
    assert side.office.send(replace).status_code == 202
    side.company = leave_rows(town.scope, settings)
    pump.pump(settings)
    return side


def _let_people_in(scope: Scope, prefix: str, shop_id: UUID) -> None:
    """Let somebody be a member, signed in, with app, device and link, and another be invited.

    A shop has a tablet, and a clerk without an account.
    """
    connect_tablet(scope, shop_id)
    tills.add_clerk(scope, shop_id, "見本 桜", "4071")
    person_id = identity.create_person(
        scope,
        identity.NewPerson(
            name="青葉 花",
            email=f"{scope.tenant_id.hex}@town.example",
            role="viewer",
            password="correct horse battery",
        ),
    ).person_id
    (role,) = identity.list_memberships(person_id)
    opened = identity.open_session(person_id, role.tenant_id, role.id)
    session = identity.find_session(person_id, opened.session_id)
    assert session is not None
    authorise(scope, person_id, session)
    let_wait(scope)
    _give_factors(scope, person_id)
    add_link(add_connection(scope), person_id)
    identity.invite(scope, identity.NewInvitation(name="青葉 花", role="viewer"))
    visit(scope)
    invitation = messaging.Message(
        template="invitation",
        to="hana@aoba.example",
        values={
            "organisation": prefix,
            "link": "https://aoba.example/join",
            "until_day": date(2030, 1, 1),
        },
    )
    with unit_of_work(scope) as work:
        messaging.send(work, invitation)
        send_to_many(work, invitation)


def _give_factors(scope: Scope, person_id: UUID) -> None:
    """Let somebody have an app, a passkey and a sheet, and have forgotten their password."""
    seen = identity.Seen()
    secret = identity.offer_authenticator(person_id).secret
    identity.add_authenticator(
        person_id, secret, pyotp.TOTP(secret).now(), seen, on=standing(person_id)
    )
    give_passkey(f"{scope.tenant_id.hex}@town.example", "correct horse battery")
    identity.ask_reset("hana@aoba.example", source="192.0.2.1", locale="ja")
    identity.set_policy(scope, "keepers")


def payment_body(side: Side, serial: str = "", *, typed: bool = False) -> dict[str, object]:
    """Return what a shop sends to be paid ten by a coupon."""
    qr, typed_code = side.papers[serial or side.take_serial()]
    return {
        "instrument": {"kind": "coupon", "code": typed_code if typed else qr},
        "amount_minor": 10,
        "shop_id": str(side.town.shop_id),
    }


def pay(side: Side, *, by: Bearer | None = None, **changes: object) -> str:
    """Pay with a fresh coupon and return the payment's id."""
    body = payment_body(side) | changes
    call = Call(method="POST", rule="/api/v1/payments", body=body, key=new_id().hex)
    answered = (by or side.office).send(call)
    assert answered.status_code == 201, answered.text
    return str(answered.json["id"])


@contextmanager
def open_world(servers: Servers, name: str, *, home: Path) -> Iterator[World]:
    """Make the world in a database of its own, bound to this process as the product does it."""
    with own_database(servers, name) as urls:
        settings = settings_for(servers, urls, home=home, redis_number=REDIS_DATABASES - 1)
        wiring.bootstrap(settings)
        with psycopg.connect(urls.superuser, autocommit=True) as superuser:
            yield make_world(settings, superuser)
        database().close()


def make_world(settings: Settings, superuser: psycopg.Connection) -> World:
    """Make two tenants, fill both, and let everybody come."""
    identity.ensure_keys()
    app = build_app(settings)
    home = _fill(app, settings, prefix="HM", quantity=COUPONS)
    other = _fill(app, settings, prefix="OT", quantity=8)
    lacking = {
        permission: make_bearer(app, home.scope, *(p for p in EVERYTHING if p != permission))
        for permission in EVERYTHING
    }
    over = make_bearer(app, home.scope, "coupons:read")
    assert over.machine is not None
    identity.disable_client(home.scope, over.machine.client_id)
    identity.refresh_trust()
    health.note_backup(database_bytes=1, files=0)
    with unit_of_work(Scope(tenant_id=PLATFORM_TENANT_ID)) as work:
        guard.open_share(work, guard.GROUPS, reason="sample")
    return World(
        app=app,
        home=home,
        other=other,
        settings=settings,
        superuser=superuser,
        nobody=Bearer(app=app),
        impostors=make_impostors(app, home.office) | {"disabled": over},
        lacking=lacking,
        tables=list_tables(superuser),
    )
