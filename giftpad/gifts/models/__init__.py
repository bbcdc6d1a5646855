"""What gifts keep, a table a class."""

from giftpad.gifts.models.gifts import ClaimRow, GiftRow, ThanksRow, person_place
from giftpad.gifts.models.orders import ContractRow, DepositRow, LineRow, OrderRow

__all__ = [
    "ClaimRow",
    "ContractRow",
    "DepositRow",
    "GiftRow",
    "LineRow",
    "OrderRow",
    "ThanksRow",
    "person_place",
]
