"""From a drawing to a picture.  Hides: resvg."""

from __future__ import annotations

import resvg_py


def render_png(svg: str, width_px: int) -> bytes:
    """Return a drawing as PNG; its height follows."""
    # No drawing holds text, so that no typeface of this machine is looked for.
    return resvg_py.svg_to_bytes(svg_string=svg, width=width_px, skip_system_fonts=True)
