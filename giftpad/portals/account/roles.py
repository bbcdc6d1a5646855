"""What roles are called, and what each lets somebody do, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
VISIT_NAMES: Mapping[str, str] = {
    "visitor": mark("visitor"),
    "visiting_viewer": mark("visiting viewer"),
}
ALL_NAMES: Mapping[str, str] = {**NAMES, **OPERATOR_NAMES, **VISIT_NAMES}
"""The words a state or a role is shown by everywhere: its code with blanks."""

PERMISSIONS: Mapping[str, str] = {
    "programmes:read": mark("see programmes and their rules"),
    "coupons:read": mark("see batches and coupons"),
    "coupons:issue": mark("order coupons"),
    "coupons:print": mark("take print files out"),
    "coupons:release": mark("release batches, so that they can be spent"),
    "coupons:block": mark("block and replace coupons"),
    "catalog:read": mark("see the catalogue"),
    "catalog:write": mark("change the catalogue"),
    "gifts:read": mark("see gift orders and what became of them"),
    "gifts:order": mark("prepare, submit and take back gift orders"),
    "gifts:approve": mark("approve gift orders, so that they are sent"),
    "gifts:support": mark("send gifts again, mend addresses, give more time, send parcels"),
    "shops:read": mark("see the shops"),
    "shops:write": mark("enrol shops and change them"),
    "payments:accept": mark("take payments"),
    "payments:refund": mark("give money back"),
    "payments:read": mark("see payments"),
    "members:manage": mark("invite members and change their roles"),
    "reports:read": mark("see the figures"),
    "audit:read": mark("see who did what"),
}
"""What each permission lets an app do for somebody, in words."""


def may_in_words(client: Iterable[str], person: Iterable[str]) -> list[str]:
    """Return what an app may do for somebody: what both may."""
    both = set(client) & set(person)
    return [words for name, words in PERMISSIONS.items() if name in both]


HELPS: Mapping[str, str] = {
    "owner": mark("Owner: everything on the desk, and the members."),
    "issuer": mark("Issuer: orders coupons and gifts, keeps the catalogue and the list of shops."),
    "approver": mark("Approver: releases and blocks coupons, approves gifts, sees everything."),
    "support": mark(
        "Support: answers questions, blocks coupons, helps with gifts, gives money back."
    ),
    "viewer": mark("Viewer: sees everything and changes nothing."),
    "counter": mark("Counter: finds coupons and blocks them."),
    "shop_owner": mark("Shop owner: takes payments and gives money back for one shop."),
    "clerk": mark("Clerk: takes payments for one shop."),
}
