"""What a gift's design adds to a page: its picture, and its colours as one small style sheet.

Hides: that the addresses change with what they lead to, so that browsers may keep it for ever.
"""

from __future__ import annotations

from flask import Blueprint, Response, url_for
from werkzeug.exceptions import NotFound

from giftpad import designs, edge
from giftpad.portals.theme import KEPT

DESIGN = "a design is part of every letter; it says nothing of anybody"

bp = Blueprint("gift_designs", __name__)


def art_href(design: designs.Design) -> str:
    """Return the address of a design's picture."""
    return url_for("gift_designs.show_art", name=design.name, mark=design.art_hash)


def colours_href(design: designs.Design) -> str:
    """Return the address of a design's colours, which hold below ``data-design="name"``."""
    return url_for("gift_designs.show_colours", name=design.name, mark=design.art_hash)


@bp.get("/gift-designs/<name>-<string(length=12):mark>.svg")
@edge.public(DESIGN)
def show_art(name: str, mark: str) -> Response:
    """Return the picture of a design, which was checked to be a drawing and nothing else."""
    _find(name, mark)
    return _kept(Response(designs.art_svg(name), mimetype="image/svg+xml"))


@bp.get("/gift-designs/<name>-<string(length=12):mark>.css")
@edge.public(DESIGN)
def show_colours(name: str, mark: str) -> Response:
    """Return the colours of a design."""
    design = _find(name, mark)
    colours = {
        "paper": design.paper,
        "ink": design.ink,
        "band": design.band,
        "accent": design.accent,
    }
    said = ";".join(f"--letter-{role}:{colour}" for role, colour in colours.items())
    css = f'[data-design="{design.name}"]{{{said}}}\n'
    return _kept(Response(css, mimetype="text/css"))


def _find(name: str, mark: str) -> designs.Design:
    """Return the design that an address names; what it was before is not known any more."""
    try:
        design = designs.get_design(name)
    except designs.DesignNotFound:
        raise NotFound from None
    if design.art_hash != mark:
        raise NotFound
    return design


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = KEPT
    return response
