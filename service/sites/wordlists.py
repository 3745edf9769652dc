"""A site's lists of words, ready to be looked up: made once for each version of its settings."""

from __future__ import annotations

from uuid import UUID

from service.sites.models import Site
from service.spam.words import Lists, compiled

_MOST = 64
"""Sites whose lists are kept at hand."""
_known: dict[UUID, tuple[int, Lists]] = {}


def lists_of(site: Site) -> Lists:
    """The words of a site that hold a comment, and those that make it spam."""
    version, lists = _known.get(site.id, (0, Lists()))
    if version == site.version:
        return lists
    lists = Lists(compiled(site.hold_words), compiled(site.spam_words))
    while len(_known) >= _MOST:
        _known.pop(next(iter(_known)), None)
    _known[site.id] = site.version, lists
    return lists
