"""Who asks at the doors of the desk where no token is enough: somebody at a browser, outside, halfway in, or inside."""

from __future__ import annotations

from passlib.totp import TOTP

from service.accounts import factors, invites
from service.accounts.models import Moderator
from service.db import db, now, transaction
from tests.desk.conftest import HOME, Browser

from .callers import SignedIn
from .doors import Door
from .world import World

_OUTSIDE = "/desk/sign-"
_INSIDE = ("/desk/account", "/desk/sign-out")
_HALFWAY = "/desk/sign-in/code"
_BY_PASSKEY = "/desk/sign-in/passkey"
_ADMIN = "admin@staff.example.org"
_WITH_CODES = "owner@blog.example.org"


class InPerson:
    """Browsers for one world, each opened when a door first wants it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._inside: SignedIn | None = None
        self._outside: Browser | None = None
        self._csrf = ""
        self._who: tuple[str, str] | None = None
        self._is_invited = True

    @staticmethod
    def is_wanted(door: Door) -> bool:
        return door.rule.startswith((_OUTSIDE, *_INSIDE))

    def get_ready(self, door: Door) -> None:
        """Be where the door finds somebody: before anybody looks at what is written."""
        if door.rule.startswith(_INSIDE):
            if self._inside is None:
                self._inside = SignedIn(self._world, _ADMIN)
            if "credential" in (door.form or {}):
                asked = {"data": {"old": self._world.password}, "headers": self._told(self._inside)}
                self._inside.post("/desk/account/passkey", **asked)
            return
        if self._outside is None:
            self._outside = Browser(self._world.app, self._world.app.test_client().response_wrapper, use_cookies=True)
            self._csrf = SignedIn._token_of(self._outside, "/desk/sign-in")  # type: ignore[arg-type]
        if door.rule == _HALFWAY:
            self._show_a_password(self._outside)
        if door.rule == _BY_PASSKEY:
            self._outside.get(_BY_PASSKEY)
        if "{link}" in f"{door.form}" and not self._is_invited:
            self._invite_again()

    def browser(self, door: Door) -> tuple[Browser, dict[str, str]]:
        """Who asks, and what their page sends along."""
        browser = self._inside if door.rule.startswith(_INSIDE) else self._outside
        assert browser is not None, "nobody is ready"
        return browser, self._told(browser)

    def is_done(self, door: Door) -> None:
        """Something came of a request: an invitation is used, a session begun, a password changed."""
        self._is_invited = self._is_invited and "accept" not in (door.form or {})
        if not door.rule.startswith(_INSIDE):
            self._outside = None
        if door.rule == "/desk/sign-out":
            self._inside = None

    def _told(self, browser: Browser) -> dict[str, str]:
        csrf = browser.csrf if isinstance(browser, SignedIn) else self._csrf
        return {"Origin": HOME, "X-CSRFToken": csrf}

    def _show_a_password(self, browser: Browser) -> None:
        """As whoever has codes is after their password: anew before each code, since a good one ends it."""
        if self._who is None:
            with transaction():
                person = db.session.query(Moderator).filter_by(email=_WITH_CODES).one()
                secret = factors.start(person)
                factors.confirm(person, str(TOTP(secret).generate().token), factors.mark_of(secret))
                self._who = str(person.id), person.fs_uniquifier
        with browser.session_transaction() as session:
            session["halfway"] = [*self._who, int(now().timestamp()), "/desk/"]

    def _invite_again(self) -> None:
        site = self._world.a.site
        with transaction():
            owner = db.session.query(Moderator).filter_by(email=f"owner@{site.key}.example.org").one()
            self._world.a.link = invites.invite(site.id, "viewer", "", actor=f"moderator:{owner.id}").secret
        self._is_invited = True
