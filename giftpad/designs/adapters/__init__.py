"""The folder of the designs, and the renderer of their pictures."""

from giftpad.designs.adapters.folders import DESIGNS_DIR, read_art, read_folder
from giftpad.designs.adapters.renderer import render_png

__all__ = ["DESIGNS_DIR", "read_art", "read_folder", "render_png"]
