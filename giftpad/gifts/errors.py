"""What gifts refuse; no parameter ever carries a link, an address or a name."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, NotFound, Rejected
from giftpad.kernel.i18n import mark


class ContractMissing(Rejected):
    """The tenant has no contract for gifts, so nothing can be ordered."""

    code = "gift_order.no_contract"
    sentence = "There is no contract for gifts yet. Ask whoever runs Giftpad for you."


class OrderNotFound(NotFound):
    """There is no such gift order in this tenant."""

    code = "gift_order.not_found"
    sentence = "There is no such gift order."


class OrderWrongState(Conflict):
    """The order is in a state in which this cannot be done."""

    code = "gift_order.wrong_state"
    sentence = "This cannot be done while the order is {state}. No money has moved."


class OrderIncomplete(Rejected):
    """Something that an order needs is not there yet."""

    code = "gift_order.incomplete"
    sentence = "Something is missing in the order: {missing}. No money has moved."


class OrderUnfit(Invalid):
    """A value of an order that cannot be accepted."""

    code = "gift_order.unfit"
    sentence = "This value of the order cannot be taken: {field}."


class LinesFaulty(Rejected):
    """Some recipients must be mended or left out first."""

    code = "gift_order.faulty_lines"
    sentence = "{count} recipients must be mended or left out first. No money has moved."


class ReferencesKnown(Rejected):
    """Gifts with the references of some recipients were ordered since these were read."""

    code = "gift_order.references_known"
    sentence = (
        "Gifts with the references of rows {lines} were ordered meanwhile. Leave these rows out."
        " No money has moved."
    )


class LinesRepeated(Rejected):
    """Some recipients stand there twice, and nobody has said that this is meant."""

    code = "gift_order.repeated_lines"
    sentence = (
        "{count} recipients have an address that stands there already. Say that each shall get"
        " their own gift, or leave them out. No money has moved."
    )


class TooManyLines(Invalid):
    """More recipients than one order may have."""

    code = "gift_order.too_many_lines"
    sentence = "An order has at most {most} recipients."


class CodesUnfit(Invalid):
    """A number of codes that no order may have."""

    code = "gift_order.codes_unfit"
    sentence = "An order has from 1 to {most} codes."


class RecipientsThere(Conflict):
    """An order with recipients is for these, and not for codes without names."""

    code = "gift_order.recipients_there"
    sentence = (
        "This order has {count} recipients. Take them out first, or begin another order for the"
        " codes."
    )


class CodesChosen(Conflict):
    """An order for codes without names takes no recipients."""

    code = "gift_order.codes_chosen"
    sentence = (
        "This order is for {count} codes without names. Take the codes out first, or begin another"
        " order for the recipients."
    )


class CodesNotReady(Conflict):
    """Not every code of an order is made yet."""

    code = "gift_order.codes_not_ready"
    sentence = "{done} of {most} codes are made. The file is there once all of them are."


class VolumeNotFound(NotFound):
    """An order has no codes with such numbers."""

    code = "gift_order.no_such_volume"
    sentence = "This order has no such part of its codes."


class LineNotFound(NotFound):
    """There is no such recipient in the order."""

    code = "gift_line.not_found"
    sentence = "There is no such recipient in this order."


class OrderChanged(Conflict):
    """The order is not any more what whoever decides about it has seen."""

    code = "gift_order.changed"
    sentence = (
        "This order was changed since you opened it. Look at it again, then decide. No money has"
        " moved."
    )


class OrderTooLate(Conflict):
    """The gifts of an order would be over before they went out."""

    code = "gift_order.too_late"
    sentence = (
        "These gifts could not be claimed any more when they went out. Take the order back and"
        " choose a later last day. No money has moved."
    )


class BudgetTooSmall(Rejected):
    """What the order costs is more than is left of deposit and credit."""

    code = "gift_order.over_budget"
    sentence = "{missing_minor} are missing for this order. No money has moved."


class CreditSpent(Rejected):
    """A credit limit cannot fall below what is spent of it."""

    code = "gift_contract.credit_spent"
    sentence = (
        "The credit limit cannot be lower than {lowest_minor}: so much of it is spent. Take a"
        " deposit first, or name that limit. No money has moved."
    )


class NothingToRedrive(Conflict):
    """Nothing of an order goes on by being started again."""

    code = "gift_order.nothing_to_redrive"
    sentence = "Nothing of this order has stopped that could be started again."


class OwnOrder(Rejected):
    """Whoever submitted an order does not approve it."""

    code = "gift_order.own"
    sentence = "Whoever submits an order cannot approve it. Ask a colleague. No money has moved."


class GiftNotFound(NotFound):
    """There is no such gift, or this link opens none."""

    code = "gift.not_found"
    sentence = "There is no such gift."


class LinkChanged(Conflict):
    """The gift is there, but this link opens it no more."""

    code = "gift.link_changed"
    sentence = "This gift has another link now."


class PassedOn(Conflict):
    """A gift that somebody has passed on is theirs no more, and its sender's even less."""

    code = "gift.passed_on"
    sentence = "This gift was passed on to somebody else. This cannot be done with it any more."


class PartlyTaken(Conflict):
    """Another link would show whoever gets it what was chosen with the old one, and by whom."""

    code = "gift.partly_taken"
    sentence = (
        "Something was chosen with this gift already. Nothing was changed. Tick that the new link"
        " goes to the same person, or take the gift back."
    )


class NotPassedOn(Conflict):
    """The sender has not said that gifts of this order may be passed on."""

    code = "gift.not_passed_on"
    sentence = "This gift cannot be passed on."


class GiftOver(Conflict):
    """The gift cannot be claimed, or not any more."""

    code = "gift.over"
    sentence = "This gift cannot be claimed: it is {state}."


class BasketUnfit(Invalid):
    """A balance buys something, and not more than so many things at once."""

    code = "gift.basket_unfit"
    sentence = "Choose something, and at most {most} things at once."


class ItemGone(Conflict):
    """One thing of a basket cannot be had any more; nothing of the basket was taken."""

    code = "gift.item_gone"
    sentence = "One of these is gone. Nothing has been taken yet."


class ItemNotDelivered(Rejected):
    """One thing of a basket does not go there; nothing of the basket was taken."""

    code = "gift.item_not_delivered"
    sentence = "One of these is not delivered to {prefecture}. Nothing has been taken yet."


class PricesChanged(Conflict):
    """A basket costs something else than its recipient was told."""

    code = "gift.prices_changed"
    sentence = "It costs {total_minor} now. Please look at it once more."


class BalanceTooSmall(Rejected):
    """A basket costs more than is left."""

    code = "gift.balance_too_small"
    sentence = "Only {left_minor} is left, and this costs {total_minor}. Nothing has been taken."


GIFT_STATE_WORDS = (
    mark("waiting"),
    mark("outstanding"),
    mark("claimed"),
    mark("cancelled"),
    mark("thanked"),
    mark("course"),
    mark("balance"),
    mark("kept only"),
    mark("not kept"),
    mark("sent as often as allowed"),
)
"""States that only refusals name: their words are found by these."""


class GiftWrongState(Conflict):
    """The gift is in a state in which this cannot be done."""

    code = "gift.wrong_state"
    sentence = "This cannot be done with the gift: it is {state}. No money has moved."


class ResendTooSoon(Rejected):
    """A gift was sent again too often, or too lately."""

    code = "gift.resent_too_often"
    sentence = "This gift was sent a short while ago. It can be sent again from {again_on} on."


class MoreToRemind(Conflict):
    """More are due for a reminder by now than whoever asks for them was told of."""

    code = "gift_order.more_to_remind"
    sentence = (
        "Meanwhile there are more reminders to send than this page showed: {n}. Nothing was sent."
        " Look at the numbers and press again."
    )


class NobodyToRemind(Conflict):
    """Nobody of a selection can be reminded just now."""

    code = "gift_order.nobody_to_remind"
    sentence = "Nobody of these can be reminded just now. Nothing was written."


class AddressFaulty(Invalid):
    """Parts of an address that cannot be taken; ``faults`` says which, and why."""

    code = "gift.address"
    sentence = "Please check the address."


class ClaimNotFound(NotFound):
    """There is no such claim, or it is one that travels in no parcel."""

    code = "gift_claim.not_found"
    sentence = "There is no such claim."


class ClaimWrongState(Conflict):
    """The claim is in a state in which this cannot be done."""

    code = "gift_claim.wrong_state"
    sentence = "This cannot be done with the claim: it is {state}."


class ListNotFound(NotFound):
    """There is no such list, or all of it is on its way."""

    code = "gift_list.not_found"
    sentence = "There is no such list, or all of it is on its way."


class ClaimSent(Conflict):
    """What was claimed is on its way; its address can no longer be changed."""

    code = "gift.claim_sent"
    sentence = "This has been handed to the carrier already. The address cannot be changed."


class DepositKnown(Conflict):
    """A payment with this reference was booked with another amount."""

    code = "gift_deposit.known"
    sentence = "A payment with this reference is booked already, with another amount."


class DepositReversed(Conflict):
    """A payment with this reference was booked and taken back."""

    code = "gift_deposit.reversed"
    sentence = (
        "The payment with this reference was taken back. Book the right one with another reference."
        " No money has moved."
    )


class DepositNotFound(NotFound):
    """No payment with this reference is booked."""

    code = "gift_deposit.not_found"
    sentence = "No payment with this reference is booked."


class DepositSpent(Rejected):
    """What was paid in is spent already, so that it cannot be taken back."""

    code = "gift_deposit.spent"
    sentence = "{missing_minor} of this payment are spent already. No money has moved."


class InvoiceNotFound(NotFound):
    """No invoice is drawn up for this order."""

    code = "gift_invoice.not_found"
    sentence = "There is no invoice for this order. It is drawn up when all of its gifts are out."


class PrintNotFound(NotFound):
    """The order has no cards."""

    code = "gift_print.not_found"
    sentence = "This order has no cards."


class PrintGone(Conflict):
    """The files of an order's cards are not all there."""

    code = "gift_print.not_ready"
    sentence = "The cards are not all there: they are being printed, or must be printed again."


class RestBusy(Conflict):
    """Somebody is at the last gifts of an order just now."""

    code = "gift_order.rest_busy"
    sentence = "Somebody is at the last gifts of this order just now."


class PrintBusy(Conflict):
    """Another worker prints this file just now."""

    code = "gift_print.busy"
    sentence = "These cards are being printed just now."
