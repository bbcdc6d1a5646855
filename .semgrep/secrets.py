"""What the rules of secrets.yml find, and what they leave alone."""

import hashlib
import hmac
import random
import secrets

from joserfc import jwt


def prove(given, expected_mac, log, code, response, text, key):
    # ruleid: secret-compared-symbol-by-symbol
    if expected_mac == given:
        return True
    # ok: secret-compared-symbol-by-symbol
    if hmac.compare_digest(expected_mac, given):
        return True
    # ruleid: chance-that-can-be-foretold
    random.randint(0, 9)
    # ok: chance-that-can-be-foretold
    secrets.randbelow(10)
    # ruleid: hash-that-is-broken
    hashlib.md5(text)
    # ok: hash-that-is-broken
    hashlib.sha256(text)
    # ruleid: secret-in-the-log
    log.info("paid", code=code)
    # ok: secret-in-the-log
    log.info("paid", payment_id=key)
    # ruleid: token-of-any-kind
    jwt.decode(text, key)
    # ok: token-of-any-kind
    jwt.decode(text, key, algorithms=["RS256"])
    # ruleid: cookie-open-to-scripts
    response.set_cookie("a", "b")
    # ok: cookie-open-to-scripts
    response.set_cookie("a", "b", httponly=True, samesite="Lax")
    return False
