"""A moderator who calls the API."""

from __future__ import annotations

from tests.moderation.conftest import desk as desk
