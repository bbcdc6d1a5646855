"""A tenant's looks: its colours as one small style sheet, its mark as one drawing.

Hides: that the addresses change with what they lead to, so that browsers may keep it for ever.
"""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, url_for
from werkzeug.exceptions import NotFound

from giftpad import edge, tenancy

HASH_LENGTH = 12
KEPT = "public, max-age=31536000, immutable"

bp = Blueprint("theme", __name__)


def theme_href(tenant: tenancy.Tenant | None) -> str | None:
    """Return the address of a tenant's colours, or None where the house's own are in force."""
    if tenant is None or not tenant.theme:
        return None
    return url_for("theme.show_colours", slug=tenant.slug, mark=tenancy.theme_hash(tenant))


def logo_href(tenant: tenancy.Tenant | None) -> str | None:
    """Return the address of a tenant's mark, or None if it has none."""
    logo = tenancy.find_logo(tenant.id) if tenant is not None else None
    if tenant is None or logo is None:
        return None
    return url_for("theme.show_logo", slug=tenant.slug, mark=_logo_hash(logo))


def _logo_hash(logo: str) -> str:
    return hashlib.sha256(logo.encode()).hexdigest()[:HASH_LENGTH]


@bp.get("/theme/<slug>-<string(length=12):mark>.css")
@edge.public("colours are part of every page")
def show_colours(slug: str, mark: str) -> Response:
    """Return a tenant's colours; the address of older colours is not known any more."""
    tenant = tenancy.find_tenant_by_slug(slug)
    if tenant is None or not tenant.theme or tenancy.theme_hash(tenant) != mark:
        raise NotFound
    return _kept(Response(tenancy.theme_css(tenant), mimetype="text/css"))


@bp.get("/theme/<slug>-<string(length=12):mark>.svg")
@edge.public("the mark is part of every page")
def show_logo(slug: str, mark: str) -> Response:
    """Return a tenant's mark, which was checked to be a drawing and nothing else."""
    tenant = tenancy.find_tenant_by_slug(slug)
    logo = tenancy.find_logo(tenant.id) if tenant is not None else None
    if logo is None or _logo_hash(logo) != mark:
        raise NotFound
    return _kept(Response(logo, mimetype="image/svg+xml"))


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = KEPT
    return response
