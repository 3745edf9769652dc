"""Sites to embed."""

from __future__ import annotations

import pytest
from flask import Flask

from service.sites.models import Site
from tests.conftest import ORIGIN, add_site


@pytest.fixture
def open_site(app: Flask) -> Site:
    """A site that publishes at once, and takes ratings up to ten."""
    return add_site("blog", [ORIGIN], mode="post", rating_max=10.0, schema_type="TVSeries")
