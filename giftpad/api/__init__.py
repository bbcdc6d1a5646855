"""What machines call: the API, its contract, tokens, receipts of providers, health.

Knows: routes, schemas, status of success, idempotency keys, cursors, OpenAPI.
Hides: flask-smorest, how a cursor is written, how the contract is completed from the doors.
Does not know: what a coupon or a payment may do.
"""

from giftpad.api.contract import contract_of, init_contract
from giftpad.api.health import init_health
from giftpad.api.hooks import init_hooks
from giftpad.api.http import init_api
from giftpad.api.oidc import init_oidc

__all__ = ["contract_of", "init_api", "init_contract", "init_health", "init_hooks", "init_oidc"]
