"""Traces tell which route took how long, and nothing of whoever asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service import tracing
from service.app import create_app
from service.config import Settings, traces_wanted

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {
    "X-Forwarded-For": "203.0.113.7",
    "User-Agent": "canary-browser",
    "Referer": "https://canary.example/referer",
    "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    "tracestate": "canary=state",
}


@pytest.fixture
def traced(settings: Settings, tmp_path: Path) -> Iterator[tuple[Flask, TracerProvider, InMemorySpanExporter]]:
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path}/greenroom.db"))
    app.add_url_rule("/broken/<what>", view_func=lambda what: 1 / 0)
    exporter = InMemorySpanExporter()
    provider = tracing.init_app(app, exporter)
    yield app, provider, exporter
    provider.shutdown()


def test_a_span_names_the_route_and_nothing_of_whoever_asked(
    traced: tuple[Flask, TracerProvider, InMemorySpanExporter],
) -> None:
    app, provider, exporter = traced
    client = app.test_client()
    for method, path in (
        ("GET", "/healthz?email=canary@mail.example"),
        ("GET", "/canary-path?q=canary"),
        ("GET", "/broken/canary?q=canary"),
        ("CANARY", "/healthz"),
    ):
        client.open(path, method=method, headers=HEADERS, environ_base={"REMOTE_ADDR": "203.0.113.7"})
    provider.force_flush()
    spans: tuple[ReadableSpan, ...] = exporter.get_finished_spans()
    told = [one.to_json() for one in spans]
    assert [one.name for one in spans[:3]] == ["GET /healthz", "GET unmatched", "GET /broken/<what>"]
    assert len(spans) == 4 and spans[3].name.endswith(" unmatched")
    assert [one for one in told if "canary" in one.lower() or "203.0.113.7" in one] == []
    assert all(TRACE in one for one in told), "they belong to the trace that the client began"
    assert [(one.attributes or {})["http.status_code"] for one in spans[:3]] == [200, 503, 500]  # no tables
    assert {name for one in spans for name in one.attributes or {}} <= tracing.KEPT


def test_without_the_sieve_they_would_tell(
    traced: tuple[Flask, TracerProvider, InMemorySpanExporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, provider, exporter = traced
    monkeypatch.setattr(tracing, "_told", lambda span: span)
    app.test_client().get("/healthz?q=canary", headers=HEADERS)
    provider.force_flush()
    assert "canary" in exporter.get_finished_spans()[0].to_json()


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_SERVICE_NAME": "comments"}, False),
    ],
)
def test_nothing_is_traced_unless_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], wanted: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert traces_wanted() is wanted
