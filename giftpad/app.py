"""The web application: wiring, edge, API and portals put together."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

from giftpad import identity, wiring
from giftpad.api import init_api, init_contract, init_health, init_hooks, init_oidc
from giftpad.edge import check_access, close_part, guarded, init_edge, laned, list_doors, watch
from giftpad.kernel.config import Settings
from giftpad.kernel.log import configure_logging
from giftpad.kernel.tracing import start_tracing
from giftpad.portals import init_portals

IDENTITY = frozenset(
    {
        *("oidc", "authorize", "activate", "logout", "join", "sign_in"),
        *("second_step", "set_up", "federation", "forgotten_password"),
    }
)
"""Blueprints by which people and programs get in; whoever is in needs none of them."""
ALWAYS = frozenset({"sign_in.leave"})


class Giftpad(Flask):
    """Flask, but asked for its options an address tells its own: "block" is no serial."""

    def make_default_options_response(self) -> Response:
        """Return the methods of all routes that are written like the one that was asked for."""
        asked = request.url_rule
        rules = self.url_map.iter_rules()
        response = self.response_class()
        for rule in rules:
            if asked is not None and rule.rule == asked.rule:
                response.allow.update(rule.methods or ())
        return response


def build_app(settings: Settings) -> Flask:
    """Put the routes together, without database, keys or wiring."""
    app = Giftpad("giftpad", static_folder=None)
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    identity.bind_issuer(settings.issuer)
    init_edge(app)
    init_health(app, settings)
    init_oidc(app)
    init_hooks(app)
    init_contract(app, init_api(app))
    init_portals(app, settings)
    check_access(app)
    close_part(
        app, [rule.endpoint for rule, _, _ in list_doors(app) if _closes(rule, settings.served)]
    )
    if not settings.tracing_url:  # spans are begun in Flask, so all requests go there then
        app.wsgi_app = laned(app)  # type: ignore[method-assign] # Flask's own way to wrap it
    app.wsgi_app = guarded(app, settings)  # type: ignore[method-assign] # Flask's own way
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign] # Flask's own way to wrap it
            app.wsgi_app, x_for=hops, x_proto=hops
        )
    return app


def _closes(rule: Rule, served: Collection[str]) -> bool:
    """Whether a route belongs to a part that is not served; health is asked of every process."""
    owner = rule.endpoint.partition(".")[0]
    if owner == "health" or rule.endpoint in ALWAYS:
        return False
    if owner in IDENTITY:
        return "identity" not in served
    return ("api" if rule.rule.startswith("/api/") else "portals") not in served


def create_app(settings: Settings) -> Flask:
    """Make the web application of this process.

    Raises: KeyUnreadable, SettingsError.
    """
    configure_logging(settings)
    wiring.bootstrap(settings)
    app = build_app(settings)
    watch(app)
    start_tracing(settings, "web", app=app)
    return app
