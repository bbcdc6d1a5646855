"""How one gift is told to a machine: what became of it, what was chosen, what is kept."""

from __future__ import annotations

from marshmallow import Schema, fields


class GiftClaimSchema(Schema):
    """What was chosen with a gift."""

    number = fields.String(required=True)
    state = fields.String(required=True)
    product_names = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    claimed_at = fields.DateTime(required=True)
    shipped_at = fields.DateTime(required=True, allow_none=True)


class GiftItemSchema(GiftClaimSchema):
    """One thing that a balance has bought."""

    value_minor = fields.Integer(required=True)


class GiftKeptSchema(Schema):
    """A balance that is kept for shops, without the code that spends it."""

    serial = fields.String(required=True)
    programme_id = fields.UUID(required=True)
    amount_minor = fields.Integer(required=True)
    spent_minor = fields.Integer(required=True)
    kept_at = fields.DateTime(required=True)
    used_at = fields.DateTime(required=True, allow_none=True)
    ends_on = fields.Date(required=True)


class GiftDoneSchema(Schema):
    """One gift after something was done with it: the answer is kept for repeats, so no name."""

    id = fields.UUID(required=True)
    order_id = fields.UUID(required=True)
    number = fields.Integer(required=True)
    external_id = fields.String(required=True)
    channel = fields.String(required=True)
    state = fields.String(required=True)
    delivery = fields.String(required=True)
    value_minor = fields.Integer(required=True)
    left_minor = fields.Integer(required=True)
    claimed_minor = fields.Integer(required=True)
    cancelled_minor = fields.Integer(required=True)
    expired_minor = fields.Integer(required=True)
    claim_by = fields.Date(required=True)
    sent_at = fields.DateTime(required=True, allow_none=True)
    delivered_at = fields.DateTime(required=True, allow_none=True)
    opened_at = fields.DateTime(required=True, allow_none=True)
    ended_at = fields.DateTime(required=True, allow_none=True)
    passed_on_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={
            "description": "When its recipient gave it to somebody else; name and address"
            " stay those of whom it was for"
        },
    )
    claim = fields.Nested(GiftClaimSchema, required=True, allow_none=True)
    items = fields.List(fields.Nested(GiftItemSchema), required=True)
    kept = fields.List(fields.Nested(GiftKeptSchema), required=True)


class GiftSchema(GiftDoneSchema):
    """One gift, without the link that opens it."""

    name = fields.String(required=True)
