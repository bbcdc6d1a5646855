"""Entries of the audit log as people read them: what was done, to what, with which details.

Hides: the codes of actions and the names of their details.  An action that is not known here is
shown by its code, so nothing of the log is ever left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from giftpad import audit, payments
from giftpad.kernel.i18n import mark, state_words
from giftpad.portals.issuer.naming import Actors
from giftpad.portals.issuer.shop_forms import COLUMN_WORDS
from giftpad.portals.reasons import reason_in_words
from giftpad.portals.words import day, number, say_in_words, when, yen

FAMILIES: Mapping[str, str] = {
    "coupon_batch": mark("Print runs"),
    "coupon": mark("Coupons"),
    "gift_order": mark("Gift orders"),
    "gift": mark("Gifts"),
    "gift_claims": mark("Parcels"),
    "gift_claim": mark("Single parcels"),
    "gift_cards": mark("Printed cards"),
    "gift_invoice": mark("Invoices for gifts"),
    "gift_deposit": mark("Money paid in for gifts"),
    "payment": mark("Payments"),
    "shop": mark("Member shops"),
    "shop_import": mark("Lists of shops"),
    "catalog_import": mark("Lists of products"),
    "product": mark("Products"),
    "course": mark("Courses"),
    "member": mark("Members"),
    "invitation": mark("Invitations"),
    "session": mark("Sign-in"),
    "visit": mark("Visits of the operator"),
    "person": mark("Passwords"),
    "client": mark("Connected systems"),
    "authorisation": mark("Apps and devices"),
    "connection": mark("Accounts of the organisation"),
    "terminal": mark("Tablets of shops"),
    "till": mark("Tills"),
    "clerk": mark("Clerks with a PIN"),
    "message": mark("Mail and SMS"),
    "message_run": mark("Sending to many"),
    "message_suppression": mark("Addresses left alone"),
    "signing_key": mark("Keys for signing in"),
    "tenant": mark("Settings"),
    "event": mark("Messages inside Giftpad"),
}

ACTIONS: Mapping[str, str] = {
    "coupon_batch.ordered": mark("Ordered a print run"),
    "coupon_batch.released": mark("Released a print run"),
    "coupon_batch.reprinted": mark("Had a print run printed again"),
    "coupon_batch.pdf_downloaded": mark("Took a print file out"),
    "coupon_batch.page_previewed": mark("Looked at a page of a print run"),
    "coupon_batch.print_destroyed": mark("Destroyed the print files of a print run"),
    "coupon_batch.expired": mark("Wrote off what was left of a print run"),
    "coupon.blocked": mark("Blocked coupons"),
    "coupon.unblocked": mark("Unblocked coupons"),
    "coupon.replaced": mark("Replaced a coupon"),
    "gift_order.submitted": mark("Handed in a gift order"),
    "gift_order.withdrawn": mark("Took a gift order back"),
    "gift_order.sent_back": mark("Sent a gift order back"),
    "gift_order.approved": mark("Approved a gift order"),
    "gift_order.lapsed": mark("Nobody approved a gift order in time"),
    "gift_order.discarded": mark("Threw a draft of a gift order away"),
    "gift_order.stopped": mark("Sent no more gifts of an order"),
    "gift_order.reminded": mark("Reminded recipients"),
    "gift_order.rest_cancelled": mark("Took back unclaimed gifts"),
    "gift_order.report_taken": mark("Took a list of gifts away"),
    "gift_order.links_taken": mark("Took the links of gifts out"),
    "gift_order.codes_taken": mark("Took codes without names out"),
    "gift_order.redriven": mark("Started a gift order again"),
    "gift.cancelled": mark("Took a gift back"),
    "gift.extended": mark("Gave a gift more time"),
    "gift.resent": mark("Sent a gift again"),
    "gift.readdressed": mark("Sent a gift elsewhere"),
    "gift.link_shown": mark("Looked at the link of a gift"),
    "gift.card_replaced": mark("Replaced a card that was lost"),
    "gift.code_replaced": mark("Replaced a code that was lost"),
    "gift.passed_on": mark("Passed a gift on"),
    "gift.reopened": mark("Let somebody choose again"),
    "gift_claims.listed": mark("Took out a supplier's list"),
    "gift_claims.list_taken": mark("Fetched the file of a supplier's list"),
    "gift_claims.shipped": mark("Noted parcels as on their way"),
    "gift_claim.turned": mark("Noted what happened to a parcel"),
    "gift_invoice.drawn_up": mark("Drew up the invoice"),
    "gift_cards.taken": mark("Took cards out"),
    "gift_cards.printed_again": mark("Had cards printed again"),
    "gift_deposit.booked": mark("Booked money paid in for gifts"),
    "gift_deposit.reversed": mark("Took back money that was booked by mistake"),
    "payment.void": mark("Cancelled a payment"),
    "payment.refund": mark("Refunded a payment"),
    "shop.enrolled": mark("Added a shop"),
    "shop.facts_changed": mark("Changed the facts of a shop"),
    "shop.suspended": mark("Suspended a shop"),
    "shop.resumed": mark("Let a shop accept coupons again"),
    "shop.contact_changed": mark("Changed the contact of a shop"),
    "shop.contact_seen": mark("Looked at the contact of a shop"),
    "shop.branch_added": mark("Added a branch of a shop"),
    "shop.branch_closed": mark("Closed a branch of a shop"),
    "shop_import.ordered": mark("Sent a list of shops"),
    "shop_import.checked": mark("A list of shops was checked, nothing was taken in"),
    "shop_import.done": mark("A list of shops was taken in"),
    "shop_import.refused": mark("A list of shops was refused"),
    "catalog_import.ordered": mark("Sent a list of products"),
    "catalog_import.confirmed": mark("Had a list of products taken in"),
    "catalog_import.done": mark("A list of products was taken in"),
    "catalog_import.refused": mark("A list of products was refused"),
    "product.shown": mark("Offered a product"),
    "product.hidden": mark("Hid a product"),
    "product.stock_set": mark("Set the stock of a product"),
    "product.codes_added": mark("Added codes to a digital product"),
    "course.added": mark("Made a course"),
    "course.changed": mark("Changed a course"),
    "course.filled": mark("Chose the products of a course"),
    "member.added": mark("Added a member"),
    "member.invited": mark("Invited a member"),
    "member.joined": mark("Joined by an invitation"),
    "member.role_changed": mark("Changed the role of a member"),
    "member.removed": mark("Removed a member"),
    "invitation.revoked": mark("Withdrew an invitation"),
    "session.opened": mark("Signed in"),
    "session.ended": mark("Signed out"),
    "session.revoked": mark("Ended a sign-in"),
    "visit.began": mark("Entered as the operator of this installation"),
    "visit.ended": mark("The visit of the operator is over"),
    "person.password_changed": mark("Changed the password"),
    "person.password_reset": mark("Gave a new password"),
    "person.authenticator_added": mark("Set up an authenticator app"),
    "person.authenticator_removed": mark("Removed the authenticator app"),
    "person.authenticator_locked": mark("Codes of an app were wrong too often in a row"),
    "person.passkey_added": mark("Added a passkey"),
    "person.passkey_removed": mark("Removed a passkey"),
    "person.recovery_code_used": mark("Used a recovery code"),
    "person.recovery_codes_renewed": mark("Made a new sheet of recovery codes"),
    "person.factors_reset": mark("Took all second steps away"),
    "tenant.second_step_changed": mark("Changed who is asked for a second step"),
    "client.created": mark("Registered a machine"),
    "client.changed": mark("Changed an app or a machine"),
    "client.disabled": mark("Shut a machine out"),
    "authorisation.granted": mark("Let an app or a device act for them"),
    "authorisation.ended": mark("An app or a device acts for them no more"),
    "connection.created": mark("Connected the organisation's accounts"),
    "connection.renewed": mark("Took over new addresses of the organisation's accounts"),
    "connection.secret_changed": mark("Changed the secret for the organisation's accounts"),
    "connection.disabled": mark("Let nobody in by the organisation's accounts any more"),
    "connection.linked": mark("Linked an account of the organisation"),
    "connection.unlinked": mark("Removed the link to an account of the organisation"),
    "terminal.paired": mark("Connected a tablet to a shop"),
    "terminal.renamed": mark("Renamed a tablet"),
    "terminal.ended": mark("Shut a tablet out"),
    "till.opened": mark("Opened a till"),
    "till.locked": mark("Locked a till"),
    "till.pin_asked": mark("Had the tablets of a shop ask for a PIN"),
    "till.pin_not_asked": mark("Had the tablets of a shop open without a PIN"),
    "clerk.added": mark("Added a clerk with a PIN"),
    "clerk.pin_set": mark("Gave a clerk another PIN"),
    "clerk.locked": mark("A clerk's name was locked after wrong PINs"),
    "clerk.unlocked": mark("Unlocked a clerk's name"),
    "clerk.removed": mark("Removed a clerk with a PIN"),
    "message.retried": mark("Had a message sent again"),
    "message_run.paused": mark("Paused a run of messages"),
    "message_run.resumed": mark("Resumed a run of messages"),
    "message_suppression.lifted": mark("Let messages go to an address again"),
    "signing_key.rotated": mark("Changed the signing key"),
    "signing_key.revoked": mark("Revoked a signing key"),
    "tenant.pack_applied": mark("Applied the settings"),
    "event.redriven": mark("Sent deliveries again"),
}

DETAILS: Mapping[str, str] = {
    "quantity": mark("Number of coupons"),
    "face_value_minor": mark("Value of one coupon"),
    "amount_minor": mark("Amount"),
    "total_minor": mark("Amount"),
    "template": mark("Print template"),
    "programme_id": mark("Programme"),
    "volume": mark("Volume"),
    "page": mark("Page"),
    "sha256": mark("Check sum of the file"),
    "to": mark("Up to"),
    "by": mark("Replaced by"),
    "first": mark("From number"),
    "last": mark("Up to number"),
    "count": mark("How many"),
    "role": mark("Role"),
    "was": mark("Before"),
    "now": mark("Now"),
    "session": mark("Sign-in"),
    "sessions": mark("Sign-ins that were ended"),
    "shop_id": mark("Member shop"),
    "branch_id": mark("Branch"),
    "number": mark("Number"),
    "fields": mark("Changed"),
    "starts_at": mark("From"),
    "ends_at": mark("Until"),
    "ended_at": mark("Over since"),
    "visit": mark("Visit"),
    "size": mark("Size in bytes"),
    "is_partial": mark("Right lines only"),
    "is_dry": mark("To be checked only"),
    "good": mark("Right lines"),
    "bad": mark("Wrong lines"),
    "fault": mark("Errors"),
    "enrolled": mark("Added"),
    "changed": mark("Changed"),
    "changed_shops": mark("Numbers of the first changed shops"),
    "unchanged": mark("Unchanged"),
    "permissions": mark("Rights"),
    "issuer": mark("Service of the accounts"),
    "connection": mark("Connection"),
    "slug": mark("Short name"),
    "pack_hash": mark("Check sum of the settings"),
    "changes": mark("Changes"),
    "supplier": mark("Supplier"),
    "claim": mark("Claim"),
    "claim_by": mark("Last day to claim a gift"),
    "channel": mark("Way of sending"),
    "new_link": mark("Another link"),
    "same_person": mark("To the same person"),
    "gifts": mark("Number of gifts"),
    "selection": mark("Which gifts"),
    "kind": mark("Kind"),
    "reference": mark("Reference"),
    "needs_approval": mark("Needs approval"),
    "files": mark("Files"),
    "cards": mark("Printed cards"),
    "code": mark("Code"),
    "stock": mark("Left"),
    "daily_limit": mark("At most a day"),
    "added": mark("Added"),
    "known": mark("Known already"),
    "products": mark("Products"),
    "picture": mark("Pictures"),
    "reason": mark("Reason"),
}

CODES = frozenset({"session", "visit", "sha256", "pack_hash", "connection"})
"""Details that tell a person nothing; they stand in the list that is taken away."""
ENGLISH = frozenset({"changes", "template"})
"""Details that are written down in English, whatever the reader's language."""
FLAGS = frozenset({"is_dry", "is_partial", "needs_approval", "same_person"})
"""Details that are worth a word only where they hold."""

YES, NO = mark("Yes"), mark("No")
FIELDS: Mapping[str, str] = COLUMN_WORDS | {
    "name": mark("Name"),
    "code": mark("Code"),
    "names": mark("Name"),
    "ends_on": mark("Until which day"),
    "price_minor": mark("Price"),
    "redirect_uris": mark("Addresses after signing in"),
    "logout_uris": mark("Addresses after signing out"),
    "origins": mark("Addresses of its scripts"),
    "secret": mark("Secret"),
}
"""What was changed of a shop, a course or a client."""

WORDS = frozenset({"role", "was", "now", "selection"})
"""Details whose value is a word of ours, such as a role or a state."""

PLACES: Mapping[str, tuple[str, str]] = {
    "coupon_batch": (mark("Print run"), "/desk/batches/"),
    "coupon": (mark("Coupon"), "/desk/coupons/"),
    "payment": (mark("Payment"), "/desk/payments/"),
    "shop": (mark("Member shop"), "/desk/shops/"),
    "gift_order": (mark("Gift order"), "/desk/gifts/"),
    "gift": (mark("Gift"), "/desk/gifts/one/"),
    "product": (mark("Product"), "/desk/catalogue/"),
    "course": (mark("Course"), "/desk/catalogue/courses/"),
}
"""What a subject is called, and where it is looked at."""


class Fact(NamedTuple):
    """One detail of an entry; ``is_code`` marks what is no sentence in the reader's language."""

    label: str
    value: str
    is_code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One entry of the log in words; ``what`` is empty if only its ``action`` is known.

    ``codes`` are details that only a machine compares.
    """

    seq: int
    at: datetime
    who: str
    action: str
    what: str
    subject: str
    href: str
    facts: tuple[Fact, ...]
    codes: tuple[Fact, ...]

    @property
    def details(self) -> str:
        """All its details in one line."""
        return "; ".join(f"{fact.label}: {fact.value}" for fact in (*self.facts, *self.codes))


def ids_in(texts: Iterable[object]) -> list[UUID]:
    """Return those of some texts that are ids."""
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(UUID(str(text)))
    return found


def describe(
    entries: Iterable[audit.Entry], actors: Actors, names: Mapping[str, str]
) -> list[Deed]:
    """Put entries into words; ``names`` are those of programmes, shops and print runs by id."""
    return [_describe(entry, actors, names) for entry in entries]


def _describe(entry: audit.Entry, actors: Actors, names: Mapping[str, str]) -> Deed:
    subject, href = _subject(entry.subject, actors, names)
    details = _told(entry)
    codes = {key: value for key, value in details.items() if key in CODES}
    shown = {key: value for key, value in details.items() if key not in CODES}
    return Deed(
        seq=entry.seq,
        at=entry.at,
        who=_who(entry, actors),
        action=entry.action,
        what=say_in_words(ACTIONS[entry.action]) if entry.action in ACTIONS else "",
        subject=subject,
        href=href,
        facts=tuple(_facts(shown, names)),
        codes=tuple(_facts(codes, names)),
    )


def _is_about(actor: Mapping[str, Any], subject: str) -> bool:
    return subject == f"{actor.get('kind')}:{actor.get('id')}"


def _who(entry: audit.Entry, actors: Actors) -> str:
    """Return who did it; whoever did it on a visit does not belong here."""
    name = actors.name(entry.actor)
    is_by_owner = entry.action == "visit.ended" and not _is_about(entry.actor, entry.subject)
    if "visit" in entry.details and not is_by_owner:
        return say_in_words(mark("{name}, the operator of this installation"), name=name)
    return name


def _told(entry: audit.Entry) -> dict[str, Any]:
    """Return the details that say more than their entry says without them."""
    details = {key: value for key, value in entry.details.items() if value or key not in FLAGS}
    if details.get("count") == 1 and entry.subject == f"coupon:{details.get('to')}":
        del details["count"], details["to"]
    return details


def _subject(subject: str, actors: Actors, names: Mapping[str, str]) -> tuple[str, str]:
    kind, _, subject_id = subject.partition(":")
    if kind == "person":
        return actors.name({"kind": kind, "id": subject_id}), ""
    if kind == "client":
        return actors.machines.get(subject_id, subject_id), ""
    if kind not in PLACES:
        return "", ""
    word, folder = PLACES[kind]
    own = subject_id if kind == "coupon" else names.get(subject_id, "")
    if kind == "payment":
        own = next(map(payments.receipt_number, ids_in([subject_id])), "")
    return f"{say_in_words(word)} {own}".strip(), folder + subject_id


def _facts(details: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[Fact]:
    known = list(DETAILS)
    # The database keeps them by the length of their names; people read them in the order of ours.
    for key in sorted(details, key=lambda key: known.index(key) if key in known else len(known)):
        value = details[key]
        if value in (None, "", [], {}):
            continue
        label = say_in_words(DETAILS[key]) if key in DETAILS else key.replace("_", " ")
        name = names.get(str(value)) if key.endswith("_id") else None
        yield Fact(label, name or _shown(key, value), is_code=key in ENGLISH)


def _shown(key: str, value: object) -> str:
    if isinstance(value, bool):
        return say_in_words(YES if value else NO)
    if isinstance(value, int):
        return yen(value) if key.endswith("_minor") else number(value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {part}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return _listed(key, value)
    return _text(key, str(value))


def _listed(key: str, values: Sequence[object]) -> str:
    if key == "sessions":
        return number(len(values))
    parts = [str(value) for value in values]
    if key == "fields":
        parts = [say_in_words(FIELDS[part]) if part in FIELDS else part for part in parts]
    return ", ".join(parts)


def _text(key: str, text: str) -> str:
    if key == "reason":
        return reason_in_words(text)
    if key in WORDS:
        return say_in_words(state_words(text))
    if key == "claim_by":
        return _day(text)
    return _instant(text) if key.endswith("_at") else text


def _day(text: str) -> str:
    try:
        return day(text)
    except ValueError:
        return text


def _instant(text: str) -> str:
    try:
        return when(datetime.fromisoformat(text))
    except ValueError:
        return text
