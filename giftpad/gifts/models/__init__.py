"""What gifts keep, a table a class."""

from giftpad.gifts.models.gifts import ClaimRow, GiftRow, ThanksRow, person_place
from giftpad.gifts.models.orders import ContractRow, DepositRow, LineRow, OrderRow
from giftpad.gifts.models.prints import PrintRow

__all__ = [
    "ClaimRow",
    "ContractRow",
    "DepositRow",
    "GiftRow",
    "LineRow",
    "OrderRow",
    "PrintRow",
    "ThanksRow",
    "person_place",
]
