"""The words a site's policy is written in; table and shape both speak them."""

from __future__ import annotations

MODES = ("pre", "post", "first_timers")
SCHEMA_TYPES = (
    "", "Article", "Book", "Course", "CreativeWorkSeries", "Event", "Game", "LocalBusiness", "Movie", "MusicAlbum",
    "Product", "Recipe", "SoftwareApplication", "TVSeries",
)  # fmt: skip
