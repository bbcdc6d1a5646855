"""What identity refuses."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, NotFound, Rejected, TooMany


class ClientNotFound(NotFound):
    """The tenant has no machine client with this id."""

    code = "client.not_found"
    sentence = "There is no such client."


class ClientRefused(Rejected):
    """The client's credentials are not those of any client that may ask for a token."""

    code = "client.refused"
    sentence = "The client or its secret is wrong."


class PermissionUnknown(Invalid):
    """A permission that Giftpad does not have."""

    code = "permission.unknown"
    sentence = "There is no permission called {permission}."


class RoleUnknown(Invalid):
    """A role that Giftpad does not have."""

    code = "role.unknown"
    sentence = "There is no role called {role}."


class RoleShopMismatch(Invalid):
    """A role of a shop without its shop, or a shop with a role that belongs to none."""

    code = "role.shop_mismatch"
    sentence = "The role {role} and the shop do not fit: only roles of a shop name one."


class LimitsInvalid(Invalid):
    """Limits of a client that nothing could be done with."""

    code = "client.limits_invalid"
    sentence = "A client's limits are whole numbers from 1 to {most}."


class NameUnfit(Invalid):
    """A name of a client or a person that shows nothing, or too much."""

    code = "name.unfit"
    sentence = "A name has 1 to {most} characters, no line breaks, and is not blank."


class EmailInvalid(Invalid):
    """A text that cannot be an e-mail address."""

    code = "person.email_invalid"
    sentence = "This is not an e-mail address."


class PasswordUnfit(Invalid):
    """A password that is too short to be safe or too long to be one."""

    code = "person.password_unfit"
    sentence = "A password has {least} to {most} characters."


class MemberExists(Conflict):
    """The person has this role in this tenant already."""

    code = "member.exists"
    sentence = "This person has this role already."


class KeyNotFound(NotFound):
    """No signing key has this key id."""

    code = "signing_key.not_found"
    sentence = "There is no such signing key."


class KeyTooYoung(Conflict):
    """The next key was published so recently that others may not have read it yet."""

    code = "signing_key.too_young"
    sentence = "The next key can be used from {ready_at}. Wait, or say --now if you must."


class TokenRefused(Rejected):
    """An access token that is not one of ours, or one no more; ``reason`` is for the log."""

    code = "token.refused"
    sentence = "The access token is missing, expired or not valid."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class SignInRefused(Rejected):
    """Address and password are not those of anybody here; which is wrong, nobody learns."""

    code = "sign_in.refused"
    sentence = "The e-mail address or the password is not right."


class SignInThrottled(TooMany):
    """Somebody tries too many passwords."""

    code = "sign_in.throttled"
    sentence = "Too many attempts to sign in. Try again in {retry_after_s} seconds."


class PasswordWrong(Rejected):
    """The present password was asked for, and this is not it."""

    code = "person.password_wrong"
    sentence = "This is not your present password."


class SessionOver(Rejected):
    """A session that has ended, or whose person may not be here any more."""

    code = "session.over"
    sentence = "You are not signed in any more."


class PersonNotFound(NotFound):
    """Nobody signs in with this address."""

    code = "person.not_found"
    sentence = "Nobody signs in with this address."


class PersonKnown(Conflict):
    """Somebody has an account with this address, and was not expected."""

    code = "person.known"
    sentence = "Somebody has an account with this address already."


class SessionNotFound(NotFound):
    """The person has no such session."""

    code = "session.not_found"
    sentence = "There is no such session."


class MemberNotFound(NotFound):
    """The tenant has no such member."""

    code = "member.not_found"
    sentence = "There is no such member."


class LastOwner(Conflict):
    """Without this owner nobody could manage the members any more."""

    code = "member.last_owner"
    sentence = "This is the only owner. Make somebody else an owner first."


class OwnRole(Conflict):
    """Nobody changes or ends their own membership."""

    code = "member.own_role"
    sentence = "You cannot change your own role. Ask another owner to do it."


class InvitationNotFound(NotFound):
    """No invitation that can be taken now; why not, nobody outside learns."""

    code = "invitation.not_found"
    sentence = "This invitation is not valid, or not any more. Ask for a new one."
