"""The dashboard and the alerts of the manual ask for what a process tells, and for all of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from service import metrics
from service.app import create_app
from service.config import Settings
from service.front import Front, server
from service.readcache import Store
from tests.conftest import ROOT

SAMPLES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
LEFT = {"process_virtual_memory_bytes"}
"""On no panel: what is resident says more."""
OF_PROMETHEUS = {"job", "instance", "le"}
DASHBOARD = (ROOT / "deploy/grafana.json").read_text()
MANUAL = (ROOT / "docs/operating.md").read_text()
_NAME = re.compile(r"\b(?:greenroom|process)_\w+")
_LABELS = re.compile(r"\bby \(([^)]*)\)|[{,](\w+)(?:=|!=|=~)\"")


class _Never:
    """Changes of which there are none: nothing is kept in this test."""

    def listen(self, listener: object) -> None:
        pass


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All that a web process and a worker tell: series by the name of their family."""
    place = tmp_path_factory.mktemp("keys")
    database = f"sqlite:///{place}/greenroom.db"
    app = create_app(Settings(keys_file=f"{place}/greenroom.keys", database_url=database, log_level="ERROR"))
    front = Front(app, threads=1, max_body=1, body_timeout=1, max_waiting=1)
    server._tell(front, Store(1, _Never()))  # type: ignore[arg-type]
    asked = {name: "gauge" for one in metrics._questions.values() for name in one.gauges}
    return {one.name: one.type for one in text_string_to_metric_families(_page(app))} | asked


def _page(app: Flask) -> str:
    return metrics.page(app).decode()


def samples(families: dict[str, str]) -> dict[str, str]:
    """Families by the names of their samples."""
    return {f"{family}{end}": family for family, kind in families.items() for end in SAMPLES[kind]}


def questions(document: Any) -> list[str]:
    """Every PromQL expression of a dashboard, or of rules."""
    if isinstance(document, dict):
        found = [value for name, value in document.items() if name == "expr"]
        return found + [one for value in document.values() for one in questions(value)]
    return [one for value in document for one in questions(value)] if isinstance(document, list) else []


def alerts() -> list[str]:
    """Those that the manual shows."""
    block = re.search(r"^```yaml\n(groups:.*?)^```$", MANUAL, re.MULTILINE | re.DOTALL)
    assert block
    return questions(yaml.safe_load(block[1]))


def unknown(asked: list[str], families: dict[str, str]) -> set[str]:
    return {name for one in asked for name in _NAME.findall(one)} - samples(families).keys()


def test_the_dashboard_asks_for_what_is_told_and_leaves_nothing_out(told: dict[str, str]) -> None:
    asked = questions(json.loads(DASHBOARD))
    assert len(asked) > 30
    assert unknown(asked, told) == set()
    used = {samples(told)[name] for one in asked for name in _NAME.findall(one)}
    assert told.keys() - used == LEFT


def test_the_alerts_of_the_manual_ask_for_what_is_told(told: dict[str, str]) -> None:
    assert len(alerts()) > 5
    assert unknown(alerts(), told) == set()


@pytest.mark.parametrize("name", ["greenroom_queue_comment", "greenroom_requests", "greenroom_request_seconds"])
def test_a_series_that_nobody_tells_is_seen(told: dict[str, str], name: str) -> None:
    assert unknown([f"max({name})"], told) == {name}


def test_the_manual_lists_every_series(told: dict[str, str]) -> None:
    listed = re.findall(r"^\| `(greenroom_\w+)`", MANUAL, re.MULTILINE)
    assert sorted(listed) == sorted(
        f"{name}_total" if kind == "counter" else name for name, kind in told.items() if not name.startswith("process_")
    )


def test_labels_that_are_asked_for_are_there(told: dict[str, str]) -> None:
    """By one expression: each has series of one family, or of several without labels of their own."""
    known = labels()
    for one in [*questions(json.loads(DASHBOARD)), *alerts()]:
        wanted = {name.strip() for found in _LABELS.findall(one) for name in ",".join(found).split(",")} - {""}
        there = {name for family in _NAME.findall(one) for name in known.get(samples(told)[family], ())}
        assert wanted - OF_PROMETHEUS <= there, one


def labels() -> dict[str, tuple[str, ...]]:
    counted = {
        one._name: one._labelnames for one in metrics._counted._collector_to_names if hasattr(one, "_labelnames")
    }
    read = {name: (one.label,) for name, one in metrics._readings.items()}
    return counted | read | {"greenroom_build_info": ("version", "process")}


def test_every_panel_says_where_its_numbers_come_from() -> None:
    panels = [one for one in json.loads(DASHBOARD)["panels"] if one["type"] != "row"]
    assert {one["datasource"]["uid"] for one in panels} == {"${datasource}"}
    assert len({one["id"] for one in panels}) == len(panels) == len({one["title"] for one in panels})
