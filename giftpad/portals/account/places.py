"""Where people go: after signing in, and only to places of ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from giftpad import identity

DESK, SHOP, OPERATOR, SIGN_IN = "/desk", "/shop", "/operator/health", "/sign-in"
_PORTALS = ("/desk", "/shop", "/operator")
LENGTH_MAX = 2400
_NOT_AFTER_SIGN_IN = ("/sign-in", "/sign-out", "/join")


def first_page(role: str) -> str:
    """Return where somebody with this role begins."""
    if role in identity.OPERATOR_ROLES:
        return OPERATOR
    return SHOP if role in identity.SHOP_ROLES else DESK


def local_path(text: str | None) -> str | None:
    """Return an address if it is a path of this site, parsed and not guessed by its beginning.

    A browser takes a backslash for a slash, two of them for another host, and drops control
    characters.
    """
    if not text or len(text.encode()) > LENGTH_MAX:  # it goes into a cookie
        return None
    if not text.startswith("/") or text.startswith("//") or "\\" in text:
        return None
    if any(ord(symbol) <= ord(" ") or ord(symbol) == 127 for symbol in text):  # noqa: PLR2004 - DEL
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else text


def after_sign_in(wanted: str | None, role: str) -> str:
    """Return where somebody goes who has just signed in: where they wanted, if it is theirs."""
    path = local_path(wanted)
    home = first_page(role)
    if path is None or path == "/" or urlsplit(path).path.startswith(_NOT_AFTER_SIGN_IN):
        return home
    foreign = tuple(f"{portal}/" for portal in _PORTALS if not home.startswith(portal))
    return home if f"{urlsplit(path).path}/".startswith(foreign) else path
