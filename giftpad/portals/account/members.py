"""Members of the desk: who belongs, inviting by link, changing and ending roles.

Hides: how the link of an invitation is shown once and never again.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from giftpad import identity, shops
from giftpad.edge import (
    clear_cookie,
    current_caller,
    current_locale,
    current_scope,
    read_sealed_cookie,
    requires,
    set_sealed_cookie,
)
from giftpad.kernel.i18n import mark
from giftpad.kernel.work import unit_of_work
from giftpad.portals.account.roles import HELPS, NAMES
from giftpad.portals.forms import Choice, Form, Words, refused
from giftpad.portals.http import page, see_other

bp = Blueprint("desk_members", __name__, url_prefix="/desk/members")

LINK_COOKIE = "gp_link"
LINK_SHOWN_S = 300
NAME_MOST, EMAIL_MOST, NUMBER_MOST = 200, 254, 40
ROLE_CHOICES = [(role, HELPS[role]) for role in NAMES]

CHANGED = mark("The role is changed. They sign in again, and then have it.")
REMOVED = mark("The member is removed and signed out.")
VISIT_ENDED = mark("The visit is over. Whoever was here is out within half a minute.")
WITHDRAWN = mark("The invitation is withdrawn. Its link opens nothing any more.")
POLICY_CHANGED = mark(
    "It is saved. Whoever is signed in without a second step is asked for it within a quarter of an"
    " hour."
)
SHOP_NEEDED = mark("This role belongs to one shop. Type the number of the shop.")
SHOP_UNKNOWN = mark("There is no shop with this number.")
NO_SHOP = mark("This role belongs to no shop. Leave the number empty.")


class PolicyForm(Form):
    """Of whom a second step is asked."""

    second_step = Choice(
        mark("Who is asked for a second step"),
        [
            ("keepers", mark("Owners and approvers")),
            ("everyone", mark("Everyone who signs in with a password")),
        ],
    )


class RoleForm(Form):
    """A role, and the shop if it is a role of a shop."""

    role = Choice(mark("Role"), ROLE_CHOICES)
    shop = Words(mark("Number of the shop"), most=NUMBER_MOST, required=False)


class InviteForm(RoleForm):
    """Who is invited to which role."""

    name = Words(mark("Name"), most=NAME_MOST)
    email = Words(mark("E-mail address"), most=EMAIL_MOST, required=False)


def _shop_id(form: RoleForm) -> UUID | None:
    """Return the shop that the form names; a fault in the form if it does not fit the role."""
    number = form.shop.data or ""
    if form.role.data not in identity.SHOP_ROLES:
        if number:
            form.refuse("shop", NO_SHOP)
        return None
    if not number:
        form.refuse("shop", SHOP_NEEDED)
        return None
    with unit_of_work(current_scope()) as work:
        shop_id = shops.find_shop_id(work, number)
    if shop_id is None:
        form.refuse("shop", SHOP_UNKNOWN)
    return shop_id


def _shop_names(shop_ids: set[UUID]) -> dict[UUID, tuple[str, str]]:
    """Return number and name of shops by their ids, however many they are by one query."""
    with unit_of_work(current_scope()) as work:
        return shops.find_names(work, shop_ids)


@bp.get("")
@requires("members:manage")
def index() -> str:
    """List the members and the invitations that wait."""
    scope = current_scope()
    members = identity.list_members(scope)
    invitations = identity.list_invitations(scope)
    named = [each.shop_id for each in members] + [each.shop_id for each in invitations]
    return page(
        "issuer/members/index.html",
        nav_here="members",
        members=members,
        invitations=invitations,
        visits=identity.list_visits(scope),
        shops=_shop_names({shop_id for shop_id in named if shop_id is not None}),
        role_names=NAMES,
        policy_form=PolicyForm(second_step=identity.find_policy(scope.tenant_id)),
    )


@bp.post("/second-step")
@requires("members:manage", fresh=True)
def change_policy() -> Response:
    """Ask a second step of more people, or of fewer."""
    identity.set_policy(current_scope(), request.form.get("second_step", ""))
    return see_other("desk_members.index", say=POLICY_CHANGED)


@bp.get("/invite")
@requires("members:manage")
def invite_page() -> str:
    """Ask who shall be invited."""
    return _draw_invite(InviteForm())


def _draw_invite(form: InviteForm) -> str:
    return page("issuer/members/invite.html", nav_here="members", form=form)


@bp.post("/invite")
@requires("members:manage", fresh=True)
def invite() -> Response | tuple[str, int]:
    """Make an invitation, and show its link on the next page."""
    form = InviteForm(request.form)
    shop_id = _shop_id(form) if form.is_right() else None
    if form.faults:
        return _draw_invite(form), 422
    new = identity.NewInvitation(
        name=form.name.data, role=form.role.data, shop_id=shop_id, email=form.email.data
    )
    try:
        made = identity.invite(current_scope(), new, locale=current_locale())
    except identity.EmailInvalid as error:
        form.refuse("email", error.sentence)
        return _draw_invite(form), 422
    except identity.NameUnfit as error:
        form.refuse("name", error.sentence, **error.params)
        return _draw_invite(form), 422
    response = see_other("desk_members.invited")
    shown = {
        "code": made.code,
        "name": form.name.data,
        "email": form.email.data if made.is_mailed else "",
    }
    set_sealed_cookie(response, LINK_COOKIE, shown, LINK_SHOWN_S)
    return response


@bp.get("/invited")
@requires("members:manage")
def invited() -> Response:
    """Show the link of an invitation once: it is kept nowhere."""
    shown = read_sealed_cookie(LINK_COOKIE)
    if shown is None:
        return see_other("desk_members.index")
    try:
        invitation = identity.find_invitation(shown["code"])
    except identity.InvitationNotFound:  # withdrawn or taken meanwhile
        return see_other("desk_members.index")
    link = f"{identity.issuer().address}join/{shown['code']}"
    response = Response(
        page(
            "issuer/members/invited.html",
            nav_here="members",
            link=link,
            name=shown["name"],
            email=shown["email"],
            expires_at=invitation.expires_at,
        )
    )
    clear_cookie(response, LINK_COOKIE)
    return response


@bp.post("/invitations/<uuid:invitation_id>/withdraw")
@requires("members:manage")
def withdraw(invitation_id: UUID) -> Response:
    """Take an invitation back."""
    identity.revoke_invitation(current_scope(), invitation_id)
    return see_other("desk_members.index", say=WITHDRAWN)


@bp.post("/visits/<uuid:visit_id>/end")
@requires("members:manage")
def end_visit(visit_id: UUID) -> Response:
    """End the visit of an operator at once."""
    identity.end_visit(current_scope(), visit_id)
    return see_other("desk_members.index", say=VISIT_ENDED)


def _member(membership_id: UUID) -> identity.MemberView:
    for member in identity.list_members(current_scope()):
        if member.membership_id == membership_id:
            return member
    raise identity.MemberNotFound


def _draw(template: str, member: identity.MemberView, form: Form | None = None) -> str:
    person = current_caller().person
    values: dict[str, Any] = {
        "member": member,
        "is_oneself": person is not None and person.id == member.person_id,
        "role_names": NAMES,
        "form": form,
    }
    return page(f"issuer/members/{template}.html", nav_here="members", **values)


@bp.get("/<uuid:membership_id>/role")
@requires("members:manage")
def role_page(membership_id: UUID) -> str:
    """Ask which role a member shall have."""
    member = _member(membership_id)
    number = ""
    if member.shop_id is not None:
        number, _ = _shop_names({member.shop_id})[member.shop_id]
    return _draw("role", member, RoleForm(role=member.role, shop=number))


@bp.post("/<uuid:membership_id>/role")
@requires("members:manage", fresh=True)
def change_role(membership_id: UUID) -> Response | tuple[str, int]:
    """Give a member another role."""
    member = _member(membership_id)
    form = RoleForm(request.form)
    shop_id = _shop_id(form) if form.is_right() else None
    if form.faults:
        return _draw("role", member, form), 422
    try:
        identity.change_role(current_scope(), membership_id, form.role.data, shop_id)
    except (identity.OwnRole, identity.LastOwner, identity.MemberExists) as error:
        status = refused(form, error)
        return _draw("role", member, form), status
    return see_other("desk_members.index", say=CHANGED)


@bp.get("/<uuid:membership_id>/remove")
@requires("members:manage")
def remove_page(membership_id: UUID) -> str:
    """Say what will happen when a member is removed."""
    return _draw("remove", _member(membership_id), Form())


@bp.post("/<uuid:membership_id>/remove")
@requires("members:manage", fresh=True)
def remove(membership_id: UUID) -> Response | tuple[str, int]:
    """Take a member's role away."""
    form = Form(request.form)
    member = _member(membership_id)
    try:
        identity.remove_member(current_scope(), membership_id)
    except (identity.OwnRole, identity.LastOwner) as error:
        status = refused(form, error)
        return _draw("remove", member, form), status
    return see_other("desk_members.index", say=REMOVED)
