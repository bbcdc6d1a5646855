"""The portals: what people see, by audience: the desk of an issuer, the shop's phone, the holder.

Knows: pages, forms, words, the design system.
Hides: Jinja, Vite's manifest, which refusal is which page.
Does not know: SQL, how money moves, machines.
"""

from giftpad.portals.site import init_portals

__all__ = ["init_portals"]
