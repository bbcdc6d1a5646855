"""The folder a pack is read from."""

from giftpad.tenancy.adapters.folders import list_packs, load_pack, read_folder

__all__ = ["list_packs", "load_pack", "read_folder"]
