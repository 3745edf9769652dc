"""Hostile texts in every field that a site keeps: what visitors type, imports bring and moderators write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from service.accounts import operations as accounts
from service.accounts.models import ApiToken, Invite, Moderator, Passkey
from service.audit.operations import Deed, record
from service.comments.models import Comment, CommentRevision, HoldReason
from service.comments.operations import token_digest
from service.comments.plaintext import PlainTextError, clean_body, clean_website, mend_line
from service.db import db, new_id, now, transaction
from service.filters.models import SavedFilter
from service.moderation.models import Claim
from service.moderation.queries import LEASE
from service.reactions.models import Report
from service.rules.models import Rule
from service.sites.addresses import canonical
from service.sites.models import Page, PageAddress, RejectReason, Site
from service.transfer import operations as transfer
from service.transfer.cleaning import Cleaned, Target, cleaned
from service.transfer.foreign import ForeignComment, ForeignPage
from service.webhooks.models import Attempt, Delivery, Endpoint
from service.webhooks.outbox import announce
from tests.conftest import add_site
from tests.desk.conftest import PASSWORD

KEY, ORIGIN = "demo", "https://blog.example.org"
MODERATOR = "moderator@staff.example.org"
AT_ONCE = 100
"""Texts planted together: as many as the queue shows, and twice as many as a feed."""
TENTH = 10
"""Of so many texts one is the title of a reason, which every comment offers, and the name of who took what waits."""


@dataclass(frozen=True)
class Own:
    """A text as title and address of a page of its own, with the one comment on it."""

    text: str
    page: str
    comment: UUID

    @property
    def token(self) -> str:
        """Its author's."""
        return f"gra_{self.comment}"


@dataclass(frozen=True)
class Planted:
    """Some texts, all of them in every field of the comments on `page`; `kept` is the one with their record."""

    texts: tuple[str, ...]
    page: str
    kept: UUID
    hook: UUID
    own: tuple[Own, ...]


class Garden:
    """A site that shows all it can: ratings with data for search engines, a privacy note, shallow threads."""

    def __init__(self, name: str) -> None:
        """A new site, and a moderator by that name."""
        self.site = add_site(KEY, [ORIGIN], rating_max=5.0, schema_type="TVSeries", depth=2)
        self.target, self.grown = Target.of(self.site), 0
        with transaction():
            person = accounts.add_moderator(MODERATOR, line(name, 80), PASSWORD, actor="test")
            accounts.grant(person, self.site.id, "owner", actor="test")
            self.hook, self.sent = self._hook()
            self.person, self.team = person.id, self._team()
            self.actor, self.import_id = f"moderator:{person.id}", transfer.begin(self.site.id, "test", "test")
            self._pages({"/": ""})
            self.waiting = self._waiting()

    def plant(self, texts: Sequence[str]) -> Planted:
        """The texts as the newest of the site, in the fields of comments, pages, decisions and of the site itself."""
        self.grown += 1
        path, first = f"/shared/{self.grown}", line(texts[0], 200)
        with transaction():
            site = db.session.get_one(Site, self.site.id)
            site.name = site.privacy_text = first
            site.privacy_url = f"{ORIGIN}/{first}"
            (page,) = self._pages({path: first})
            talk = self._talk(page, texts)
            kept = talk[0]
            self._keep(kept, texts)
            self._at_the_desk(talk, texts)
            own = self._alone(texts)
            # The address of the review at `/` leads to this page for now.
            db.session.get_one(PageAddress, (self.site.id, _FRONT)).page_id = page
        return Planted(tuple(texts), path, kept, self.hook, tuple(own))

    def _pages(self, titles: dict[str, str]) -> list[UUID]:
        """Pages by their paths, each with a title, at an address that nobody checked."""
        made = [
            Page(
                id=new_id(), site_id=self.site.id, key=canonical(path, origins=[ORIGIN]).key,
                url=f"{ORIGIN}{path}/{title}", title=title,
            )
            for path, title in titles.items()
        ]  # fmt: skip
        db.session.add_all(made)
        db.session.flush()
        db.session.add_all(PageAddress(site_id=one.site_id, key=one.key, page_id=one.id) for one in made)
        db.session.flush()
        return [one.id for one in made]

    def _talk(self, page: UUID, texts: Sequence[str]) -> list[UUID]:
        """Each text as a comment; three of four answer the one before, which is deeper than the site shows."""
        told = [self._comment(text, page, _FORMATS[number % 2]) for number, text in enumerate(texts)]
        for number, one in enumerate(told):
            if number % 4:
                one.comment.parent_id = told[number - 1].comment.id
            self._decide(one.comment, texts[number])
        transfer.bring(self.site, told, self.import_id)
        return [one.comment.id for one in told]

    def _alone(self, texts: Sequence[str]) -> list[Own]:
        """Each text once more, in the other format, on a page of its own; from a website that nobody checked.

        From the last to the first, so that the feed of all shows the half that the feed of their page has no room for.
        """
        paths = [f"/own/{self.grown}-{number}" for number in range(len(texts))]
        pages = self._pages({path: line(text, 300) for path, text in zip(paths, texts, strict=True)})
        own, told = [], []
        for number in reversed(range(len(texts))):
            text = texts[number]
            one = self._comment(text, pages[number], _FORMATS[1 - number % 2])
            one.comment.website = f"https://x.example.org/{line(text, 200)}"[:200]
            own.append(Own(text, paths[number], one.comment.id))
            told.append(one)
        transfer.bring(self.site, told, self.import_id)
        for one in own:
            self._wish(one)
        return own[::-1]

    def _wish(self, own: Own) -> None:
        """Its author, who has a token, wants the text once more in its place."""
        author = db.session.get_one(Comment, own.comment).author
        author.token_digest = token_digest(own.token)
        wish = CommentRevision(
            id=new_id(), comment_id=own.comment, state="held", body=said(own.text), body_format="md",
            by=f"author:{author.id}", created_at=now(),
        )  # fmt: skip
        db.session.add(wish)

    def _comment(self, text: str, page: UUID, body_format: Any) -> Cleaned:
        row = ForeignComment(
            source_id=new_id().hex, parent_source_id=None, page=_NOWHERE, name=text, email="ada@mail.example.org",
            website=website(text), ip=None, body=said(text), body_format=body_format, created_at=None,
            status="approved", kind="comment", rating=None, rating_scale=None, source_status="", source_kind="",
        )  # fmt: skip
        one = cleaned(row, "test", self.target)
        one.comment.page_id, one.comment.rating, one.comment.rating_scale = page, 4.0, 5.0
        return one

    def _decide(self, one: Comment, text: str) -> None:
        """What moderators and rules wrote about it."""
        one.decided_at, one.decided_by, one.decided_name, one.reason = now(), "test", line(text, 80), line(text, 500)
        one.reasons = [HoldReason(n=0, code=line(text, 40), detail=line(text, 300))]
        one.edited_at = now()

    def _keep(self, comment: UUID, texts: Sequence[str]) -> None:
        """Every text as an earlier one of a comment, as reason and note of a decision about it, and in a report."""
        for text in texts:
            words = said(text)
            revision = CommentRevision(
                id=new_id(), comment_id=comment, state="published", body=words, body_format="md",
                by=self.actor, created_at=now(),
            )  # fmt: skip
            db.session.add(revision)
            who = {"device_digest": new_id().bytes, "site_id": self.site.id}
            db.session.add(Report(comment_id=comment, reason="other", note=line(text, 500), **who))
            record(Deed("comment.approved", self.actor, self.site.id, comment, {"reason": words, "note": words}))
            db.session.add(self._rule(line(text, 500), line(text, 80)))

    def _team(self) -> list[UUID]:
        """People with a role on the site, who are given other names each time."""
        people = [accounts.add_moderator(f"p{n}@staff.example.org", "Kim", None, actor="test") for n in range(AT_ONCE)]
        for one in people:
            accounts.grant(one, self.site.id, "viewer", actor="test")
        return [one.id for one in people]

    def _waiting(self) -> list[UUID]:
        """Comments that wait, for somebody to have taken them; they are unlike, so that they stay apart."""
        (page,) = self._pages({"/waiting": "Waiting"})
        told = [replace(self._comment("Ada", page, "md"), status="pending") for _ in range(0, AT_ONCE, TENTH)]
        for one in told:
            one.comment.body = new_id().hex
        transfer.bring(self.site, told, self.import_id)
        return [one.comment.id for one in told]

    def _at_the_desk(self, talk: Sequence[UUID], texts: Sequence[str]) -> None:
        """Every text in what moderators keep, and as their names, in the place of those before."""
        self._clear_the_desk()
        self._hear(texts)
        me, soon, taken = {"moderator_id": self.person}, now() + timedelta(days=1), now() + LEASE
        for number, text in enumerate(texts):
            name, some = line(text, 80), new_id().bytes
            db.session.get_one(Moderator, self.team[number]).name = name
            db.session.add_all(
                (
                    SavedFilter(name=line(text, 60), filter={"status": "deleted"}, **me),
                    ApiToken(name=name, digest=some, scopes=["read"], expires_at=soon, **me),
                    Passkey(name=name, credential_id=some, public_key=some, **me),
                    Invite(site_id=self.site.id, role="viewer", name=name, digest=some, by=self.actor, expires_at=soon),
                    Claim(comment_id=talk[number], moderator_id=new_id(), name=name, until=taken),
                )
            )
        for number, text in enumerate(texts[::TENTH]):
            named = {"code": f"c{number}", "title": line(text, 80), "sentence": line(text, 300)}
            db.session.add(RejectReason(site_id=self.site.id, place=number, **named))
            by = {"moderator_id": new_id(), "name": line(text, 80)}
            db.session.add(Claim(comment_id=self.waiting[number], until=taken, **by))

    def _hook(self) -> tuple[UUID, UUID]:
        """An endpoint that nothing was sent to yet, and a delivery to it."""
        event = announce("ping", self.site.id, new_id(), {})
        hook = Endpoint(
            id=new_id(), site_id=self.site.id, url=f"{ORIGIN}/hook", events=[], secret_sealed=b"x", created_by="test",
            failing_since=now(), disabled_at=now(), disabled_because="Nothing came through for five days.",
        )  # fmt: skip
        delivery = Delivery(id=new_id(), endpoint_id=hook.id, event_id=event, state="failed", done_at=now())
        db.session.add(hook)
        db.session.flush()
        db.session.add(delivery)
        db.session.flush()
        return hook.id, delivery.id

    def _hear(self, texts: Sequence[str]) -> None:
        """Every text as what a receiver answered, and the first as a note on it."""
        db.session.get_one(Endpoint, self.hook).note = line(texts[0], 200)
        db.session.execute(delete(Attempt))
        for text in texts:
            of = {"delivery_id": self.sent, "endpoint_id": self.hook, "milliseconds": 7, "status": 500}
            db.session.add(Attempt(id=new_id(), excerpt=line(text, 1_024), **of))

    def _clear_the_desk(self) -> None:
        for model, which in (
            (SavedFilter, SavedFilter.moderator_id == self.person),
            (ApiToken, ApiToken.expires_at.is_not(None)),  # and not the token by which programs ask
            (Passkey, Passkey.moderator_id == self.person),
            (Invite, Invite.site_id == self.site.id),
            (RejectReason, RejectReason.site_id == self.site.id),
        ):
            db.session.execute(delete(model).where(which))
        db.session.execute(delete(Claim))

    def _rule(self, note: str, name: str) -> Rule:
        """A rule about nobody who is there, with words of whoever made it."""
        return Rule(
            id=new_id(), site_id=self.site.id, kind="domain", value=f"d{new_id().hex}.example", effect="hold",
            note=note, created_by=self.actor, created_name=name,
        )  # fmt: skip


_FORMATS = ("md", "html")
_FRONT = canonical("/", origins=[ORIGIN]).key
_NOWHERE = ForeignPage(source_id="1", url=None, title="", kind="post", created_at=None, closed=False, published=True)


def line(text: str, length: int) -> str:
    """A text as a line may hold it: every mark of markup stays."""
    return mend_line(text, max_length=length, fallback="Ada")


def said(text: str) -> str:
    """A text as a body may hold it."""
    try:
        return clean_body(text)
    except PlainTextError:
        return line(text, 10_000)


def website(text: str) -> str | None:
    """An address on the web with as much of a text in it as is let through; None when nothing is."""
    for tried in (text, f"https://x.example.org/{text}", f"https://x.example.org/?{''.join(text.split())}"):
        try:
            return clean_website(tried)
        except PlainTextError:
            continue
    return None
