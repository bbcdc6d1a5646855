"""All pages put together: templates, static files, blueprints."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import FileSystemLoader, StrictUndefined
from whitenoise import WhiteNoise  # type: ignore[import-untyped] # the library has no types

from giftpad import edge
from giftpad.kernel.config import Settings
from giftpad.portals.assets import Assets
from giftpad.portals.errors import draw_problem
from giftpad.portals.http import common
from giftpad.portals.words import FILTERS, count_in_words, say_in_words

HERE = Path(__file__).parent
STATIC = HERE / "static"
ASSETS_PREFIX = "assets/"
UNHASHED_S = 60
HASHED = re.compile(r"-[A-Za-z0-9_-]{8}\.[a-z0-9]+$")
BLUEPRINTS: tuple[str, ...] = (
    "account.home",
    "account.sign_in",
    "account.second_step",
    "account.set_up",
    "account.forgotten",
    "account.federation",
    "account.authorize",
    "account.activate",
    "account.tablet",
    "account.logout",
    "account.sessions",
    "account.second_steps",
    "account.prove",
    "account.links",
    "account.join",
    "account.members",
    "theme",
    "gift_designs",
    "design",
    "issuer.overview",
    "issuer.programmes",
    "issuer.batches",
    "issuer.coupons",
    "issuer.catalogue",
    "issuer.courses",
    "issuer.catalogue_imports",
    "issuer.shops",
    "issuer.shop_imports",
    "issuer.payments",
    "issuer.gifts",
    "issuer.audit",
    "shop.till",
    "shop.today",
    "shop.app",
    "shop.pairing",
    "shop.pins",
    "shop.tablets",
    "holder.coupon",
    "holder.tenant",
    "holder.letters",
    "gift.link",
    "gift.letter",
    "gift.choosing",
    "gift.delivery",
    "gift.passing",
    "gift.balance",
    "operator.health",
    "operator.dead",
    "operator.gifts",
    "operator.visits",
    "pictures",
    "lan",
)
"""Modules of ``giftpad.portals`` whose ``bp`` is served; each route of it is a page."""


def init_portals(app: Flask, settings: Settings) -> None:
    """Serve the pages and what they load."""
    app.extensions["giftpad_settings"] = settings
    app.jinja_loader = FileSystemLoader(HERE / "templates")
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension("jinja2.ext.do")
    assets = Assets(STATIC)
    app.jinja_env.globals.update(
        _=say_in_words,
        _n=count_in_words,
        assets=assets.tags,
        asset_url=assets.url,
        drawing=assets.icon,
    )
    app.jinja_env.filters.update(FILTERS)
    app.context_processor(common)
    edge.answer_pages_with(app, draw_problem)
    for name in BLUEPRINTS:
        module = importlib.import_module(f"giftpad.portals.{name}")
        edge.register_pages(app, module.bp)
    app.wsgi_app = _Files(  # type: ignore[method-assign] # Flask's own way to wrap it
        app.wsgi_app,
        root=STATIC,
        prefix=ASSETS_PREFIX,
        max_age=UNHASHED_S,
        immutable_file_test=_never_changes,
    )


class _Files(WhiteNoise):  # type: ignore[misc] # the library has no types
    """The static files; one that a new build has taken away since the start is not found."""

    def serve(self, static_file: Any, environ: Any, start_response: Any) -> Any:
        """Serve a file, or let the pages say that it is not there."""
        try:
            return super().serve(static_file, environ, start_response)
        except FileNotFoundError:
            return self.application(environ, start_response)


def _never_changes(path: str, url: str) -> bool:
    """Tell whether a file keeps its content under its name: most carry a hash of it."""
    del path
    return HASHED.search(url) is not None
