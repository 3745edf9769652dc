"""What search engines are told about ratings (schema.org), as data; the template writes it with `tojson`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from service.comments.rendering import text_of

_LONGEST_REVIEW = 1_000


def rating_data(document: dict[str, Any], schema_type: str) -> dict[str, Any] | None:
    """AggregateRating and Reviews of a thread. None without ratings, a type, or a title to name what is rated.

    schema.org wants the scale named (`bestRating`, `worstRating`) wherever it is not 1 to 5: always is simpler.
    """
    page, rating = document["page"], document["page"]["rating"]
    if not (schema_type and rating and page["title"]):
        return None
    item = {"@type": schema_type, "name": page["title"]} | ({"url": page["url"]} if page["url"] else {})
    scale = {"bestRating": rating["best"], "worstRating": rating["worst"]}
    aggregate = {
        "@type": "AggregateRating",
        "itemReviewed": item,
        "ratingValue": rating["average"],
        "ratingCount": rating["count"],
    }
    reviews = [_review(one, item, scale) for one in _rated(document["comments"])]
    return {"@context": "https://schema.org", "@graph": [aggregate | scale, *reviews]}


def _review(comment: dict[str, Any], item: dict[str, Any], scale: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "Review",
        "itemReviewed": item,
        "author": {"@type": "Person", "name": comment["author"]["name"]},
        "datePublished": comment["created_at"],
        "reviewBody": text_of(comment["html"], _LONGEST_REVIEW),
        "reviewRating": {"@type": "Rating", "ratingValue": comment["rating"]} | scale,
    }


def _rated(comments: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every published comment with a rating, replies included."""
    for one in comments:
        if one.get("rating") is not None:
            yield one
        yield from _rated(one["replies"])
