"""Finding pictures of products."""

from __future__ import annotations

from uuid import UUID

from giftpad.catalog.adapters import WIDTHS, read_picture
from giftpad.catalog.adapters.pictures import MEDIA_TYPE
from giftpad.catalog.rules.goods import Picture


def picture(tenant_id: UUID, picture_id: UUID, *, width: int = WIDTHS[0]) -> Picture:
    """Return a picture at one of our widths; it never changes, for its id is its content's.

    No transaction may be open, for the store may be slow.
    Raises: PictureNotFound.
    """
    return Picture(data=read_picture(tenant_id, picture_id, width), media_type=MEDIA_TYPE)
