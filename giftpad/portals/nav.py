"""The side bar of the desks: the ways in, and who sees which."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from giftpad.kernel.i18n import mark


@dataclass(frozen=True, slots=True)
class NavItem:
    """One way in the side bar of the desk; seen by whoever has one of the permissions.

    A tenant without the ``feature`` has no such way.
    """

    key: str
    label: str
    endpoint: str
    icon: str
    permissions: frozenset[str]
    feature: str = ""
    """What the tenant must have switched on; empty where every tenant has it."""


NAV: tuple[NavItem, ...] = (
    NavItem("overview", mark("Overview"), "desk.overview", "home", frozenset()),
    NavItem(
        "programmes",
        mark("Programmes"),
        "desk_programmes.index",
        "list",
        frozenset({"programmes:read"}),
    ),
    NavItem(
        "batches", mark("Print runs"), "desk_batches.index", "printer", frozenset({"coupons:read"})
    ),
    NavItem(
        "coupons", mark("Coupons"), "desk_coupons.index", "ticket", frozenset({"coupons:read"})
    ),
    NavItem(
        "gifts",
        mark("Gifts"),
        "desk_gifts.index",
        "gift",
        frozenset({"gifts:read"}),
        feature="gifts",
    ),
    NavItem(
        "catalogue",
        mark("Catalogue"),
        "desk_catalogue.index",
        "book",
        frozenset({"catalog:read"}),
        feature="gifts",
    ),
    NavItem(
        "shops",
        mark("Member shops"),
        "desk_shops.index",
        "building-store",
        frozenset({"shops:read"}),
    ),
    NavItem(
        "payments", mark("Payments"), "desk_payments.index", "receipt", frozenset({"payments:read"})
    ),
    NavItem(
        "members", mark("Members"), "desk_members.index", "users", frozenset({"members:manage"})
    ),
    NavItem("audit", mark("Audit log"), "desk_audit.index", "history", frozenset({"audit:read"})),
)


OPERATOR_NAV: tuple[NavItem, ...] = (
    NavItem(
        "health",
        mark("Health"),
        "operator_health.index",
        "activity",
        frozenset({"operations:read"}),
    ),
    NavItem(
        "dead",
        mark("Given up"),
        "operator_dead.index",
        "refresh-alert",
        frozenset({"operations:read"}),
    ),
    NavItem(
        "orders",
        mark("Gift orders"),
        "operator_gifts.index",
        "gift",
        frozenset({"operations:read"}),
    ),
)


def ways_in(held: frozenset[str], features: frozenset[str]) -> list[dict[str, str]]:
    """Return the ways for somebody with these permissions, in a tenant with these features."""
    return [
        {"key": item.key, "label": item.label, "href": url_for(item.endpoint), "icon": item.icon}
        for item in (OPERATOR_NAV if "operations:read" in held else NAV)
        if (not item.permissions or item.permissions & held)
        and (not item.feature or item.feature in features)
    ]
