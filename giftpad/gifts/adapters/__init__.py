"""How gifts reach the outer world: the link that is sent, the cards that are printed."""

from giftpad.gifts.adapters.links import bind_links, build_address, build_link
from giftpad.gifts.adapters.press import bind_press, draw_specimen, read_file, throw_away

__all__ = [
    "bind_links",
    "bind_press",
    "build_address",
    "build_link",
    "draw_specimen",
    "read_file",
    "throw_away",
]
