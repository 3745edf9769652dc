"""Traces for OpenTelemetry: one span for each request that enters the app. Needs the extra `otel`.

Its instrumentation notes paths, queries, addresses and browsers: only what is listed here leaves the process.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, Status

KEPT = {
    "http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code", "http.scheme",
    "url.scheme",
}  # fmt: skip
"""Attributes, by their names before and since version 1.23 of the conventions."""


def init_app(app: Flask, exporter: SpanExporter | None = None) -> TracerProvider:
    """Trace an app, by OpenTelemetry's own variables. `exporter`: another one than that by OTLP over HTTP."""
    named = Resource({"service.name": "greenroom"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(_Discreet(exporter or OTLPSpanExporter())))
    FlaskInstrumentor().instrument_app(app, tracer_provider=provider, enable_commenter=False)  # type: ignore[no-untyped-call]
    steps = app.before_request_funcs[None]
    steps.insert(0, steps.pop())  # before those that may refuse
    return provider


class _Discreet(SpanExporter):
    """Hands on what may be told."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_told(one) for one in spans])

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _told(span: ReadableSpan) -> ReadableSpan:
    """Without the words of errors, which quote what they choked on, and of headers, `tracestate` among them."""
    kept = {name: value for name, value in (span.attributes or {}).items() if name in KEPT}
    method = kept.get("http.method") or kept.get("http.request.method")
    return ReadableSpan(
        name=f"{method} {kept.get('http.route', 'unmatched')}",
        context=_bare(span.get_span_context()),
        parent=_bare(span.parent),
        resource=span.resource,
        attributes=kept,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bare(context: SpanContext | None) -> SpanContext | None:
    return context and SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)
