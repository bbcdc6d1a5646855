"""What gifts keep, a table a class."""

from giftpad.gifts.models.files import (
    ColumnsRow,
    FileRow,
    file_place,
)
from giftpad.gifts.models.gifts import (
    BalanceRow,
    ClaimRow,
    GiftRow,
    OldLinkRow,
    ThanksRow,
    person_place,
)
from giftpad.gifts.models.invoices import (
    InvoiceRow,
)
from giftpad.gifts.models.orders import (
    ContractRow,
    DepositRow,
    LineRow,
    OrderRow,
)
from giftpad.gifts.models.prints import (
    PrintRow,
)

__all__ = [
    "BalanceRow",
    "ClaimRow",
    "ColumnsRow",
    "ContractRow",
    "DepositRow",
    "FileRow",
    "GiftRow",
    "InvoiceRow",
    "LineRow",
    "OldLinkRow",
    "OrderRow",
    "PrintRow",
    "ThanksRow",
    "file_place",
    "person_place",
]
