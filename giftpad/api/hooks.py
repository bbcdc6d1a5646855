"""What providers and mail programs post by themselves: receipts of messages, and that it is enough.

Hides: nothing of a provider's own wire; ``messaging`` judges who has signed what.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Flask, Response, request

from giftpad import guard, messaging
from giftpad.api.http import answer
from giftpad.edge import HOOK_BODY_MAX, body_limit, public, source_address
from giftpad.kernel.work import Scope, unit_of_work

HOOK_RATE = guard.Rate(50, 500)
"""Of one address: a provider tells of many messages by one request."""
STOP_RATE = guard.Rate(1, 60)


def init_hooks(app: Flask) -> None:
    """Serve the addresses that providers and mail programs know."""
    blp = Blueprint("hooks", __name__, url_prefix="/api/hooks")

    @blp.post("/messages/<provider>")
    @public("A provider proves itself by its signature.")
    @body_limit(HOOK_BODY_MAX)
    def take_receipts(provider: str) -> Response:
        guard.admit(f"hooks:{source_address()}", HOOK_RATE)
        form = list(request.form.items(multi=True))  # before the body, which it would find empty
        question = request.query_string.decode("latin-1")
        posted = messaging.Posted(
            provider=provider,
            path=f"{request.path}?{question}" if question else request.path,
            body=request.get_data(),
            form=form,
            headers={name: request.headers.get(name, "") for name in messaging.SIGNATURES},
            message=request.args.get("message", ""),
        )
        told = messaging.read_receipts(posted, datetime.now(UTC))
        return answer({"noted": _note(told)})

    @blp.get("/stop/<token>")
    @public("A mail program that knows no other way opens the page for a person.")
    def show_stop(token: str) -> Response:
        return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": f"/letters/stop/{token}"})

    @blp.post("/stop/<token>")
    @public("A mail program says for its reader that it is enough; the link is the proof.")
    @body_limit(HOOK_BODY_MAX)
    def stop(token: str) -> Response:
        guard.admit(f"hooks-stop:{source_address()}", STOP_RATE)
        found = messaging.find_stop(token)
        if found is None:
            raise messaging.HookForged
        tenant, stopped = found
        with unit_of_work(Scope(tenant_id=tenant.id)) as work:
            messaging.suppress(work, stopped)
        return answer({"stopped": True})

    app.register_blueprint(blp)


def _note(told: list[messaging.Receipt]) -> int:
    """Write down receipts; return how many were news.

    Each in a transaction of its own: a message comes before its run everywhere, so that of two
    messages the second must not be waited for while the run of the first is held.
    """
    count = 0
    for receipt in told:
        tenant = messaging.tenant_of_receipt(receipt)
        if tenant is not None:
            with unit_of_work(Scope(tenant_id=tenant.id)) as work:
                count += messaging.note_receipt(work, receipt)
    return count
