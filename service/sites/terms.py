"""What a site tells whoever wants to write: what is kept of them, and why a page takes nothing."""

from __future__ import annotations

from service.sites.models import Page, Site


def privacy_text(site: Site) -> str:
    """The site's line about privacy; for a site that has none of its own, one that is so on every site."""
    if site.privacy_text:
        return site.privacy_text
    kept = "Your email address, encrypted, and a code for your network are kept for moderators only"
    told = f"{kept}, and forgotten after {several(site.retention_days, 'day', 'days')}."
    return f"What you write may be published, with your name and website. {told}"


def why_closed(page: Page | None) -> str | None:
    """Since when, and why, a page takes no comments; None when it does."""
    since = page.closed_since() if page else None
    if page is None or since is None:
        return None
    by_age = "" if page.closed_at else f", {several(page.site.close_after_days or 0, 'day', 'days')} after they opened"
    return f"Comments on this page closed on {since:%-d %B %Y}{by_age}."


def several(count: int, one: str, many: str) -> str:
    """`1 comment`, `2 comments`, `1,200 comments`."""
    return f"{count:,} {one if count == 1 else many}"
