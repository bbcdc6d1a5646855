"""What identity keeps, a table a class.

What exists once for the whole installation lies in the platform tenant; what somebody may do in
a tenant lies in that tenant.
"""

from giftpad.identity.models.authorisations import (
    AuthorisationRow,
    CodeRow,
    DeviceRow,
    RefreshTokenRow,
)
from giftpad.identity.models.clients import (
    ApiRow,
    ClientGrantRow,
    ClientRow,
    RevocationRow,
    SigningKeyRow,
)
from giftpad.identity.models.connections import (
    ConnectionRow,
    LinkRow,
)
from giftpad.identity.models.factors import (
    AuthenticatorRow,
    PasskeyRow,
    RecoveryCodeRow,
    ResetRow,
    UsedChallengeRow,
)
from giftpad.identity.models.people import (
    InvitationRow,
    MembershipRow,
    PersonRow,
    PolicyRow,
    SessionRow,
    VisitRow,
)

__all__ = [
    "ApiRow",
    "AuthenticatorRow",
    "AuthorisationRow",
    "ClientGrantRow",
    "ClientRow",
    "CodeRow",
    "ConnectionRow",
    "DeviceRow",
    "InvitationRow",
    "LinkRow",
    "MembershipRow",
    "PasskeyRow",
    "PersonRow",
    "PolicyRow",
    "RecoveryCodeRow",
    "RefreshTokenRow",
    "ResetRow",
    "RevocationRow",
    "SessionRow",
    "SigningKeyRow",
    "UsedChallengeRow",
    "VisitRow",
]
