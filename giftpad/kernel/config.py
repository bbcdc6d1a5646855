"""Every setting of a Giftpad process, read once from the environment.

Hides: the names of environment variables.  An unknown ``GIFTPAD_*`` name or a value that does
not parse stops the process with a sentence that names it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit

PORT_MAX = 65535
LEAST = {
    "web_workers": 1,
    "web_threads": 2,  # one for what is slow, one for what is not
    "web_queue": 0,
    "job_workers": 1,
    "database_pool_max": 1,
    "trusted_proxies": 0,
    "keys_rotated_every_days": 0,
    "mail_rate_per_s": 0,
    "sms_rate_per_s": 0,
}
PARTS = ("api", "portals", "identity")
"""What a web process may serve: machines; pages; signing in and the OpenID provider."""
TWILIO = "twilio+"
"""Before the scheme of GIFTPAD_SMS_URL: the provider speaks as Twilio does."""
HOOKS_SECRET_LENGTH_MIN = 16
MAIL_SCHEMES = ("smtp", "smtp+starttls", "smtps")
OWN_HOSTS = ("127.0.0.1", "::1", "localhost")
DATABASE_NAMES = ("database_url", "database_owner_url", "database_relay_url")


class SettingsError(ValueError):
    """The environment holds a setting that cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process may be told from outside; the field's name is the variable's, in capitals.

    ``GIFTPAD_PORT`` sets ``port``.  Units are the last word of a name.
    """

    home: Path = Path("var")
    """Data folder: database, files, keys, logs."""
    port: int = 8000
    public_url: str = ""
    """Address that is printed in QR codes; empty means the https address of the local network
    where there is one, else http://localhost:<port>."""
    lan_address: str = ""
    """IPv4 address of this machine where phones of its network get https; empty means none."""
    lan_port: int = 8443
    """Port of that https server."""
    database_url: str = ""
    """Login of role giftpad_app; empty means the embedded PostgreSQL of the data folder."""
    database_owner_url: str = ""
    """Login of a member of role giftpad_owner: migrations only."""
    database_relay_url: str = ""
    """Login of role giftpad_relay: outbox and inbox only."""
    redis_url: str = ""
    files_url: str = ""
    """fsspec address of the file store; empty means <home>/files."""
    kek_file: str = ""
    """Key-encryption key; empty means <home>/keys/kek, allowed with the embedded database only."""
    trusted_issuers_file: str = ""
    """TOML file of the issuers whose tokens are believed beside our own; empty means none."""
    serve: str = ",".join(PARTS)
    """What a web process serves, parts with commas between."""
    inner_hosts: str = ""
    """Host names, between commas, of tenants' identity providers that lie inside this network and
    may be asked all the same; others at private addresses are not."""
    web_workers: int = 2
    """Web server processes."""
    web_threads: int = 12
    """Requests that one web server process works on at once."""
    web_queue: int = 4
    """Requests that may wait in one web server process; more are turned away."""
    job_workers: int = 3
    """RQ worker processes."""
    trusted_proxies: int = 0
    """Reverse proxies in front, whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    database_pool_max: int = 14
    """Cold-path connections of one process: as many as requests are at work, and two."""
    print_retention_days: int = 30
    keys_rotated_every_days: int = 90
    """Days after which the schedule changes the key that signs tokens; 0 means never."""
    smtp_url: str = ""
    """Mail server: smtps://user:password@host, smtp+starttls://… or, unencrypted, smtp://host;
    empty means the sink of this machine, with the embedded database only."""
    mail_from: str = ""
    """Sender of every mail, as address or as Name <address>."""
    mail_rate_per_s: int = 0
    """Mails a second that the mail server takes from all processes together; 0 means any."""
    sms_url: str = ""
    """Where an SMS is posted to; twilio+https://… for a provider that speaks as Twilio does; empty
    means the sink of this machine, as for mail."""
    sms_token: str = field(default="", repr=False)
    """Bearer token for it; of Twilio the auth token."""
    sms_rate_per_s: int = 0
    """SMS a second that the provider takes from all processes together; 0 means any."""
    hooks_secret: str = field(default="", repr=False)
    """What providers sign receipts with; empty means that none are taken, but Twilio's."""
    sms_from: str = ""
    """What is shown as the sender of an SMS, if the provider lets one choose."""
    metrics_port: int = 9464
    """Port of /metrics, on the loopback address; 0 means none."""
    tracing_url: str = ""
    """Where spans are sent, by OTLP over http, http://127.0.0.1:4318; empty means none are."""
    log_level: str = "INFO"
    log_format: str = "json"
    """"json" or "console"."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variables these settings were read from, for child processes."""

    def __post_init__(self) -> None:
        given = [name for name in DATABASE_NAMES if getattr(self, name)]
        if given and len(given) != len(DATABASE_NAMES):
            missing = next(name for name in DATABASE_NAMES if name not in given)
            message = (
                f"{_variable(missing)} is not set. With an external database all three of "
                f"{', '.join(_variable(name) for name in DATABASE_NAMES)} are needed."
            )
            raise SettingsError(message)
        self._check_ports()
        if not self.served or not self.served <= set(PARTS):
            message = f"GIFTPAD_SERVE is {self.serve!r}; name some of {', '.join(PARTS)}."
            raise SettingsError(message)
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                message = f"{_variable(name)} is {getattr(self, name)}; {least} is the least."
                raise SettingsError(message)
        check_mail_settings(self)
        check_sms_settings(self)
        if self.public_url and urlsplit(self.public_url).scheme not in ("http", "https"):
            message = "GIFTPAD_PUBLIC_URL must begin with http:// or https://."
            raise SettingsError(message)

    def _check_ports(self) -> None:
        if not 0 <= self.metrics_port <= PORT_MAX:
            message = f"GIFTPAD_METRICS_PORT is {self.metrics_port}; 0 to {PORT_MAX} can be used."
            raise SettingsError(message)
        for name in ("port", "lan_port"):
            if not 1 <= getattr(self, name) <= PORT_MAX:
                message = (
                    f"{_variable(name)} is {getattr(self, name)}; "
                    f"a port lies between 1 and {PORT_MAX}."
                )
                raise SettingsError(message)
        if not self.lan_address:
            return
        try:
            ipaddress.IPv4Address(self.lan_address)
        except ValueError:
            message = f"GIFTPAD_LAN_ADDRESS is {self.lan_address!r}; an IPv4 address is needed."
            raise SettingsError(message) from None
        if self.lan_port == self.port:
            message = f"GIFTPAD_LAN_PORT is {self.port}, and so is GIFTPAD_PORT; choose another."
            raise SettingsError(message)

    @property
    def is_embedded(self) -> bool:
        """Whether Giftpad runs the database itself."""
        return not self.database_url

    @property
    def served(self) -> frozenset[str]:
        """What a web process serves."""
        return frozenset(name.strip() for name in self.serve.split(",") if name.strip())

    @property
    def kek_path(self) -> Path:
        """The file that holds the key-encryption key."""
        return Path(self.kek_file) if self.kek_file else self.home / "keys" / "kek"

    @property
    def files_address(self) -> str:
        """The fsspec address of the file store."""
        return self.files_url or (self.home / "files").resolve().as_uri()

    @property
    def lan_url(self) -> str:
        """The https address for phones of the local network; empty where there is none."""
        return f"https://{self.lan_address}:{self.lan_port}" if self.lan_address else ""

    @property
    def lan_folder(self) -> Path:
        """Where the certificates of the local network lie, each with its key."""
        return self.home / "keys" / "lan"

    @property
    def lan_ca_path(self) -> Path:
        """The certificate that phones are told to trust."""
        return self.lan_folder / "ca.crt"

    @property
    def public_address(self) -> str:
        """The address people reach this installation by, without a slash at its end."""
        return (self.public_url or self.lan_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def issuer(self) -> str:
        """The OpenID issuer: the public address with a slash at its end."""
        return self.public_address + "/"


def check_mail_settings(settings: Settings) -> None:
    """Refuse a mail server that could not be reached, or not without giving a password away.

    Raises: SettingsError.
    """
    if settings.mail_from:
        _, address = parseaddr(settings.mail_from)
        local, _, domain = address.rpartition("@")
        if not (local and domain and address.isascii() and settings.mail_from.isprintable()):
            message = "GIFTPAD_MAIL_FROM is no address such as Town <no-reply@town.example>."
            raise SettingsError(message)
    if not settings.smtp_url:
        return
    scheme, host, password = _parts_of("GIFTPAD_SMTP_URL", settings.smtp_url)
    if scheme not in MAIL_SCHEMES or not host:
        message = "GIFTPAD_SMTP_URL must begin with smtps://, smtp+starttls:// or smtp://."
        raise SettingsError(message)
    if scheme == "smtp" and password and host not in OWN_HOSTS:
        message = (
            "GIFTPAD_SMTP_URL would send its password unencrypted; begin it with smtps:// or"
            " smtp+starttls://."
        )
        raise SettingsError(message)
    if not settings.mail_from:
        message = "GIFTPAD_MAIL_FROM is not set; with GIFTPAD_SMTP_URL it is needed."
        raise SettingsError(message)


def check_sms_settings(settings: Settings) -> None:
    """Refuse an SMS provider that could not be reached, or not without giving its token away.

    Raises: SettingsError.
    """
    if settings.hooks_secret and len(settings.hooks_secret) < HOOKS_SECRET_LENGTH_MIN:
        message = f"GIFTPAD_HOOKS_SECRET is shorter than {HOOKS_SECRET_LENGTH_MIN} characters."
        raise SettingsError(message)
    if not settings.sms_url:
        return
    url = settings.sms_url.removeprefix(TWILIO)
    scheme, host, _ = _parts_of("GIFTPAD_SMS_URL", url)
    if not host or not (scheme == "https" or (scheme == "http" and host in OWN_HOSTS)):
        message = "GIFTPAD_SMS_URL must begin with https://; what it is sent is secret."
        raise SettingsError(message)
    if not settings.sms_token:
        message = "GIFTPAD_SMS_TOKEN is not set; with GIFTPAD_SMS_URL it is needed."
        raise SettingsError(message)
    if settings.sms_url.startswith(TWILIO):
        if not re.search(r"/Accounts/[A-Za-z0-9]+/Messages\.json$", url):
            message = (
                "GIFTPAD_SMS_URL must end in /Accounts/<account>/Messages.json, as Twilio's does."
            )
            raise SettingsError(message)
        if not settings.sms_from:
            message = "GIFTPAD_SMS_FROM is not set; a provider like Twilio needs it."
            raise SettingsError(message)


def _parts_of(variable: str, url: str) -> tuple[str, str, bool]:
    """Return scheme and host of an address, and whether it holds a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        message = f"{variable} is no address."
        raise SettingsError(message) from None
    return parts.scheme, parts.hostname or "", bool(parts.username or parts.password)


def _variable(name: str) -> str:
    return f"GIFTPAD_{name.upper()}"


def _parse(variable: str, kind: Any, text: str) -> object:
    if kind is int:
        try:
            return int(text)
        except ValueError:
            message = f"{variable} is {text!r}; a whole number is needed."
            raise SettingsError(message) from None
    return Path(text).expanduser() if kind is Path else text


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment; an unknown ``GIFTPAD_*`` name refuses.

    Raises: SettingsError.
    """
    source = dict(os.environ if environment is None else environment)
    kinds = get_type_hints(Settings)
    known = {_variable(f.name): f.name for f in fields(Settings) if f.name != "environment"}
    values: dict[str, Any] = {"environment": source}
    for variable, text in source.items():
        if not variable.startswith("GIFTPAD_"):
            continue
        if variable not in known:
            message = f"{variable} is not a setting of Giftpad. See docs/reference/settings.md."
            raise SettingsError(message)
        name = known[variable]
        if text != "" or kinds[name] is str:
            values[name] = _parse(variable, kinds[name], text)
    return Settings(**values)
