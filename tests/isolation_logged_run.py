"""A process that does what handles secrets, right and wrong; its parent reads all that it logs.

The secrets go to the file named on the command line, one a line, and nowhere else.
"""

from __future__ import annotations

import base64
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from giftpad import identity, messaging, shops
from giftpad.app import create_app
from giftpad.edge import current_scope, requires
from giftpad.kernel import codes
from giftpad.kernel.config import Settings, read_settings
from giftpad.kernel.ids import new_id
from giftpad.kernel.log import get_logger
from giftpad.kernel.work import Scope, unit_of_work
from tests import make_coupons as mk
from tests.messaging import wire
from tests.pump import pump

PASSWORD = "correct horse battery staple"
EMAIL, PHONE, PERSON = "hana@aoba.example", "090-0000-7788", "青葉花子"
MAC_LENGTH = 23
RESET_CODE = "7Q2KM9XA"


def add_accidents(app: Flask) -> None:
    """Add routes that fall over a secret, as a mistake of ours might."""

    @app.post("/accident/database")
    @requires("payments:accept")
    def database_accident() -> None:
        from flask import request

        with unit_of_work(current_scope()) as work:
            work.session.execute(sa.text("SELECT 1 / 0, :secret"), request.get_json())

    @app.post("/accident/sentence")
    @requires("payments:accept")
    def sentence_accident() -> None:
        from flask import request

        message = f"{request.get_json()} and {request.headers['Authorization']}"
        raise RuntimeError(message)


def main(secrets_file: Path) -> None:
    """Play the flows and write down what may not be found in the log."""
    settings = read_settings()
    app = create_app(settings)
    app._got_first_request = False
    add_accidents(app)
    identity.ensure_keys()
    town = mk.make_town()
    batch_id = mk.released(town, settings, quantity=4)
    new = identity.NewClient(name="till", permissions=identity.PERMISSIONS)
    client = identity.create_client(town.scope, new)
    person = identity.NewPerson(name=PERSON, email=EMAIL, role="viewer", password=PASSWORD)
    identity.create_person(town.scope, person)
    identity.verify_password(EMAIL, PASSWORD)
    identity.verify_password(EMAIL, PASSWORD + "x")
    http = app.test_client()
    secret, wrong_secret = client.client_secret, client.client_secret[::-1]
    credentials = {"grant_type": "client_credentials", "client_id": client.client_id}
    basic = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
    for posted in (wrong_secret, secret):
        http.post("/oauth/token", data=credentials | {"client_secret": posted})
        answered = http.post("/oauth/token", json=credentials | {"client_secret": posted})
    token = answered.json["access_token"]
    http.post("/oauth/token", data=credentials, headers={"Authorization": f"Basic {basic}"})
    http.post("/oauth/token?client_secret=" + secret, data=credentials)
    bearer = {"Authorization": f"Bearer {token}"}
    broken = token[:-6] + "AAAAAA"
    http.get("/api/v1/payments", headers={"Authorization": f"Bearer {broken}"})
    http.get("/api/v1/payments?access_token=" + token)

    pdf = http.get(f"/api/v1/coupon-batches/{batch_id}/pdf", headers=bearer)
    papers = mk.read_paper(pdf.data)
    contact = {"name": PERSON, "phone": PHONE, "email": EMAIL}
    http.put(f"/api/v1/shops/{town.shop_id}/contact", json=contact, headers=bearer)
    with unit_of_work(town.scope) as work:
        shops.get_contact(work, town.shop_id)
    found = [secret, wrong_secret, basic, token, broken, token.split(".")[1], PASSWORD]
    found += [PERSON, PHONE, PHONE.replace("-", "")[1:], EMAIL, RESET_CODE]
    send_messages(town.scope, settings)
    tried = [text for paper in papers for text in paper]
    tried += [papers[0][0][:-1] + ("0" if papers[0][0][-1] != "0" else "1"), "ZZZZ-ZZZZ-ZZZZ-ZZZZ"]
    for text in tried:
        show_everywhere(http, bearer, text, shop_id=str(town.shop_id))
        plain = text.replace("-", "") if "/Q/" not in text else text[-MAC_LENGTH:]
        found += [text, text.lower(), plain]
    pump(settings)
    found += [symbols for _, typed in papers if (symbols := codes.parse_typed(typed))]
    for path in ("/accident/database", "/accident/sentence"):
        for text in tried:
            assert http.post(path, json={"secret": text}, headers=bearer).status_code == 500
    http.post("/accident/database", json={"secret": secret}, headers=bearer)
    get_logger("end").info("logged to the end", seen=len(found))
    secrets_file.write_text("\n".join(found), encoding="utf-8")


def send_messages(scope: Scope, settings: Settings) -> None:
    """Send mail and SMS to providers that refuse in words that quote the recipient."""
    values = {"organisation": PERSON, "minutes": 5, "host": "pay.example"}
    with wire.mail_provider() as mail, wire.sms_provider() as sms:
        found = replace(settings, smtp_url=mail.url, mail_from=f"Giftpad <{EMAIL}>")
        messaging.bind_providers(replace(found, sms_url=sms.url, sms_token=PASSWORD))
        mail.replies["RCPT"] = [f"450 4.2.1 <{EMAIL}> later", f"550 <{EMAIL}> never"]
        mail.replies["taken"] = [wire.CUT]
        sms.statuses = [500, wire.CUT, 422]
        messages = [
            messaging.Message(
                template=template,
                channel=channel,
                to=EMAIL if channel == "mail" else PHONE,
                values=values | {"code": code},
                send_before=datetime.now(UTC) + timedelta(minutes=5),
            )
            for template, channel, code in (
                ("password_reset", "mail", RESET_CODE),
                ("password_reset", "mail", RESET_CODE),
                ("password_reset", "mail", RESET_CODE),
                ("sign_in_code", "sms", "000000"),
                ("sign_in_code", "sms", "000000"),
                ("sign_in_code", "sms", "000000"),
            )
        ]
        with unit_of_work(scope) as work:
            for message in messages:
                messaging.send(work, message)
        pump(settings)


def show_everywhere(http, bearer, text, *, shop_id) -> None:
    """Pay with a code and put it where it does not belong."""
    body = {"instrument": {"kind": "coupon", "code": text}, "shop_id": shop_id}
    paid = {**body, "amount_minor": 10}
    keyed = bearer | {"Idempotency-Key": new_id().hex}
    http.post("/api/v1/instruments/lookup", json=body, headers=bearer)
    http.post("/api/v1/payments", json=paid, headers=keyed)
    http.post("/api/v1/payments", json=paid, headers=bearer | {"Idempotency-Key": text})
    http.post("/api/v1/payments", json={**paid, text: 1, "amount_minor": text}, headers=keyed)
    http.post("/api/v1/payments", data=text, content_type="text/plain", headers=keyed)
    strange = {"X-Request-Id": text, "User-Agent": text, "Referer": text, "Accept-Language": text}
    http.get(f"/api/v1/coupons/{text.rpartition('/')[2]}", headers=bearer | strange)
    http.get("/api/v1/payments", query_string={"serial": text, text: "x"}, headers=bearer)
    http.get(f"/Q/{text.rpartition('/')[2]}")
    http.get(f"/{text}", headers={"Authorization": f"Bearer {text}"})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
