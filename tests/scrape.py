"""What a scrape tells, as a mapping to ask."""

from __future__ import annotations

from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from service import metrics

Series = tuple[str, frozenset[tuple[str, str]]]


def series(text: str) -> dict[Series, float]:
    """Each value of a page, by its name and its labels."""
    families = text_string_to_metric_families(text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


class Scrape:
    """A page of metrics, as it is when this is made."""

    def __init__(self, app: Flask) -> None:
        self.text = metrics.page(app).decode()
        self.series = series(self.text)

    def value(self, name: str, /, **labels: str) -> float:
        """0 where there is none yet."""
        return self.series.get((name, frozenset(labels.items())), 0.0)
