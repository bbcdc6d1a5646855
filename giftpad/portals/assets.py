"""What pages load: built by Vite, named by its manifest, never fetched from elsewhere.

Hides: the manifest's form, hashed names, the drawings of the icons.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

MANIFEST = ".vite/manifest.json"
ICONS = "icons.json"
PREFIX = "/assets/"
PRELOADED_FONTS = ("fonts/core-400.woff2", "fonts/num-700.woff2")
_STYLES = {
    "outline": 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"'
    ' stroke-linejoin="round"',
    "filled": 'fill="currentColor"',
}


class NotBuilt(Exception):
    """The frontend has not been built, or lacks what a page asks for."""


class Assets:
    """The built frontend in a folder; it is read once, when the first page is drawn."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tags: dict[str, Markup] = {}

    @cached_property
    def _chunks(self) -> dict[str, dict[str, Any]]:
        return self._read(MANIFEST)

    @cached_property
    def _drawings(self) -> dict[str, dict[str, str]]:
        return self._read(ICONS)

    def _read(self, name: str) -> dict[str, Any]:
        path = self._folder / name
        try:
            read: dict[str, Any] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            message = f"{path} is missing: the frontend has not been built; run `make setup`"
            raise NotBuilt(message) from None
        return read

    def _chunk(self, key: str) -> dict[str, Any]:
        chunk = self._chunks.get(key)
        if chunk is None:
            message = f"{key} is not in the built frontend; run `make frontend`"
            raise NotBuilt(message)
        return chunk

    def url(self, name: str) -> str:
        """Return the address of one source file of the frontend, as it was built.

        Raises: NotBuilt.
        """
        return PREFIX + str(self._chunk(name)["file"])

    def tags(self, entry: str) -> Markup:
        """Return the tags of one entry: fonts, styles, then preloads, then the module.

        Raises: NotBuilt.
        """
        known = self._tags.get(entry)
        if known is None:
            known = self._tags[entry] = self._make_tags(f"ts/{entry}.ts")
        return known

    def files_of(self, entry: str) -> list[str]:
        """Return the addresses of all that an entry loads, its workers and fonts too.

        Raises: NotBuilt.
        """
        keys = self._walk(f"ts/{entry}.ts")
        files = [str(self._chunk(key)["file"]) for key in keys]
        for key in keys:
            files += [*self._chunk(key).get("css", ()), *self._chunk(key).get("assets", ())]
        return [PREFIX + file for file in dict.fromkeys(files)]

    def _walk(self, entry: str) -> list[str]:
        """Return an entry and all it imports, each once, the entry first."""
        seen: dict[str, None] = {}
        ahead = [entry]
        while ahead:
            key = ahead.pop(0)
            if key not in seen:
                seen[key] = None
                ahead += self._chunk(key).get("imports", ())
        return list(seen)

    def _make_tags(self, entry: str) -> Markup:
        keys = self._walk(entry)
        styles = dict.fromkeys(
            css for key in reversed(keys) for css in self._chunk(key).get("css", ())
        )
        lines = [
            f'<link rel="preload" as="font" type="font/woff2" href="{self.url(font)}" crossorigin>'
            for font in PRELOADED_FONTS
        ]
        lines += [f'<link rel="stylesheet" href="{PREFIX}{name}">' for name in styles]
        lines += [f'<link rel="modulepreload" href="{self.url(key)}">' for key in keys[1:]]
        lines.append(f'<script type="module" src="{self.url(entry)}"></script>')
        return Markup("\n".join(lines))  # noqa: S704 - built from our own manifest

    def icon_names(self) -> list[str]:
        """Return the names of all drawings.

        Raises: NotBuilt.
        """
        return sorted(self._drawings)

    def icon(self, name: str, size: int = 24) -> Markup:
        """Return one drawing to stand in the page; what it means is said beside it in words.

        Raises: NotBuilt.
        """
        drawing = self._drawings.get(name)
        if drawing is None:
            message = f"there is no icon {name!r}: add it to portals/frontend/icons.json"
            raise NotBuilt(message)
        return Markup(  # noqa: S704 - built from our own list
            f'<svg class="gp-icon" width="{size}" height="{size}" viewBox="0 0 24 24"'
            f' {_STYLES[drawing["kind"]]} aria-hidden="true" focusable="false">'
            f"{drawing['body']}</svg>"
        )
