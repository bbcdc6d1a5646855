"""How gifts reach the outer world: the link that is sent, the paper that is printed."""

from giftpad.gifts.adapters.invoices import draw_invoice
from giftpad.gifts.adapters.kits import draw_control, write_readme
from giftpad.gifts.adapters.links import (
    bind_links,
    build_address,
    build_link,
    find_gift_tenant,
    link_builder,
)
from giftpad.gifts.adapters.press import bind_press, draw_specimen, read_file, throw_away

__all__ = [
    "bind_links",
    "bind_press",
    "build_address",
    "build_link",
    "draw_control",
    "draw_invoice",
    "draw_specimen",
    "find_gift_tenant",
    "link_builder",
    "read_file",
    "throw_away",
    "write_readme",
]
