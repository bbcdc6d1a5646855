"""The files products come in, sealed in the file store until they are taken."""

from __future__ import annotations

from uuid import UUID

from giftpad import tenancy
from giftpad.catalog.adapters.pictures import bound_files

_KIND = "catalog_import"


def _place(tenant_id: UUID, import_id: UUID) -> str:
    return f"{tenant_id}:file:{_KIND}:{import_id}"


def keep_file(tenant_id: UUID, import_id: UUID, data: bytes) -> None:
    """Keep the file of an import until the import is over."""
    sealed = tenancy.seal_bytes(tenant_id, _place(tenant_id, import_id), data)
    bound_files().write(tenant_id, _KIND, import_id, data=sealed)


def open_file(tenant_id: UUID, import_id: UUID) -> bytes:
    """Return the file of an import; FileNotFoundError if it is gone."""
    sealed = bound_files().read(tenant_id, _KIND, import_id)
    return tenancy.open_bytes(tenant_id, _place(tenant_id, import_id), sealed)


def drop_file(tenant_id: UUID, import_id: UUID) -> None:
    """Delete the file of an import; one that is gone already is no error."""
    bound_files().delete(tenant_id, _KIND, import_id)


def list_files(tenant_id: UUID) -> list[UUID]:
    """Return the imports of which a file is kept, whether or not they are on record."""
    return bound_files().list_ids(tenant_id, _KIND)
