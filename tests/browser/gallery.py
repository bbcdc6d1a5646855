"""Draw a picture of every page and state, and look at each for faults on the way.

    python -m tests.browser.gallery [name …] [--readme]

Starts a Giftpad of its own.  Pictures go to ``var/screenshots``; the few that the README shows go
to ``docs/pictures`` with ``--readme``.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import click
from playwright.sync_api import Browser, Error, sync_playwright

from tests.browser.catalogue import SIGHTS, Sight
from tests.browser.film import camera_arguments, picture_coupon, shoot
from tests.browser.inspection import ROOT, find_faults, looking
from tests.browser.scenes import Scenes, prepare
from tests.browser.visitor import DESK, PHONE, SMALL_PHONE, find_chromium, launch
from tests.flows.conftest import start_product

OUT = ROOT / "var" / "screenshots"
PICTURES = ROOT / "docs" / "pictures"
SIZES = {
    "desk": (DESK, PHONE),
    "holder": (PHONE, DESK),
    "shop": (PHONE, SMALL_PHONE, DESK),
    "gift": (SMALL_PHONE, PHONE, DESK),
}
LOCALES = ("ja", "en")
CHOSEN = {
    ("overview", "en", 1440): "overview",
    ("batch ready", "ja", 1440): "batch",
    ("shop camera", "ja", 390): "shop-scan",
    ("shop accepted", "ja", 390): "shop-accepted",
    ("balance", "ja", 390): "balance",
}
"""What the README shows, by sight, language and width."""


def _file(sight: Sight, locale: str, size: dict[str, int]) -> Path:
    name = sight.name.replace(" ", "-")
    return OUT / sight.kind / f"{name}-{locale}-{size['width']}.png"


def _draw(browser: Browser, scenes: Scenes, sight: Sight) -> list[str]:
    """Draw one sight at all its sizes in all languages; return what is wrong with it."""
    faults = []
    for locale in LOCALES:
        for size in SIZES[sight.kind]:
            file = _file(sight, locale, size)
            try:
                with looking(browser, scenes, sight, locale=locale, size=size) as (visitor, load):
                    visitor.page.screenshot(path=file, full_page=True)
                    found = find_faults(sight, visitor, load, locale)
            except Error as error:
                faults.append(f"{file.stem}: {error.message.splitlines()[0]}")
                continue
            faults += [f"{file.stem}: {line}" for line in found]
            chosen = CHOSEN.get((sight.name, locale, size["width"]))
            if chosen is not None:
                shutil.copy(file, OUT / f"readme-{chosen}.png")
    return faults


def _draw_all(wanted: tuple[str, ...], folder: Path) -> list[str]:
    faults = []
    product = start_product(folder / "home")
    try:
        with sync_playwright() as play:
            plain = launch(play)
            scenes = prepare(product, plain)
            paper = picture_coupon(scenes.print_file())
            film = shoot(folder / "film.y4m", paper)
            filming = launch(play, *camera_arguments(film))
            for sight in SIGHTS:
                if not wanted or any(word in sight.name for word in wanted):
                    begun = time.monotonic()
                    faults += _draw(filming if sight.has_camera else plain, scenes, sight)
                    click.echo(f"{sight.name:<32}{time.monotonic() - begun:5.1f} s")
            for browser in (plain, filming):
                browser.close()
    finally:
        product.run("down")
        product.run("reset", "--yes")
    return faults


@click.command()
@click.argument("wanted", nargs=-1)
@click.option("--readme", is_flag=True, help="Copy the chosen few to docs/pictures.")
def main(wanted: tuple[str, ...], *, readme: bool) -> None:
    """Draw a picture of every page, or of those with these words in their names."""
    if find_chromium() is None:
        message = "no Chromium on this machine: install the package chromium"
        raise click.ClickException(message)
    for kind in SIZES:
        (OUT / kind).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        faults = _draw_all(wanted, Path(folder))
    if readme:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for file in OUT.glob("readme-*.png"):
            shutil.copy(file, PICTURES / file.name.removeprefix("readme-"))
    click.echo(f"\n{OUT}: {len(list(OUT.glob('*/*.png')))} pictures, {len(faults)} faults")
    for line in faults:
        click.echo(line)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
