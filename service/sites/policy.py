"""The words a site's policy is written in; table and shape both speak them."""

from __future__ import annotations

MODES = ("pre", "post", "first_timers")
SCHEMA_TYPES = (
    "", "Article", "Book", "Course", "CreativeWorkSeries", "Event", "Game", "LocalBusiness", "Movie", "MusicAlbum",
    "Product", "Recipe", "SoftwareApplication", "TVSeries",
)  # fmt: skip
REJECT_REASONS = {
    "off-topic": ("Off topic", "Your comment is not about what this page is about."),
    "insult": ("Insult", "Your comment insults somebody. Please say the same without."),
    "advertising": ("Advertising", "Your comment advertises something."),
    "illegal": ("Against the law", "Your comment holds something that the law does not let us publish."),
    "unreadable": ("Cannot be read", "Nobody here could make out what your comment says."),
}
"""Why comments are rejected on a new site: a code, a title for moderators, and a sentence for authors."""
