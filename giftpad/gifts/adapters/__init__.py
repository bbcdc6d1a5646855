"""How a gift is reached from outside: the link that is sent."""

from giftpad.gifts.adapters.links import bind_links, build_link

__all__ = ["bind_links", "build_link"]
