"""Numbers for Prometheus: rooms count and name what can be read; a port of its own tells it all.

Every process tells of itself, on a port of its own, so that nothing has to be shared between processes: a request
costs an addition. No label holds what somebody typed, nor an id: their values are few, and known beforehand.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Thread
from typing import Literal, NamedTuple

from flask import Flask
from prometheus_client import Counter, Histogram, disable_created_metrics, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector, CollectorRegistry

from service import __version__

log = logging.getLogger(__name__)

Kind = Literal["gauge", "counter"]
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_AGAIN = 1.0
"""Seconds until a port that somebody has is tried again."""

disable_created_metrics()  # type: ignore[no-untyped-call]  # else each series comes with another that tells when it began
_counted = CollectorRegistry()
ProcessCollector(registry=_counted)


class _Reading(NamedTuple):
    """A series whose value is read at each scrape; with a label, several, by its values."""

    help: str
    read: Callable[[], float | Mapping[str, float]]
    label: str
    kind: Kind


class _Question(NamedTuple):
    """Gauges that one question to the database answers."""

    gauges: Mapping[str, str]
    ask: Callable[[], Sequence[float]]


_readings: dict[str, _Reading] = {}
_questions: dict[str, _Question] = {}


def counter(name: str, help_: str, *labels: str) -> Counter:
    """What only grows, since the start of the process. `_total` is added to its name.

    Values of labels that are known beforehand are best named at once: what begins with 1 has not grown, for Prometheus.
    """
    return Counter(name, help_, labels, registry=_counted)


def histogram(name: str, help_: str, *labels: str) -> Histogram:
    """How long something takes, in seconds."""
    return Histogram(name, help_, labels, registry=_counted, buckets=_SECONDS)


def reading(
    name: str, help_: str, read: Callable[[], float | Mapping[str, float]], *, label: str = "", kind: Kind = "gauge"
) -> None:
    """Name what is read at a scrape, in an app context: without I/O. `label`: `read` answers one number a value."""
    _readings[name] = _Reading(help_, read, label, kind)


def question(gauges: Mapping[str, str], ask: Callable[[], Sequence[float]]) -> None:
    """Name gauges, each with its help, that one quick question to the database answers at each scrape, in order."""
    _questions[",".join(gauges)] = _Question(gauges, ask)


def page(app: Flask, process: str = "web") -> bytes:
    """All there is to tell, as a scrape gets it."""
    return generate_latest(_registry(app, process))


def serve(app: Flask, process: str) -> None:
    """Tell it all where the settings say, if they do, in a thread. Waits for a port that the process before still has.

    `process`: `web` or `worker`.
    """
    chosen = app.extensions["greenroom_settings"]
    if chosen.metrics_port:
        there = (chosen.metrics_host, chosen.metrics_port, _registry(app, process))
        Thread(target=_listen, args=there, name="metrics", daemon=True).start()


def _listen(host: str, port: int, registry: CollectorRegistry) -> None:
    is_told = False
    while True:
        try:
            start_http_server(port, host, registry)
            return
        except OSError as error:
            if not is_told:
                log.warning("nobody can listen at GREENROOM_METRICS_PORT yet: %s", error.strerror)
            is_told = True
            time.sleep(_AGAIN)


def _registry(app: Flask, process: str) -> CollectorRegistry:
    whole = CollectorRegistry()
    whole.register(_counted)
    whole.register(_Read(app, process))
    return whole


class _Read(Collector):
    """What is not counted but read: of an app, at each scrape."""

    def __init__(self, app: Flask, process: str) -> None:
        self._app, self._process = app, process

    def collect(self) -> Iterator[Metric]:
        build = {"version": __version__, "process": self._process}
        yield InfoMetricFamily("greenroom_build", "What runs here.", build)
        with self._app.app_context():
            for name, one in _readings.items():
                yield _family(name, one)
            yield from _answers()


def _family(name: str, one: _Reading) -> Metric:
    found = one.read()
    family = Metric(name, one.help, one.kind)
    suffix = "_total" if one.kind == "counter" else ""
    for value, number in found.items() if isinstance(found, Mapping) else [("", found)]:
        family.add_sample(name + suffix, {one.label: value} if one.label else {}, number)
    return family


def _answers() -> Iterator[Metric]:
    """What stands in the database. Where it does not answer, nothing more is asked: a scrape does not wait for long."""
    up = 1
    try:
        for one in _questions.values():
            for (name, help_), number in zip(one.gauges.items(), one.ask(), strict=True):
                yield GaugeMetricFamily(name, help_, number)
    except Exception as error:  # whatever is the matter, the rest is told
        log.warning("the database did not answer a scrape: %s", type(error).__name__)
        up = 0
    yield GaugeMetricFamily("greenroom_database_up", "Whether the database answered this scrape.", up)
