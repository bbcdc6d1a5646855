"""Reading a TOML file strictly: every key is known, typed and within its bounds, or is a problem.

Hides: tomllib, types, the search for lines.  A reader asks for the keys it knows and closes the
table; what nobody asked for is a problem too.  Reading goes on after a problem, with a stand-in,
so that one run tells them all.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from giftpad.kernel.i18n import LOCALES
from giftpad.tenancy.rules.lines import Path, key_lines
from giftpad.tenancy.rules.problems import Problems

TEXT_LENGTH_MAX = 2000
_AT_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029]")


class Table:
    """One table of a TOML file, read key by key."""

    def __init__(
        self,
        file: str,
        values: Mapping[str, Any],
        problems: Problems,
        *,
        path: Path = (),
        lines: Mapping[Path, int],
    ) -> None:
        self.file = file
        self._values = values
        self._problems = problems
        self._path = path
        self._lines = lines
        self._asked: set[str] = set()

    def line(self, key: str = "") -> int:
        """Return the line of a key, or of the table if it has none of its own."""
        path = (*self._path, key) if key else self._path
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def fault(self, key: str, fault: str, remedy: str) -> None:
        """Note a problem at a key."""
        self._problems.add(self.file, self.line(key), fault, remedy=remedy)

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._values

    def _take(self, key: str, kind: type, noun: str, *, required: bool) -> Any:
        self._asked.add(key)
        if key not in self._values:
            if required:
                self.fault(key, f'"{key}" is missing.', f"Add {key} = {noun}.")
            return None
        value = self._values[key]
        fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        if not fits or (kind is date and isinstance(value, datetime)):
            self.fault(key, f'"{key}" is not {noun}.', f"Write {noun} after {key} =.")
            return None
        return value

    def text(
        self,
        key: str,
        *,
        pattern: str = "",
        shape: str = "",
        required: bool = True,
        length_max: int = TEXT_LENGTH_MAX,
    ) -> str:
        """Read a text; ``shape`` says in words what ``pattern`` asks for."""
        value: str | None = self._take(key, str, "a text in quotes", required=required)
        if value is None:
            return ""
        if not value.strip() and required:
            self.fault(key, f'"{key}" is empty.', "Write something between the quotes.")
        elif len(value) > length_max:
            self.fault(key, f'"{key}" has {len(value)} characters.', f"Shorten it to {length_max}.")
        elif _UNPRINTABLE.search(value):
            self.fault(key, f'"{key}" holds a control character.', "Remove it.")
        elif pattern and not re.fullmatch(pattern, value):
            self.fault(key, f'"{key}" is "{value}".', f"It must be {shape}.")
        return value

    def choice(self, key: str, allowed: Sequence[str], *, default: str = "") -> str:
        """Read one of a few words; without a default the key must be there."""
        value: str | None = self._take(key, str, "a text in quotes", required=not default)
        if value is None:
            return default or allowed[0]
        if value not in allowed:
            self.fault(key, f'"{key}" is "{value}".', f"Write one of: {', '.join(allowed)}.")
        return value

    def whole(self, key: str, *, least: int, most: int, default: int | None = None) -> int:
        """Read a whole number between two bounds."""
        value: int | None = self._take(key, int, "a whole number", required=default is None)
        if value is None:
            return least if default is None else default
        if not least <= value <= most:
            self.fault(key, f'"{key}" is {value}.', f"It must lie between {least} and {most}.")
        return value

    def truth(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value: bool | None = self._take(key, bool, "true or false", required=False)
        return default if value is None else value

    def day(self, key: str, *, required: bool = True) -> date | None:
        """Read a date."""
        value: date | None = self._take(key, date, "a date as 2027-03-31", required=required)
        return value

    def texts(self, key: str, *, required: bool = False, length_max: int = 200) -> tuple[str, ...]:
        """Read a list of texts, none empty and none twice."""
        values: list[Any] | None = self._take(key, list, "a list of texts", required=required)
        if values is None:
            return ()
        if any(not isinstance(v, str) or not v.strip() or len(v) > length_max for v in values):
            remedy = f"Write each as a text of 1 to {length_max} characters in quotes."
            self.fault(key, f'"{key}" holds something that is not such a text.', remedy)
            return ()
        if len(set(values)) < len(values):
            self.fault(key, f'"{key}" names something twice.', "Remove the second one.")
        return tuple(values)

    def choices(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """Read a list of words out of a few."""
        values = self.texts(key)
        for value in values:
            if value not in allowed:
                remedy = f"Write only: {', '.join(allowed)}."
                self.fault(key, f'"{key}" names "{value}".', remedy)
        return values

    def table(self, key: str, *, required: bool = True) -> Table | None:
        """Read a table inside this one."""
        values: dict[str, Any] | None = self._take(
            key, dict, f"a table, [{self._name(key)}]", required=required
        )
        if values is None:
            return None
        return self._inner(values, (*self._path, key))

    def tables(self, key: str, *, required: bool = True) -> list[Table]:
        """Read a list of tables."""
        values: list[Any] | None = self._take(
            key, list, f"tables, [[{self._name(key)}]]", required=required
        )
        if values is None:
            return []
        if any(not isinstance(value, dict) for value in values):
            remedy = f"Begin each with [[{self._name(key)}]] on a line of its own."
            self.fault(key, f'"{key}" is not a list of tables.', remedy)
            return []
        return [self._inner(value, (*self._path, key, index)) for index, value in enumerate(values)]

    def by_locale(
        self, key: str, *, required: bool = True, length_max: int = 200
    ) -> dict[str, str]:
        """Read a text in every language of the house."""
        table = self.table(key, required=required)
        if table is None:
            return {}
        texts = {locale: table.text(locale, length_max=length_max) for locale in LOCALES}
        table.close()
        return texts

    def close(self) -> None:
        """Make a problem of every key that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                remedy = f"Remove it or correct its name. Known here: {known}."
                self.fault(key, f'"{key}" is not known here.', remedy)

    def _inner(self, values: Mapping[str, Any], path: Path) -> Table:
        return Table(self.file, values, self._problems, path=path, lines=self._lines)

    def _name(self, key: str) -> str:
        return ".".join([*(str(part) for part in self._path if isinstance(part, str)), key])


def decode_text(file: str, data: bytes, problems: Problems) -> str | None:
    """Decode UTF-8; what is not is a problem at its line."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add(file, line, "This line is not UTF-8.", remedy="Save the file as UTF-8.")
        return None


def read_toml(file: str, data: bytes, problems: Problems, *, read: Callable[[Table], Any]) -> Any:
    """Parse one TOML file and let ``read`` take its keys; None if it is no TOML at all."""
    text = decode_text(file, data, problems)
    if text is None:
        return None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _AT_LINE.search(message)
        line = int(place[1]) if place else len(text.splitlines()) or 1
        fault = _AT_LINE.sub("", message).replace("(at end of document)", "at the end").strip()
        remedy = "Correct the line; the rest of the file was not read."
        problems.add(file, line, f"This is not TOML: {fault}.", remedy=remedy)
        return None
    table = Table(file, values, problems, lines=key_lines(text))
    result = read(table)
    table.close()
    return result
