"""What the rules of money.yml find, and what they leave alone."""

from marshmallow import fields

from giftpad.kernel.money import split_evenly


class Order:
    # ruleid: money-as-a-float
    amount_minor: float
    # ruleid: money-as-a-float
    fee_minor = fields.Float(required=True)
    # ok: money-as-a-float
    balance_minor: int
    # ok: money-as-a-float
    face_value_minor = fields.Integer(strict=True)


def share(order, amount_minor, parts):
    # ruleid: money-as-a-float
    each = amount_minor / parts
    # ruleid: money-as-a-float
    whole = float(order.balance_minor)
    # ruleid: money-as-a-float
    near = round(amount_minor, 2)
    # ok: money-as-a-float
    fair = split_evenly(amount_minor, parts)
    return each, whole, near, fair
