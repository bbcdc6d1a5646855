"""Pictures of products: drawn anew at our widths, kept in the file store under their content.

Hides: Pillow, the formats it reads, its limits.  What was uploaded is never served: whatever a
file carries beside the picture, places and names of cameras too, ends here.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass, field, replace
from uuid import NAMESPACE_OID, UUID, uuid5

import resvg_py
from PIL import Image, ImageOps, UnidentifiedImageError

from giftpad.catalog.errors import PictureNotFound, PictureUnfit
from giftpad.kernel.files import FileStore

WIDTHS = (360, 960)
"""Widths in pixels at which a picture is kept; one that is smaller keeps its own."""

MEDIA_TYPE = "image/webp"
SIZE_MAX = 10 * 1024 * 1024
PIXELS_MAX = 12_000_000
"""What a telephone takes; drawing costs some 20 bytes a pixel, whatever the file weighs."""
HEIGHT_RATIO_MAX = 3
"""How often the width may fit into the height, and the other way round."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITY = 80
_MEGABYTE = 1024 * 1024


class _Bound:
    """The file store this process works with."""

    files: FileStore | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPicture:
    """A picture at our widths, ready to be kept; its id comes from what was handed in."""

    id: UUID
    by_width: dict[int, bytes] = field(repr=False)


def bind_files(files: FileStore) -> None:
    """Give the catalogue the file store of this process."""
    _Bound.files = files


def bound_files() -> FileStore:
    """Return the file store of this process."""
    assert _Bound.files is not None, "catalog.bind_files has not been called"
    return _Bound.files


def picture_id_of(data: bytes) -> UUID:
    """Return the id of a picture: the same for the same bytes, so that it is kept once."""
    return uuid5(NAMESPACE_OID, f"giftpad picture {hashlib.sha256(data).hexdigest()}")


def check_picture(name: str, data: bytes) -> None:
    """Tell whether an uploaded picture can be drawn, without drawing it at our widths.

    Raises: PictureUnfit.
    """
    _read(name, data)


def draw_picture(name: str, data: bytes) -> DrawnPicture:
    """Draw an uploaded picture anew at our widths.

    Raises: PictureUnfit.
    """
    plain = _read(name, data)
    by_width = {width: _at_width(plain, width) for width in WIDTHS}
    return DrawnPicture(id=picture_id_of(data), by_width=by_width)


def draw_drawing(svg: bytes) -> DrawnPicture:
    """Draw an SVG of a reviewed pack; nothing that was uploaded comes here.

    Raises: PictureUnfit.
    """
    noun = "SVG"
    try:
        png = resvg_py.svg_to_bytes(
            svg_string=svg.decode(), width=WIDTHS[-1], skip_system_fonts=True
        )
    except ValueError as error:
        raise _unfit(noun) from error
    return replace(draw_picture(noun, png), id=picture_id_of(svg))


def is_kept(tenant_id: UUID, picture_id: UUID) -> bool:
    """Whether a picture lies in the store at all its widths."""
    return all(bound_files().exists(tenant_id, _kind(width), picture_id) for width in WIDTHS)


def _read(name: str, data: bytes) -> Image.Image:
    """Read a picture upright and without what is transparent."""
    if not data or len(data) > SIZE_MAX:
        raise _unfit(name)
    try:
        with warnings.catch_warnings():
            # Pillow warns of a bomb below twice its limit; ours is lower, and is a refusal.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
                if not _is_fit(*opened.size):
                    raise _unfit(name)
                return _flatten(ImageOps.exif_transpose(opened))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise _unfit(name) from error
    except (SyntaxError, EOFError, IndexError, TypeError) as error:  # how its readers give up
        raise _unfit(name) from error


def _unfit(name: str) -> PictureUnfit:
    return PictureUnfit(name=name, most_mb=SIZE_MAX // _MEGABYTE)


def _is_fit(width: int, height: int) -> bool:
    return (
        0 < width * height <= PIXELS_MAX
        and width <= HEIGHT_RATIO_MAX * height
        and height <= HEIGHT_RATIO_MAX * width
    )


def _flatten(picture: Image.Image) -> Image.Image:
    """Put a picture on white: what is transparent would be black on a dark page."""
    rgba = picture.convert("RGBA")
    ground = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(ground, rgba).convert("RGB")


def _at_width(picture: Image.Image, width: int) -> bytes:
    shown = picture
    if picture.width > width:
        height = max(1, round(picture.height * width / picture.width))
        shown = picture.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    shown.save(out, "WEBP", quality=_QUALITY, method=4)
    return out.getvalue()


def _kind(width: int) -> str:
    return f"catalog_picture_{width}"


def keep_picture(tenant_id: UUID, drawn: DrawnPicture) -> None:
    """Keep a picture at all its widths; one that is kept already is written again."""
    for width, data in drawn.by_width.items():
        bound_files().write(tenant_id, _kind(width), drawn.id, data=data)


def read_picture(tenant_id: UUID, picture_id: UUID, width: int) -> bytes:
    """Return a picture at one of our widths.

    Raises: PictureNotFound.
    """
    if width not in WIDTHS:
        raise PictureNotFound
    try:
        return bound_files().read(tenant_id, _kind(width), picture_id)
    except FileNotFoundError as error:
        raise PictureNotFound from error


def drop_picture(tenant_id: UUID, picture_id: UUID) -> None:
    """Delete a picture; one that is gone already is no error."""
    for width in WIDTHS:
        bound_files().delete(tenant_id, _kind(width), picture_id)


def list_kept_pictures(tenant_id: UUID) -> list[UUID]:
    """Return the pictures that lie in the store, whether or not they are on record."""
    return sorted(
        {each for width in WIDTHS for each in bound_files().list_ids(tenant_id, _kind(width))}
    )
