"""What a machine orders: what a gift is, and the people or the number of codes it is for."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from giftpad import gifts
from giftpad.edge import current_locale
from giftpad.kernel.i18n import LOCALES, mark, translate

RECIPIENTS_MAX = 10_000
CELL_LENGTH_MAX = 1000


class RecipientSchema(Schema):
    """One person; what is left out is the order's."""

    name = fields.String(required=True, validate=validate.Length(max=CELL_LENGTH_MAX))
    mail = fields.String(load_default="", validate=validate.Length(max=CELL_LENGTH_MAX))
    phone = fields.String(load_default="", validate=validate.Length(max=CELL_LENGTH_MAX))
    channel = fields.String(load_default="", validate=validate.OneOf(["", *gifts.NAMED]))
    external_id = fields.String(
        load_default="",
        validate=validate.Length(max=CELL_LENGTH_MAX),
        metadata={"description": "Your own reference: no second gift is ever made for it."},
    )
    note = fields.String(load_default="", validate=validate.Length(max=CELL_LENGTH_MAX))
    locale = fields.String(load_default="", validate=validate.OneOf(["", *LOCALES]))
    postcode = fields.String(load_default="", validate=validate.Length(max=CELL_LENGTH_MAX))
    prefecture = fields.String(load_default="", validate=validate.Length(max=CELL_LENGTH_MAX))
    city = fields.String(load_default="", validate=validate.Length(max=CELL_LENGTH_MAX))
    street = fields.String(
        load_default="",
        validate=validate.Length(max=CELL_LENGTH_MAX),
        metadata={"description": "For letters; may begin with prefecture and city"},
    )
    building = fields.String(load_default="", validate=validate.Length(max=CELL_LENGTH_MAX))


class CodesSchema(Schema):
    """Gifts for whoever gets their link: nobody is named, and nothing is sent."""

    count = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=1, max=gifts.CODES_MAX)
    )


ONE_OF_BOTH = mark("Give either recipients or codes.")


class GiftOrderDraftSchema(Schema):
    """An order and everybody who gets a gift, or how many codes; all of it is taken or none."""

    title = fields.String(
        required=True,
        metadata={"description": "Recipients read it in their letters"},
    )
    design = fields.String(required=True, metadata={"description": "A name of /gift-designs"})
    sender_name = fields.String(required=True)
    message = fields.String(required=True)
    kind = fields.String(
        load_default=gifts.COURSE,
        validate=validate.OneOf(gifts.KINDS),
        metadata={"description": "One thing of a course, or a balance of `amount_minor`"},
    )
    course_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Of a balance: whose products it buys at their own price"},
    )
    amount_minor = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1, max=gifts.AMOUNT_MINOR_MAX),
    )
    programme_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Of a balance: where it can be kept; the programme takes gifts"},
    )
    channel = fields.String(
        load_default="mail",
        validate=validate.OneOf(gifts.NAMED),
        metadata={"description": "How a gift goes to whoever has no channel of their own"},
    )
    locale = fields.String(load_default="ja", validate=validate.OneOf(LOCALES))
    send_at = fields.AwareDateTime(load_default=None, allow_none=True)
    claim_by = fields.Date(
        load_default=None,
        allow_none=True,
        metadata={"description": "The last day to claim; left out: as the contract says"},
    )
    can_be_passed_on = fields.Boolean(
        load_default=False,
        metadata={"description": "Recipients may pass their gift on once, while nothing is chosen"},
    )
    are_repeats_meant = fields.Boolean(
        data_key="repeats_meant",
        load_default=False,
        metadata={"description": "Whoever has one address twice gets two gifts"},
    )
    recipients = fields.List(
        fields.Nested(RecipientSchema),
        load_default=None,
        validate=validate.Length(min=1, max=RECIPIENTS_MAX),
        metadata={"description": "Either these or `codes`"},
    )
    codes = fields.Nested(
        CodesSchema,
        load_default=None,
        metadata={
            "description": "So many gifts without recipients, whose links are taken from"
            " /gift-orders/{order_id}/links once all of them are issued; `channel` then is `code`"
        },
    )

    @validates_schema(skip_on_field_errors=True)
    def _check_for_whom(self, data: dict[str, Any], **_: object) -> None:
        if (data["recipients"] is None) == (data["codes"] is None):
            raise ValidationError(translate(ONE_OF_BOTH, current_locale()), "recipients")
