"""What identity meets outside the database: other issuers and their keys, providers, passkeys."""

from giftpad.identity.adapters.calls import OutsideUnread
from giftpad.identity.adapters.key_sets import PublicKey, parse_key_set, read_key_set
from giftpad.identity.adapters.providers import (
    Provider,
    Redemption,
    bind_inner_hosts,
    end_of_call,
    pick_key,
    read_keys,
    read_provider,
    redeem_code,
)
from giftpad.identity.adapters.soft_passkey import (
    answer_soft_passkey,
    new_soft_passkey,
    present_soft_passkey,
)
from giftpad.identity.adapters.trusted_issuers import TrustedIssuer, read_trusted_issuers

__all__ = [
    "OutsideUnread",
    "Provider",
    "PublicKey",
    "Redemption",
    "TrustedIssuer",
    "answer_soft_passkey",
    "bind_inner_hosts",
    "end_of_call",
    "new_soft_passkey",
    "parse_key_set",
    "pick_key",
    "present_soft_passkey",
    "read_key_set",
    "read_keys",
    "read_provider",
    "read_trusted_issuers",
    "redeem_code",
]
