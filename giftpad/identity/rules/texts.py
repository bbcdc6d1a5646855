"""Names, addresses, passwords and secrets: how they are taken and made.

Hides: what is normalised, how long a secret is.
"""

from __future__ import annotations

import re
import secrets
import string
import unicodedata

from giftpad.identity.errors import EmailInvalid, NameUnfit, PasswordUnfit

INVITATION_LIFE_S = 7 * 24 * 3600
SECRET_BYTES = 48
CLIENT_ID_LENGTH = 32
INVITATION_SECRET_BYTES = 16
AGENT_LENGTH_MAX = 40
PASSWORD_LENGTH_MIN = 12
PASSWORD_LENGTH_MAX = 128
EMAIL_LENGTH_MAX = 254
NAME_LENGTH_MAX = 200
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f<>\"(),:;\[\]\\]{1,64}@[^\s@.]+(\.[^\s@.]+)+")


def check_name(text: str) -> str:
    """Return the name of a client or a person without the blanks around it.

    Raises: NameUnfit.
    """
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX or _UNSHOWN.search(name):
        raise NameUnfit(most=NAME_LENGTH_MAX)
    return name


def normalise_email(text: str) -> str:
    """Return the form by which an e-mail address is found again.

    Raises: EmailInvalid.
    """
    email = unicodedata.normalize("NFKC", text).strip().casefold()
    if len(email) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(email):
        raise EmailInvalid
    return email


def normalise_password(text: str) -> str:
    """Return the form of a password that is hashed: the same however it was typed."""
    return unicodedata.normalize("NFKC", text)


def check_password(password: str) -> str:
    """Return the normalised form of a new password.

    Raises: PasswordUnfit.
    """
    normalised = normalise_password(password)
    if not PASSWORD_LENGTH_MIN <= len(normalised) <= PASSWORD_LENGTH_MAX:
        raise PasswordUnfit(least=PASSWORD_LENGTH_MIN, most=PASSWORD_LENGTH_MAX)
    return normalised


def new_client_id() -> str:
    """Make the id of a new client: letters and digits, so that no shell or URL needs quoting."""
    symbols = string.ascii_letters + string.digits
    return "".join(secrets.choice(symbols) for _ in range(CLIENT_ID_LENGTH))


def new_secret() -> str:
    """Make the secret of a new client, too long to be guessed."""
    return secrets.token_urlsafe(SECRET_BYTES)


_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)


def name_agent(user_agent: str) -> str:
    """Return what of a browser's description tells somebody which of theirs it is, and no more."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return ", ".join(part for part in (browser, system) if part)[:AGENT_LENGTH_MAX]


def new_invitation_secret() -> str:
    """Make the secret part of an invitation's link, of letters and digits that survive a mail."""
    return secrets.token_hex(INVITATION_SECRET_BYTES)
