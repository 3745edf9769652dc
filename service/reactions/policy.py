"""What readers say is wrong with a comment; table and shape both speak these words."""

from __future__ import annotations

REASONS = {
    "spam": "spam",
    "abuse": "abuse",
    "private": "private details",
    "off-topic": "off topic",
    "other": "something else",
}
"""The code of a reason → how moderators read it."""
