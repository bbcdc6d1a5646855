"""What coupons refuses; no parameter ever carries a code that spends."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, NotFound


class BatchNotFound(NotFound):
    """There is no such batch in this tenant."""

    code = "coupon_batch.not_found"
    sentence = "There is no such batch of coupons."


class BatchWrongState(Conflict):
    """The batch is in a state in which this cannot be done."""

    code = "coupon_batch.wrong_state"
    sentence = "This cannot be done while the batch is {state}."


class BadQuantity(Invalid):
    """A batch of too few or too many coupons."""

    code = "coupon_batch.quantity"
    sentence = "A batch has from {quantity_min} to {quantity_max} coupons."


class BadFaceValue(Invalid):
    """A face value that the programme does not allow."""

    code = "coupon_batch.face_value"
    sentence = "The face value lies between {face_value_min_minor} and {face_value_max_minor}."


class CouponNotFound(NotFound):
    """No coupon carries this serial, or none has been issued under it yet."""

    code = "coupon.not_found"
    sentence = "There is no coupon with this number."


class CouponWrongState(Conflict):
    """The coupon is in a state in which this cannot be done."""

    code = "coupon.wrong_state"
    sentence = "This cannot be done with coupon {serial}: it is {state}."


class CouponAlreadyReplaced(Conflict):
    """The coupon has a successor already."""

    code = "coupon.already_replaced"
    sentence = "Coupon {serial} was replaced by {replaced_by} already."


class BadRange(Invalid):
    """A range of serials that is none: two programmes, backwards, or too long."""

    code = "coupon.range"
    sentence = "A range runs upwards within one programme and holds at most {count_max} coupons."


class VolumeNotFound(NotFound):
    """The batch has no volume of this number."""

    code = "print.not_found"
    sentence = "The batch has no print volume {volume}."


class PageNotFound(NotFound):
    """The print volume has no page of this number."""

    code = "print.page_not_found"
    sentence = "Print volume {volume} has {page_count} pages; there is no page {page}."


class PrintNotReady(Conflict):
    """The volume is not printed and checked."""

    code = "print.not_ready"
    sentence = "Print volume {volume} is not ready: it is {state}."


class VolumeBusy(Conflict):
    """Another worker is at this volume."""

    code = "print.busy"
    sentence = "The volume is being printed just now."


class PrintDestroyed(Conflict):
    """Key and print files of the batch are gone for good."""

    code = "print.destroyed"
    sentence = "The print files of this batch and their key were destroyed on {destroyed_on}."


class PrintUnreadable(Conflict):
    """The sealed file is missing or does not open; it can be printed again."""

    code = "print.unreadable"
    sentence = "The file of print volume {volume} cannot be read. Please have it printed again."
