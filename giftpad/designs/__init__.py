"""Designs of gifts: how one looks on the page, in the mail and on the card.

Knows: their names, occasions, colours, pictures; that words on them can be read.
Hides: the folder they lie in, TOML, the renderer that makes a picture of a drawing.
Does not know: gifts, letters, tenants, HTTP.
"""

from giftpad.designs.errors import DesignNotFound
from giftpad.designs.queries import art_svg, check_designs, get_design, list_designs, picture_png
from giftpad.designs.rules import ART_SIZE, Design

__all__ = [
    "ART_SIZE",
    "Design",
    "DesignNotFound",
    "art_svg",
    "check_designs",
    "get_design",
    "list_designs",
    "picture_png",
]
