"""Pictures of products, for the desk and for whoever chooses a gift.

Hides: that an address holds its content's id, so that a browser never asks for one twice.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, url_for
from werkzeug.exceptions import NotFound

from giftpad import catalog, edge, tenancy

bp = Blueprint("pictures", __name__)

KEPT = "public, max-age=31536000, immutable"
SMALL, LARGE = catalog.WIDTHS


def picture_href(tenant: tenancy.Tenant, picture_id: UUID, width: int = SMALL) -> str:
    """Return the address of a picture at one of the widths it is kept at."""
    return url_for("pictures.show", slug=tenant.slug, picture_id=picture_id, width=width)


@bp.get("/pictures/<slug>/<uuid:picture_id>-<int:width>.webp")
@edge.public("only who was shown a picture knows its address, and what is given is no secret")
def show(slug: str, picture_id: UUID, width: int) -> Response:
    """Return a picture; what has this address never changes."""
    tenant = tenancy.find_tenant_by_slug(slug)
    if tenant is None:
        raise NotFound
    found = catalog.picture(tenant.id, picture_id, width=width)
    response = Response(found.data, content_type=found.media_type)
    response.headers["Cache-Control"] = KEPT
    return response
