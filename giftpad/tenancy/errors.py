"""What tenancy refuses."""

from __future__ import annotations

from giftpad.kernel.errors import Conflict, NotFound


class TenantNotFound(NotFound):
    """No tenant has this id, slug, tag or organisation."""

    code = "tenant.not_found"
    sentence = "There is no such organisation."


class RingFull(Conflict):
    """All 32 key numbers of a tenant are in use; paper that is over must give one back first."""

    code = "ring_key.ring_full"
    sentence = "All 32 keys of this organisation are in use. Remove a key whose paper has expired."


class TenantFixed(Conflict):
    """A pack would change what the past of its tenant depends on."""

    code = "tenant.fixed"
    sentence = "The {name} of a tenant cannot change from {old} to {new}. Open a new tenant."
