"""What machines call: the API, its contract, tokens, health.

Knows: routes, schemas, status of success, idempotency keys, cursors, OpenAPI.
Hides: flask-smorest, how a cursor is written, how the contract is completed from the doors.
Does not know: what a coupon or a payment may do.
"""
