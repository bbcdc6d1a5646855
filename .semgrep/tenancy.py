"""What the rules of tenancy.yml find, and what they leave alone."""

from typing import Any

import msgspec
from flask import request
from marshmallow import Schema, fields

from giftpad import tenancy
from giftpad.edge import current_caller
from giftpad.kernel.work import Scope


def pay(body: dict[str, Any]):
    # ruleid: tenant-from-the-request
    first = Scope(tenant_id=body["tenant_id"])
    # ruleid: tenant-from-the-request
    second = Scope(tenant_id=request.headers["X-Tenant"])
    org = request.args.get("org_id")
    # ruleid: tenant-from-the-request
    third = tenancy.find_tenant_by_org(org)
    # ok: tenant-from-the-request
    fourth = Scope(tenant_id=current_caller().tenant.id)
    return first, second, third, fourth


class OrderSchema(Schema):
    # ruleid: tenant-among-the-fields
    tenant_id = fields.UUID(required=True)
    # ok: tenant-among-the-fields
    shop_id = fields.UUID(required=True)


class OrderBody(msgspec.Struct):
    # ruleid: tenant-among-the-fields
    org_id: str
    # ok: tenant-among-the-fields
    code: str
