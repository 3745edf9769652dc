"""A moderator by API, and a clock that stands still."""

from __future__ import annotations

from tests.moderation.conftest import desk as desk
from tests.moderation.still import clock as clock
