"""A tenant pack: what a reviewed folder says about one organisation.

The tenant's own part is read here; the other files belong to sections, which their domains read
and apply.  A file that nobody owns is a problem: a misspelt name never goes unnoticed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.work import Scope, Work
from giftpad.tenancy.rules.looks import check_logo, read_theme
from giftpad.tenancy.rules.problems import PackBroken, Problems
from giftpad.tenancy.rules.reader import Table, decode_text, read_toml
from giftpad.tenancy.rules.tenants import FEATURES, KINDS, PLATFORM_SLUG, Contact

PACK_FORMAT = 1
TEXTS = ("about", "notes", "privacy")
"""Texts a tenant may have of its own; the house has its own for those that are missing."""

TEXT_SIZE_MAX = 64 * 1024
SLUG_PATTERN = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_TEXT_PATH = re.compile(r"texts/([^/]+)/([^/]+)\.md")
_PHONE = r"\+?[0-9]+(-[0-9]+)*"
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_OWN = frozenset({"tenant.toml", "theme.css", "logo.svg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PackFolder:
    """The files of a pack by their path inside it."""

    name: str
    files: Mapping[str, bytes]

    def shown(self, path: str) -> str:
        """Return how a problem names a file of this pack."""
        return f"{self.name}/{path}"

    def hash(self) -> str:
        """Return a fingerprint that changes with any byte of any file."""
        total = hashlib.sha256(f"giftpad-pack-{PACK_FORMAT}".encode())
        for path in sorted(self.files):
            for part in (path.encode(), self.files[path]):
                total.update(len(part).to_bytes(8) + part)
        return total.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackSection:
    """The part of a pack that belongs to one domain.

    ``files`` matches the paths it owns.  ``read`` turns them into values of its own, without a
    database; ``prepare`` puts what belongs into the file store there, before a transaction is open;
    ``apply`` makes the tenant so and says what it changed, in words.  A section without it is only
    read.
    """

    files: re.Pattern[str]
    read: Callable[[PackFolder, tuple[str, ...], Problems], object]
    apply: Callable[[Work, object], list[str]] | None = None
    prepare: Callable[[Scope, object], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack that was read without a problem; ``sections`` holds what each domain made of it."""

    slug: str
    names: Mapping[str, str]
    kind: str
    zone: str
    locale: str
    features: tuple[str, ...]
    contact: Contact
    hash: str
    theme: Mapping[str, str] = field(default_factory=dict)
    logo: str | None = None
    texts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    sections: Mapping[str, object] = field(default_factory=dict)


def read_pack(folder: PackFolder, sections: Mapping[str, PackSection]) -> Pack:
    """Read a whole pack, and tell every problem at once.

    Raises: PackBroken.
    """
    problems = Problems()
    read: dict[str, object] = {}
    taken: set[str] = set()
    for name, section in sections.items():
        paths = tuple(path for path in sorted(folder.files) if section.files.fullmatch(path))
        taken.update(paths)
        read[name] = section.read(folder, paths, problems)
    pages = {path for path in folder.files if path.startswith("texts/")} - taken
    for path in sorted(set(folder.files) - taken - pages - _OWN):
        remedy = "Remove it or correct its name; a pack is data, and only of known kinds."
        problems.add(folder.shown(path), 1, "This file has no place in a pack.", remedy=remedy)
    looks, texts = _read_looks(folder, problems), _read_texts(folder, pages, problems)
    pack = _read_tenant(folder, problems, looks=looks, texts=texts, read=read)
    if pack is None or problems.found:
        raise PackBroken(problems.found)
    return pack


def _read_looks(folder: PackFolder, problems: Problems) -> tuple[dict[str, str], str | None]:
    theme: dict[str, str] = {}
    if (css := folder.files.get("theme.css")) is not None:
        theme = read_theme(folder.shown("theme.css"), css, problems)
    if (logo := folder.files.get("logo.svg")) is None:
        return theme, None
    check_logo(folder.shown("logo.svg"), logo, problems)
    return theme, decode_text(folder.shown("logo.svg"), logo, problems)


def _read_texts(
    folder: PackFolder, paths: Collection[str], problems: Problems
) -> dict[tuple[str, str], str]:
    texts: dict[tuple[str, str], str] = {}
    for path in sorted(paths):
        data = folder.files[path]
        shown, match = folder.shown(path), _TEXT_PATH.fullmatch(path)
        if match is None or match[1] not in LOCALES or match[2] not in TEXTS:
            remedy = f"Texts are texts/<{'|'.join(LOCALES)}>/<{'|'.join(TEXTS)}>.md."
            problems.add(shown, 1, "No page shows a text of this name.", remedy=remedy)
            continue
        text = decode_text(shown, data, problems)
        if text is not None and not text.strip():
            problems.add(shown, 1, "The text is empty.", remedy="Write it or remove the file.")
        elif len(data) > TEXT_SIZE_MAX:
            remedy = f"Keep it to {TEXT_SIZE_MAX} bytes."
            problems.add(shown, 1, "The text is too long.", remedy=remedy)
        elif text is not None:
            texts[match[1], match[2]] = text
    return texts


def _read_tenant(
    folder: PackFolder,
    problems: Problems,
    *,
    looks: tuple[Mapping[str, str], str | None],
    texts: Mapping[tuple[str, str], str],
    read: Mapping[str, object],
) -> Pack | None:
    shown, data = folder.shown("tenant.toml"), folder.files.get("tenant.toml")
    if data is None:
        problems.add(shown, 1, "The file is missing.", remedy="A pack begins with tenant.toml.")
        return None

    def read_table(table: Table) -> Pack:
        table.whole("format", least=PACK_FORMAT, most=PACK_FORMAT)
        slug = table.text("slug", pattern=SLUG_PATTERN, shape="small letters, digits, hyphens")
        if table.has("slug") and slug != folder.name:
            table.fault("slug", f'"slug" is "{slug}".', f'It must be "{folder.name}", the folder.')
        if slug == PLATFORM_SLUG:
            table.fault("slug", "This slug is taken by Giftpad itself.", "Choose another.")
        return Pack(
            slug=slug,
            names=table.by_locale("name", length_max=60),
            kind=table.choice("kind", KINDS),
            zone=_read_zone(table),
            locale=table.choice("locale", LOCALES, default="ja"),
            features=table.choices("features", FEATURES),
            contact=_read_contact(table),
            hash=folder.hash(),
            theme=looks[0],
            logo=looks[1],
            texts=texts,
            sections=read,
        )

    pack: Pack | None = read_toml(shown, data, problems, read=read_table)
    return pack


def _read_zone(table: Table) -> str:
    zone = table.text("zone")
    try:
        ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        table.fault("zone", f'"zone" is "{zone}".', "Write a time zone such as Asia/Tokyo.")
    return zone


def _read_contact(table: Table) -> Contact:
    contact = table.table("contact")
    if contact is None:
        return Contact(offices={}, hours={}, phone="", email="")
    read = Contact(
        offices=contact.by_locale("office"),
        hours=contact.by_locale("hours", required=False),
        phone=contact.text("phone", pattern=_PHONE, shape="digits and hyphens"),
        email=contact.text("email", pattern=_EMAIL, shape="an e-mail address", required=False),
    )
    contact.close()
    return read
