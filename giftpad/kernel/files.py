"""Files: print volumes, exports and imports, in one store on any medium fsspec speaks.

Hides: fsspec.  A file is named ``<tenant>/<kind>/<id>``; what is secret is sealed by its owner
before it comes here, and nothing here is ever served by its path.
"""

from __future__ import annotations

import re
from typing import cast
from uuid import UUID

import fsspec  # type: ignore[import-untyped]  # it ships no types
from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # it ships no types

from giftpad.kernel.config import Settings

PART = ".part"
_IS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Ends the name of a file that is not whole yet."""


class FileStore:
    """The store of one installation."""

    def __init__(self, address: str) -> None:
        self._system, self._root = cast(
            "tuple[fsspec.AbstractFileSystem, str]", url_to_fs(address, auto_mkdir=True)
        )

    def _path(self, tenant_id: UUID, kind: str, file_id: UUID) -> str:
        assert kind.isidentifier()
        return f"{self._root}/{tenant_id}/{kind}/{file_id}"

    def write(self, tenant_id: UUID, kind: str, file_id: UUID, *, data: bytes) -> None:
        """Write a file whole; a reader sees the old content or the new, never a part."""
        path = self._path(tenant_id, kind, file_id)
        self._system.pipe_file(path + PART, data)
        self._system.mv(path + PART, path)

    def read(self, tenant_id: UUID, kind: str, file_id: UUID) -> bytes:
        """Return a file's content; FileNotFoundError if there is none."""
        return cast("bytes", self._system.cat_file(self._path(tenant_id, kind, file_id)))

    def delete(self, tenant_id: UUID, kind: str, file_id: UUID) -> None:
        """Delete a file, and what a writer that died left of it; one that is gone is no error."""
        path = self._path(tenant_id, kind, file_id)
        for each in (path, path + PART):
            if self._system.exists(each):
                self._system.rm_file(each)

    def exists(self, tenant_id: UUID, kind: str, file_id: UUID) -> bool:
        """Whether there is such a file."""
        return bool(self._system.exists(self._path(tenant_id, kind, file_id)))

    def list_ids(self, tenant_id: UUID, kind: str) -> list[UUID]:
        """Return the ids of all files of a kind, those a writer that died left half as well."""
        folder = self._path(tenant_id, kind, tenant_id).rpartition("/")[0]
        self._system.invalidate_cache(folder)
        try:
            paths = self._system.ls(folder, detail=False)
        except FileNotFoundError:
            return []
        names = {str(path).rpartition("/")[2].removesuffix(PART) for path in paths}
        return sorted(UUID(name) for name in names if _IS_ID.fullmatch(name))  # others are not ours


def open_files(settings: Settings) -> FileStore:
    """Open the file store that the settings name."""
    return FileStore(settings.files_address)
