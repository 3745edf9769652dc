"""Questions about sites and pages, and the counters kept in step with their rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, and_, bindparam, cast, or_, select, true, tuple_, update
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.util import identity_key

from service.db import db, insert_if_new, run, table_of
from service.pagination import Page as Rows
from service.pagination import Position, page_of
from service.sites.models import Page, PageAddress, RatingCount, RejectReason, Site

_SITE_OF = select(Site).where(Site.key == bindparam("key"))
_AT = and_(
    PageAddress.page_id == Page.id, PageAddress.site_id == bindparam("site"), PageAddress.key == bindparam("key")
)
_PAGE_AT = select(Page).join(PageAddress, _AT)
_KEYS = table_of(PageAddress).c
_KEY_AT = (
    select(table_of(Page).c.key)
    .join(table_of(PageAddress), _KEYS.page_id == table_of(Page).c.id)
    .where(_KEYS.site_id == bindparam("site"), _KEYS.key == bindparam("key"))
)
_LOCKED = select(Page).with_for_update(key_share=True, of=Page).execution_options(populate_existing=True)
_LOCKED_AT = _LOCKED.join(PageAddress, _AT)
_PAGES, _BARS = table_of(Page), table_of(RatingCount)
_LOCK = select(_PAGES.c.id).where(_PAGES.c.id == bindparam("page")).with_for_update(key_share=True)
_COUNT = (
    update(_PAGES)
    .where(_PAGES.c.id == bindparam("page"))
    .values(comment_count=_PAGES.c.comment_count + bindparam("by"))
)
_COUNT_RATING = (
    update(_BARS)
    .where(*(_BARS.c[name] == bindparam(f"of_{name}") for name in ("page_id", "scale", "value")))
    .values(count=_BARS.c.count + bindparam("by"))
)


def site_of(key: str) -> Site | None:
    return db.session.scalar(_SITE_OF, {"key": key})


def site_by_id(site_id: UUID) -> Site | None:
    return db.session.get(Site, site_id)


def locked_site(site_id: UUID) -> Site:
    """A site as it is now, locked until the commit; its pages and comments may be added to meanwhile."""
    locked = select(Site).where(Site.id == site_id).with_for_update(key_share=True)
    return db.session.scalars(locked.execution_options(populate_existing=True)).one()


def sites() -> Sequence[Site]:
    return db.session.scalars(select(Site).order_by(Site.key)).all()


def reasons_of(site_ids: Collection[UUID]) -> dict[UUID, list[RejectReason]]:
    """The reasons that moderators of some sites are offered, in their order."""
    rows = select(RejectReason).where(RejectReason.site_id.in_(list(site_ids)), RejectReason.retired_at.is_(None))
    found: dict[UUID, list[RejectReason]] = {site_id: [] for site_id in site_ids}
    for one in db.session.scalars(rows.order_by(RejectReason.place, RejectReason.code)):
        found[one.site_id].append(one)
    return found


def reason(site_id: UUID, code: str) -> RejectReason | None:
    """A reason of a site, retired or not."""
    return db.session.get(RejectReason, (site_id, code))


def every_reason(site_id: UUID) -> dict[str, RejectReason]:
    """Every reason that a site has or had, by code. Nobody else changes them before the commit."""
    db.session.execute(select(Site.id).where(Site.id == site_id).with_for_update(key_share=True))
    rows = select(RejectReason).where(RejectReason.site_id == site_id).order_by(RejectReason.place, RejectReason.code)
    return {one.code: one for one in db.session.scalars(rows.execution_options(populate_existing=True))}


def sentences(site_ids: Collection[UUID], codes: Collection[str]) -> dict[tuple[UUID, str], str]:
    """What the authors of rejected comments are told, by site and code."""
    at = (RejectReason.site_id.in_(list(site_ids)), RejectReason.code.in_(list(codes)))
    rows = select(RejectReason.site_id, RejectReason.code, RejectReason.sentence).where(*at)
    return {(site_id, code): sentence for site_id, code, sentence in db.session.execute(rows)} if codes else {}


def is_listed(origin: str) -> bool:
    """Whether any site lists an origin."""
    return any(origin in origins for origins in db.session.scalars(select(Site.origins)))


def listed(site_ids: Collection[UUID], after: Position | None, limit: int) -> Rows[Site]:
    """Some sites, the oldest first, keyset-paged."""
    rows = select(Site).where(Site.id.in_(list(site_ids)))
    if after:
        rows = rows.where(tuple_(Site.created_at, Site.id) > (after.at, after.id))
    found = db.session.scalars(rows.order_by(Site.created_at, Site.id).limit(limit + 1)).all()
    return page_of(found, limit, lambda site: Position(site.created_at, site.id))


def page_at(site: Site, key: str) -> Page | None:
    """The page that an address leads to."""
    return db.session.scalar(_PAGE_AT, {"site": site.id, "key": key})


def key_of(site_id: UUID, key: str) -> str:
    """The key of the page that an address leads to; the address itself where there is none."""
    return run(_KEY_AT, site=site_id, key=key).scalar() or key


def locked_page_at(site: Site, key: str) -> Page | None:
    """The same, read anew and locked: see `lock_page`."""
    return db.session.scalar(_LOCKED_AT, {"site": site.id, "key": key})


def pages_at(site: Site, keys: Iterable[str]) -> dict[str, Page]:
    """The pages that some addresses lead to, by address."""
    at = and_(PageAddress.site_id == site.id, PageAddress.key.in_(list(keys)))
    rows = select(PageAddress.key, Page).join(Page, PageAddress.page_id == Page.id).where(at)
    return dict(db.session.execute(rows).all())


def pages_on(site: Site, origin: str) -> Sequence[Page]:
    """The pages of a site whose address is on an origin."""
    there = Page.url.startswith(f"{origin}/", autoescape=True)
    return db.session.scalars(select(Page).where(Page.site_id == site.id, there)).all()


def is_of(column: Any, sites: Collection[UUID] | None) -> Any:
    """The condition that a row is of one of these sites; None for any.

    Asked together with the row, so that what is another site's takes as long as what is not there.
    """
    return true() if sites is None else column.in_(list(sites))


def page_by_id(page_id: UUID, sites: Collection[UUID] | None) -> Page | None:
    return db.session.scalar(select(Page).where(Page.id == page_id, is_of(Page.site_id, sites)))


def lock_page(page_id: UUID) -> None:
    """Lock a page, to be read anew. Whoever changes a page, its thread or its counts locks it first.

    One lock for a whole thread: with one for each comment, two who climb the same tree would wait for each other.
    Comments may be added meanwhile (a reference to the page needs its key only). Several pages: in order of id.
    """
    run(_LOCK, page=page_id)
    read_anew(page_id)


def read_anew(page_id: UUID) -> None:
    """Forget what is known of a page that has just been locked."""
    known = db.session.identity_map.get(identity_key(Page, page_id))
    if known is not None:
        db.session.expire(known)


def pages(site_ids: Sequence[UUID], after: Position | None, limit: int) -> Rows[Page]:
    """The newest pages of some sites first, keyset-paged."""
    rows = select(Page).where(Page.site_id.in_(site_ids)).options(joinedload(Page.site))
    if after:
        rows = rows.where(or_(Page.created_at < after.at, and_(Page.created_at == after.at, Page.id < after.id)))
    found = db.session.scalars(rows.order_by(Page.created_at.desc(), Page.id.desc()).limit(limit + 1)).all()
    return page_of(found, limit, lambda page: Position(page.created_at, page.id))


def claim_address(site_id: UUID, key: str, page_id: UUID) -> bool:
    """Give an address to a page; False when another page has it (also one of another transaction)."""
    return insert_if_new(PageAddress, {"site_id": site_id, "key": key, "page_id": page_id})


def count_comment(page_id: UUID, by: int) -> None:
    """Change a page's counter of published comments."""
    run(_COUNT, page=page_id, by=by)


def count_rating(page_id: UUID, scale: float, value: float, by: int) -> None:
    """Change one bar of a page's histogram."""
    at = {"page_id": page_id, "scale": scale, "value": value}
    insert_if_new(RatingCount, at | {"count": 0})
    run(_COUNT_RATING, by=by, **{f"of_{name}": one for name, one in at.items()})


def has_ratings_off(site: Site, scale: float, *, halves: bool) -> bool:
    """Whether anybody has rated a page of the site, published or not, as this scale does not allow."""
    off = RatingCount.scale != scale
    if not halves:
        off = or_(off, RatingCount.value != cast(RatingCount.value, Integer))
    rated = select(RatingCount.page_id).join(Page, Page.id == RatingCount.page_id).where(Page.site_id == site.id, off)
    return db.session.scalar(rated.limit(1)) is not None


def histograms(page_ids: Sequence[UUID], scale: float) -> dict[UUID, dict[float, int]]:
    """The approved ratings of some pages on one scale: {page: {value: count}}."""
    rows = select(RatingCount.page_id, RatingCount.value, RatingCount.count).where(
        RatingCount.page_id.in_(page_ids), RatingCount.scale == scale, RatingCount.count > 0
    )
    found: dict[UUID, dict[float, int]] = {}
    for page_id, value, count in db.session.execute(rows.order_by(RatingCount.value)):
        found.setdefault(page_id, {})[value] = count
    return found


def lock_sites(site_ids: Sequence[UUID]) -> None:
    """Let nobody else share out comments of these sites until the commit."""
    rows = select(Site.id).where(Site.id.in_(site_ids)).order_by(Site.id)
    db.session.execute(rows.with_for_update(key_share=True))
