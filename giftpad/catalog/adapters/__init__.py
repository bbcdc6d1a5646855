"""The catalogue's wires: pictures, and the files products come in."""

from giftpad.catalog.adapters.archives import Upload, open_upload
from giftpad.catalog.adapters.pictures import (
    WIDTHS,
    DrawnPicture,
    bind_files,
    check_picture,
    draw_drawing,
    draw_picture,
    drop_picture,
    is_kept,
    keep_picture,
    list_kept_pictures,
    picture_id_of,
    read_picture,
)
from giftpad.catalog.adapters.uploads import drop_file, keep_file, list_files, open_file

__all__ = [
    "WIDTHS",
    "DrawnPicture",
    "Upload",
    "bind_files",
    "check_picture",
    "draw_drawing",
    "draw_picture",
    "drop_file",
    "drop_picture",
    "is_kept",
    "keep_file",
    "keep_picture",
    "list_files",
    "list_kept_pictures",
    "open_file",
    "open_upload",
    "picture_id_of",
    "read_picture",
]
