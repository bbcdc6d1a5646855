"""The files shops come in, sealed in the file store: they hold names and telephone numbers."""

from __future__ import annotations

from uuid import UUID

from giftpad import tenancy
from giftpad.kernel.files import FileStore

_KIND = "shop_import"


class _Bound:
    """The file store this process works with."""

    files: FileStore | None = None


def bind_files(files: FileStore) -> None:
    """Give shops the file store of this process."""
    _Bound.files = files


def _files() -> FileStore:
    assert _Bound.files is not None, "shops.bind_files has not been called"
    return _Bound.files


def _place(tenant_id: UUID, import_id: UUID) -> str:
    return f"{tenant_id}:file:{_KIND}:{import_id}"


def keep_file(tenant_id: UUID, import_id: UUID, data: bytes) -> None:
    """Keep the file of an import until the import is over."""
    sealed = tenancy.seal_bytes(tenant_id, _place(tenant_id, import_id), data)
    _files().write(tenant_id, _KIND, import_id, data=sealed)


def open_file(tenant_id: UUID, import_id: UUID) -> bytes:
    """Return the file of an import."""
    sealed = _files().read(tenant_id, _KIND, import_id)
    return tenancy.open_bytes(tenant_id, _place(tenant_id, import_id), sealed)


def drop_file(tenant_id: UUID, import_id: UUID) -> None:
    """Delete the file of an import; one that is gone already is no error."""
    _files().delete(tenant_id, _KIND, import_id)


def list_files(tenant_id: UUID) -> list[UUID]:
    """Return the imports of which a file is kept, whether or not they are on record."""
    return _files().list_ids(tenant_id, _KIND)
