"""The catalogue's wires: pictures, and the files products come in."""

from giftpad.catalog.adapters.pictures import (
    WIDTHS,
    DrawnPicture,
    bind_files,
    draw_picture,
    drop_picture,
    keep_picture,
    list_kept_pictures,
    picture_id_of,
    read_picture,
)

__all__ = [
    "WIDTHS",
    "DrawnPicture",
    "bind_files",
    "draw_picture",
    "drop_picture",
    "keep_picture",
    "list_kept_pictures",
    "picture_id_of",
    "read_picture",
]
