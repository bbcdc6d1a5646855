"""Spans of requests and statements, sent by OpenTelemetry where that is wanted.

Hides: OpenTelemetry, which is an extra (``pip install giftpad[tracing]``) and is imported only
with GIFTPAD_TRACING_URL set.  What tells who asked, and the address that was asked for, leave no
process: an address may hold a code or an invitation, and its route says enough.  Everything else
goes through the same masks as the logs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from giftpad.kernel.config import Settings, SettingsError
from giftpad.kernel.log import redact_text

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE = "giftpad"
TRACES_PATH = "/v1/traces"
SEND_TIMEOUT_S = 2
KEPT_BACK = frozenset(
    {
        *("http.target", "http.url", "url.path", "url.query", "url.full"),
        *("net.peer.ip", "net.peer.port", "client.address", "client.port", "net.sock.peer.addr"),
        *("network.peer.address", "http.user_agent", "user_agent.original"),
    }
)
"""Attributes that are not sent."""


def start_tracing(settings: Settings, part: str, *, app: Any = None) -> bool:
    """Send spans of this process from now on, if the settings say where to; tells whether so.

    ``part`` is what the process is called among the others; ``app`` is the Flask application.
    Raises: SettingsError.
    """
    if not settings.tracing_url:
        return False
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
    except ImportError:
        message = (
            "GIFTPAD_TRACING_URL is set, and OpenTelemetry is not installed."
            " Install it: pip install 'giftpad[tracing]'"
        )
        raise SettingsError(message) from None
    exporter = OTLPSpanExporter(
        endpoint=settings.tracing_url.rstrip("/") + TRACES_PATH, timeout=SEND_TIMEOUT_S
    )
    trace_to(exporter, part, app=app)
    return True


def trace_to(exporter: SpanExporter, part: str, *, app: Any = None) -> Any:
    """Send spans of requests and statements to an exporter; returns the provider of tracers."""
    from opentelemetry.instrumentation.flask import FlaskInstrumentor  # noqa: PLC0415
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    resource = Resource.create({"service.name": SERVICE, "service.instance.id": part})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(_masked(exporter)))
    # Statements carry no parameters: those hold codes and names.
    PsycopgInstrumentor().instrument(tracer_provider=provider, capture_parameters=False)
    if app is not None:
        FlaskInstrumentor().instrument_app(  # type: ignore[no-untyped-call]  # it has no types
            app, tracer_provider=provider, excluded_urls="healthz,readyz,assets/"
        )
    return provider


def _masked(exporter: SpanExporter) -> SpanExporter:
    """Return an exporter that masks what looks secret before it hands spans on."""
    from opentelemetry.sdk.trace import Event, ReadableSpan  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SpanExporter as Base  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    def mask(span: ReadableSpan) -> ReadableSpan:
        return ReadableSpan(
            name=redact_text(_name(span)),
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=_mask(span.attributes),
            events=[
                Event(each.name, attributes=_mask(each.attributes), timestamp=each.timestamp)
                for each in span.events
            ],
            links=span.links,
            kind=span.kind,
            status=Status(StatusCode.ERROR, redact_text(span.status.description or ""))
            if span.status.status_code is StatusCode.ERROR
            else span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    class Masked(Base):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return exporter.export([mask(span) for span in spans])

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return Masked()


def _name(span: ReadableSpan) -> str:
    """Return what a span is called: of a request its method and route, and never its path."""
    attributes = span.attributes or {}
    method = attributes.get("http.method") or attributes.get("http.request.method")
    if method is None:
        return span.name
    route = attributes.get("http.route")
    return f"{method} {route}" if route else str(method)


def _mask(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: redact_text(value) if isinstance(value, str) else value
        for name, value in (attributes or {}).items()
        if name not in KEPT_BACK
    }
