"""What identity refuses."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, Invalid, NotFound, Rejected, TooMany, Unavailable


class ClientNotFound(NotFound):
    """The tenant has no machine client with this id."""

    code = "client.not_found"
    sentence = "There is no such client."


class ClientRefused(Rejected):
    """The client's credentials are not those of any client that may ask for a token."""

    code = "client.refused"
    sentence = "The client or its secret is wrong."


class ClientUnfit(Invalid):
    """What a client is to be does not fit together."""

    code = "client.unfit"
    sentence = "This client cannot be: {reason}."


class ClientDisabled(Conflict):
    """A client that was stopped for good is to be changed."""

    code = "client.disabled"
    sentence = "This client is disabled and cannot be changed. Make a new one."


class AddressUnfit(Invalid):
    """An address that nobody may be sent to, or an origin that may not call."""

    code = "client.address_unfit"
    sentence = (
        "{address} cannot be used: say https, or http on this machine only, without # and *;"
        " an origin ends with its host or port."
    )


class AudienceUnfit(Invalid):
    """A name that no API of a tenant can have."""

    code = "client.audience_unfit"
    sentence = "{audience} cannot be the name of an API: say an address or a URN, and not ours."


class AudienceTaken(Conflict):
    """An API of this name belongs to another tenant, or writes its tokens otherwise."""

    code = "client.audience_taken"
    sentence = "There is an API called {audience} already, of somebody else or in another form."


class AuthorisationNotFound(NotFound):
    """The person has let no client do this, or no more."""

    code = "authorisation.not_found"
    sentence = "This app or device is signed out already."


class DeviceNotFound(NotFound):
    """No device waits with such a code."""

    code = "device.not_found"
    sentence = "No device waits with this code. Look at the device: it may show another by now."


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
    sentence = (
        "The role {role} and the shop do not fit: shop_owner and clerk need one, others have none."
    )


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


class IssuerAway(Unavailable):
    """The keys of a trusted issuer are not held and cannot be had now, so nobody can tell."""

    code = "issuer.unavailable"
    sentence = (
        "The access token cannot be checked right now, because its issuer does not answer."
        " Try again in a few seconds."
    )


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


class SecondStepMissing(Rejected):
    """A role that nobody takes by a password alone."""

    code = "sign_in.second_step_missing"
    sentence = "This role asks for a second step when you sign in."


class CodeWrong(Rejected):
    """Digits or a recovery code that are not good, or not any more."""

    code = "sign_in.code_wrong"
    sentence = "This code is not right, or has been used already. Type the one that shows now."


class AuthenticatorLocked(Rejected):
    """Too many digits in a row were wrong; somebody may be guessing."""

    code = "sign_in.authenticator_locked"
    sentence = (
        "Too many codes in a row were wrong, so codes of the app are not taken any more. Use a"
        " recovery code or a passkey, or ask whoever runs Giftpad for you."
    )


class PasskeyRefused(Rejected):
    """What a browser answered is of no passkey that we know, or not to what it was asked."""

    code = "sign_in.passkey_refused"
    sentence = "This passkey could not be used. Try once more, or use another way."


class FactorUnproved(Rejected):
    """A first second step, wanted by somebody whom only their organisation's provider vouches for.

    It would open their roles elsewhere, of which that provider knows nothing.
    """

    code = "factor.unproved"
    sentence = (
        "A second step is set up by whoever knows the password. Sign in with your e-mail address"
        " and password, and set it up then."
    )


class FactorNotFound(NotFound):
    """The person has no such second factor."""

    code = "factor.not_found"
    sentence = "This is removed already."


class FactorNeeded(Conflict):
    """The last second factor of somebody whose role asks for one."""

    code = "factor.needed"
    sentence = "Your role asks for a second step. Add another passkey or app first."


class ResetCodeWrong(Rejected):
    """Not the code that went to the address."""

    code = "reset.code_wrong"
    sentence = "This code is not right. You can try {left} more times."


class ResetOver(Rejected):
    """The code is too old, was used, or was guessed at too often."""

    code = "reset.over"
    sentence = "This code is not valid any more. Ask for a new one."


class PolicyUnknown(Invalid):
    """Nothing that a tenant can ask of its people."""

    code = "policy.unknown"
    sentence = "Choose of whom a second step is asked."


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


class VisitNotFound(NotFound):
    """Nobody visits the tenant so, or the tenant that was to be visited does not exist."""

    code = "visit.not_found"
    sentence = "There is no such visit."


class VisitUnfit(Invalid):
    """A reason that says too little or too much, or a time that cannot be chosen."""

    code = "visit.unfit"
    sentence = "Say why in {least} to {most} letters."


class VisitClosed(Conflict):
    """The tenant is suspended, so nobody is let in, and nobody visits."""

    code = "visit.closed"
    sentence = "This tenant is suspended, and nobody is let in."


class VisitTooNarrow(Conflict):
    """Something was wanted in a visit that only a role of one's own gives."""

    code = "visit.too_narrow"
    sentence = (
        "This is not done on a visit."
        " A visit is for looking, and for stopping what must be stopped."
    )


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


class ConnectionNotFound(NotFound):
    """The tenant has no such connection, or none that is in use."""

    code = "connection.not_found"
    sentence = "There is no such connection."


class ConnectionUnfit(Invalid):
    """What a connection is to be does not fit together."""

    code = "connection.unfit"
    sentence = "This connection cannot be: {reason}."


class ConnectionExists(Conflict):
    """The provider and the client are connected to the tenant, and would have two buttons."""

    code = "connection.exists"
    sentence = (
        "{issuer} is connected with this client id already, by the button {name}."
        " Disable that connection first, or say another client id."
    )


class ProviderUnfit(Invalid):
    """What a provider says of itself is not what a connection to it needs."""

    code = "connection.provider_unfit"
    sentence = "The provider cannot be used: {reason}."


class ProviderAway(Unavailable):
    """A tenant's provider does not answer, or nothing that can be read."""

    code = "connection.unavailable"
    sentence = (
        "The account you chose cannot be checked right now, because its service does not answer."
        " Try again in a minute, or sign in with your password."
    )


class FederationRefused(Rejected):
    """What came back from a tenant's provider proves nothing; ``reason`` is for the log."""

    code = "connection.refused"
    sentence = "That did not work. Please begin again."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class LinkMissing(Rejected):
    """Somebody is proved by a provider, and nobody here has linked that account."""

    code = "connection.not_linked"
    sentence = "This account is not linked to anybody here yet."


class LinkTaken(Conflict):
    """The account at the provider is linked already; to whom, nobody learns."""

    code = "connection.taken"
    sentence = "That account cannot be linked: it is in use already."


class LinkExists(Conflict):
    """The person has linked another account of this provider."""

    code = "connection.linked"
    sentence = "You have linked another account of this service. Remove that one first."


class LinkNotFound(NotFound):
    """The person has not linked an account of this provider."""

    code = "connection.link_not_found"
    sentence = "This account is not linked any more."
