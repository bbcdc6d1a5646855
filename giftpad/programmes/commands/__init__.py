"""The verbs of programmes, and the part of a pack they are set up from."""

from giftpad.programmes.commands.programmes import set_programme
from giftpad.programmes.commands.section import apply_section, read_section

__all__ = ["apply_section", "read_section", "set_programme"]
