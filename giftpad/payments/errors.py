"""Every refusal a shop can meet, each with its code and its sentence.

``REFUSALS`` is the table the database function's outcomes are read by; the table in
docs/reference/refusals.md and its test are made from the same classes.
"""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, DomainError, Invalid, NotFound, Rejected
from giftpad.ledger import InsufficientBalance


class InstrumentNotFound(NotFound):
    """A code that opens nothing: unknown, forged, or another tenant's, and nobody learns which."""

    code = "instrument.not_found"
    sentence = "This code is not known here. No money has moved. Check it and scan again."


class InstrumentBlocked(Rejected):
    """The issuer has stopped this instrument."""

    code = "instrument.blocked"
    sentence = (
        "This coupon has been stopped. No money has moved. Hand it back and have the issuer called."
    )


class InstrumentReplaced(Rejected):
    """A new paper has taken the place of this one."""

    code = "instrument.replaced"
    sentence = "This coupon was replaced by a new one. No money has moved. Ask for the new coupon."


class InstrumentExpired(Rejected):
    """The validity is over."""

    code = "instrument.expired"
    sentence = "This coupon expired on {last_day}. No money has moved."


class InstrumentNotActive(Rejected):
    """The validity has not begun, or the batch is not released."""

    code = "instrument.not_active"
    sentence = "This coupon cannot be used yet. No money has moved."


class WrongProgramme(Rejected):
    """The shop does not take part in the coupon's programme."""

    code = "payment.wrong_programme"
    sentence = "This shop does not take part in this coupon's programme. No money has moved."


class NotAcceptedHere(Rejected):
    """The shop lies outside the area in which the value may be spent."""

    code = "payment.not_accepted_here"
    sentence = (
        "This coupon cannot be used in this shop: it is outside the area. No money has moved."
    )


class ShopSuspended(Rejected):
    """The issuer has suspended the shop."""

    code = "payment.shop_suspended"
    sentence = "This shop is suspended and takes no coupons now. No money has moved."


class OverCeiling(Rejected):
    """One payment may not take so much."""

    code = "payment.over_ceiling"
    sentence = "One payment may take {ceiling_minor} at most. No money has moved."


class UnknownShop(Rejected):
    """There is no such shop."""

    code = "payment.unknown_shop"
    sentence = "There is no such shop. No money has moved."


class ShopMissing(Invalid):
    """Neither the request nor the caller's token names the shop."""

    code = "payment.shop_missing"
    sentence = "Name the shop in shop_id: this sign-in is not bound to one. No money has moved."


class OtherShop(Rejected):
    """The caller is bound to one shop and asked for another."""

    code = "payment.other_shop"
    sentence = "This sign-in belongs to another shop. No money has moved."


class PaymentNotFound(NotFound):
    """There is no such payment, or it is not this caller's."""

    code = "payment.not_found"
    sentence = "There is no such payment."


class PaymentWrongState(Conflict):
    """The payment was already voided or refunded."""

    code = "payment.wrong_state"
    sentence = "This payment is {state}; this cannot be done any more. No money has moved."


class VoidTooLate(Rejected):
    """A payment can be voided on its own day only."""

    code = "payment.void_too_late"
    sentence = "Only a payment of today can be voided. No money has moved. Use a refund."


class RefundTooMuch(Rejected):
    """More was asked back than was taken."""

    code = "payment.refund_too_much"
    sentence = "At most {refundable_minor} can be given back. No money has moved."


class RefundAfterExpiry(Rejected):
    """Value that has expired does not come back to life."""

    code = "payment.refund_after_expiry"
    sentence = (
        "The coupon expired on {last_day}, so nothing can be put back on it. No money has moved."
    )


REFUSALS: dict[str, type[DomainError]] = {
    refusal.code: refusal
    for refusal in (
        InstrumentNotFound,
        InstrumentBlocked,
        InstrumentReplaced,
        InstrumentExpired,
        InstrumentNotActive,
        WrongProgramme,
        NotAcceptedHere,
        ShopSuspended,
        OverCeiling,
        InsufficientBalance,
        UnknownShop,
    )
}
