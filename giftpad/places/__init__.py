"""Places in Japan: what a postcode says of an address.

Knows: prefectures, postcodes however they are typed, which address or addresses one stands for.
Hides: the list of Japan Post, the package that brings it, what its entries mean.
Does not know: people, deliveries, forms, HTTP.
"""

from giftpad.places.queries import data_month, find_addresses
from giftpad.places.rules import (
    Address,
    format_postcode,
    normalise_postcode,
)

__all__ = [
    "Address",
    "data_month",
    "find_addresses",
    "format_postcode",
    "normalise_postcode",
]
