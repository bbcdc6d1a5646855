"""What roles are called, and what each lets somebody do, in words."""

from __future__ import annotations

from collections.abc import Mapping

from giftpad.kernel.i18n import mark

NAMES: Mapping[str, str] = {
    "owner": mark("owner"),
    "issuer": mark("issuer"),
    "approver": mark("approver"),
    "support": mark("support"),
    "viewer": mark("viewer"),
    "counter": mark("counter"),
    "shop_owner": mark("shop owner"),
    "clerk": mark("clerk"),
}
OPERATOR_NAMES: Mapping[str, str] = {
    "operator": mark("operator"),
    "operator_viewer": mark("operator viewer"),
}
ALL_NAMES: Mapping[str, str] = {**NAMES, **OPERATOR_NAMES}
"""The words a state or a role is shown by everywhere: its code with blanks."""

HELPS: Mapping[str, str] = {
    "owner": mark("Owner: everything on the desk, and the members."),
    "issuer": mark("Issuer: orders and prints coupons, keeps the list of shops."),
    "approver": mark("Approver: releases and blocks coupons, sees everything."),
    "support": mark("Support: answers questions, blocks coupons, gives money back."),
    "viewer": mark("Viewer: sees everything and changes nothing."),
    "counter": mark("Counter: finds coupons and blocks them."),
    "shop_owner": mark("Shop owner: takes payments and gives money back for one shop."),
    "clerk": mark("Clerk: takes payments for one shop."),
}
