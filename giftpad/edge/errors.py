"""What is refused before the domain is asked: nobody known, not allowed, not readable."""

from __future__ import annotations

from giftpad.kernel.errors import DomainError, Invalid, Unavailable


class Unauthenticated(DomainError):
    """The caller has not proved who they are."""


class Forbidden(DomainError):
    """The caller is known and may not do this."""


class Malformed(DomainError):
    """The request cannot be read."""


class TokenMissing(Unauthenticated):
    """There is no access token where one is needed."""

    code = "token.missing"
    sentence = "An access token is needed. Send it as: Authorization: Bearer <token>"


class TokenInvalid(Unauthenticated):
    """The access token is not one of ours, or not any more; which, nobody outside learns."""

    code = "token.invalid"
    sentence = "The access token is expired or not valid. Ask for a new one."


class PermissionMissing(Forbidden):
    """The access token does not carry a permission that this needs."""

    code = "permission.missing"
    sentence = "The access token does not carry the permission {permission}."


class TenantClosed(Forbidden):
    """The organisation of the access token is suspended."""

    code = "tenant.suspended"
    sentence = "This organisation is suspended."


class SessionMissing(Unauthenticated):
    """A page for people who are signed in was asked for by nobody we know."""

    code = "session.missing"
    sentence = "You are not signed in, or not any more."


class GiftClosed(Unauthenticated):
    """A page of a gift was asked for in a browser that has none open, or not any more."""

    code = "gift.closed"
    sentence = "No gift is open here. Open the link in your message once more."


class ProofOld(Unauthenticated):
    """Something that moves money, or who may, asked for by somebody who proved long ago who it is.

    Whoever sits down at a screen that was left open is not to do it.
    """

    code = "session.proof_old"
    sentence = "For this you prove once more that it is you. Nothing has been done yet."


class FormForeign(Forbidden):
    """A form that no page of ours has given to this browser, or too long ago."""

    code = "form.foreign"
    sentence = "This form is no longer valid. Open the page again and send it once more."


class ConnectionOpen(Forbidden):
    """Something secret would travel in the open."""

    code = "connection.open"
    sentence = "This connection is not encrypted. Open the same address with https://"


class BodyMalformed(Malformed):
    """The body, or another part of the request, is not what its form says."""

    code = "request.malformed"
    sentence = "The request cannot be read. Its body must be valid JSON in UTF-8."


class BodyCut(Malformed):
    """The connection ended before the body did; half an amount must not pass for an amount."""

    code = "request.cut"
    sentence = "The request ended before it was whole. Nothing was done. Send it again."


class LengthMissing(DomainError):
    """A body that does not say how long it is, so that nobody could tell when it was cut."""

    code = "request.length_missing"
    sentence = "The request must say the length of its body, in the header Content-Length."


class BodyTypeUnread(DomainError):
    """The body is of a type that is not read here; ``accepted`` names those that are."""

    code = "request.unsupported_type"
    sentence = "The body must be {accepted}. Name it in the header Content-Type."


class PartClosed(Unavailable):
    """A web process was asked for a part of Giftpad that it does not serve."""

    code = "part.closed"
    sentence = "This part is closed at the moment. Whoever is signed in can go on working."
    retry_after_s = 60


class IdempotencyKeyMissing(Malformed):
    """A request that must not happen twice carries no key."""

    code = "idempotency.key_missing"
    sentence = (
        "This request needs the header Idempotency-Key, with a new value for each new action."
    )


class IdempotencyKeyInvalid(Malformed):
    """An idempotency key that is too long or not printable."""

    code = "idempotency.key_invalid"
    sentence = "An Idempotency-Key has 1 to {most} printable ASCII characters without spaces."


class RequestInvalid(Invalid):
    """Values in a request that cannot be accepted; ``faults`` says which and where."""

    code = "request.invalid"
    sentence = "Some values in the request cannot be accepted. See errors."

    def __init__(self, faults: list[dict[str, str]]) -> None:
        super().__init__()
        self.faults = faults


class CursorUnknown(Invalid):
    """A cursor that the list did not give."""

    code = "request.cursor_unknown"
    sentence = "This is not a cursor of this list. Begin the list anew."
