"""The pages that ask nobody to sign in, each with the reason that it declares."""

from __future__ import annotations

ONWARD = "It only sends everybody to where they begin."
SIGNING_IN = "Whoever signs in has no session yet; the form is checked and guesses are counted."
SIGNING_IN_TO_A_CLIENT = (
    "Whoever signs in to a client has no session yet; without one they are asked to sign in."
)
FEDERATED = (
    "Whoever signs in has no session yet; what their organisation's provider says is judged."
)
LEAVING_A_CLIENT = (
    "Whoever is signed in may leave; a client that asks for it proves nothing but where to go."
)
BETWEEN = (
    "Whoever is between the two steps has no session yet; the first step is sealed in a cookie."
)
SETTING_UP = (
    "Whoever sets up a second step has no session yet; the first step is sealed in a cookie."
)
FORGOTTEN = "Whoever has forgotten their password cannot sign in; the code goes to their address."
INVITED = "Whoever holds an invitation has no account yet; the link is the proof."
PREFERENCES = "Whoever reads a page chooses its language and the size of its text."
MADE_UP = "It shows parts and made-up figures, nothing of anybody."
NEW_TABLET = (
    "Nobody is signed in on a new tablet; it shows a code, and whoever keeps the shop says yes."
)
TABLET = "The sealed cookie says which shop's tablet it is; a PIN opens it, wrong ones are counted."
DESIGN = "a design is part of every letter; it says nothing of anybody"
OPENED = "the sealed cookie says which coupon its holder has shown"
LETTER = "whoever got a letter says that it is enough; the link is the proof"
PUBLIC = {
    "GET /": ONWARD,
    "POST /preferences": PREFERENCES,
    "GET /sign-in": SIGNING_IN,
    "POST /sign-in": SIGNING_IN,
    "GET /sign-in/choose": SIGNING_IN,
    "POST /sign-in/choose": SIGNING_IN,
    "POST /sign-in/passkey": SIGNING_IN,
    "POST /sign-in/with/<slug>/<uuid:connection_id>": FEDERATED,
    "GET /sign-in/back": FEDERATED,
    "POST /sign-in/demonstration": SIGNING_IN,
    "GET /sign-in/second": BETWEEN,
    "POST /sign-in/second": BETWEEN,
    "POST /sign-in/second/passkey": BETWEEN,
    "GET /sign-in/set-up": SETTING_UP,
    "POST /sign-in/set-up/app": SETTING_UP,
    "POST /sign-in/set-up/passkey": SETTING_UP,
    "POST /sign-in/set-up/done": SETTING_UP,
    "GET /forgotten": FORGOTTEN,
    "POST /forgotten": FORGOTTEN,
    "GET /forgotten/code": FORGOTTEN,
    "POST /forgotten/code": FORGOTTEN,
    "POST /sign-out": (
        "Whoever is signed in may leave, even when their organisation is suspended."
    ),
    "GET /authorize": SIGNING_IN_TO_A_CLIENT,
    "POST /authorize/answer": SIGNING_IN_TO_A_CLIENT,
    "GET /oidc/logout": LEAVING_A_CLIENT,
    "POST /oidc/logout/answer": LEAVING_A_CLIENT,
    "GET /v2/logout": LEAVING_A_CLIENT,
    "GET /join/<code>": INVITED,
    "POST /join/<code>": INVITED,
    "GET /theme/<slug>-<string(length=12):mark>.css": "colours are part of every page",
    "GET /theme/<slug>-<string(length=12):mark>.svg": "the mark is part of every page",
    "GET /gift-designs/<name>-<string(length=12):mark>.css": DESIGN,
    "GET /gift-designs/<name>-<string(length=12):mark>.svg": DESIGN,
    "GET /design": MADE_UP,
    "GET /design/<screen>": MADE_UP,
    "GET /shop/pair": NEW_TABLET,
    "POST /shop/pair": NEW_TABLET,
    "GET /shop/till": TABLET,
    "POST /shop/till": TABLET,
    "GET /shop/sw.js": "a program without data; a browser fetches it by itself",
    "GET /shop/offline": "it says that there is no network, and nothing else",
    "GET /shop/icon.svg": "a picture",
    "GET /shop/manifest.webmanifest": "what a home screen asks for; no data",
    "GET /Q/<path:tail>": "whoever holds a coupon reads its QR with any camera",
    "GET /G/<path:tail>": "whoever a gift was sent to opens its link; wrong ones are counted",
    "GET /balance": OPENED,
    "GET /balance/shops": OPENED,
    "POST /balance/close": "whoever has a coupon open may close it",
    "GET /letters/stop/<token>": LETTER,
    "POST /letters/stop/<token>": LETTER,
    "GET /letters/stopped/<slug>": "it says that no more letters come, and nothing of anybody",
    "GET /g/<path:tail>": "whoever a gift was sent to opens its link; wrong ones are counted",
    "POST /g/preferences": PREFERENCES,
    "GET /t/<slug>/": "a tenant's page is for everybody",
    "POST /t/<slug>/": "whoever holds a coupon types its code; wrong ones are counted",
    "GET /t/<slug>/balance": OPENED,
    "GET /t/<slug>/shops": "the list of shops is for everybody",
    "GET /t/<slug>/accessibility": "a policy is for everybody",
    "GET /pictures/<slug>/<uuid:picture_id>-<int:width>.webp": (
        "only who was shown a picture knows its address, and what is given is no secret"
    ),
    "GET /lan": "A phone asks the way before anybody can sign in on it.",
    "GET /lan/giftpad-ca.crt": ("A certificate is for whoever is to trust it; it holds no secret."),
}
"""Every page that asks nobody to sign in, with the reason it declares."""
