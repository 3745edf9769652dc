"""What events tell about a page."""

from __future__ import annotations

from typing import Any

from service.sites.models import Page


def page_view(page: Page) -> dict[str, Any]:
    """A page as events tell it."""
    state = "closed" if page.closed_since() else "open"
    return {"id": str(page.id), "url": page.url, "title": page.title, "state": state}
