"""Take the manual's pictures of the desk: `python docs/pictures.py`. Look at them before you keep them."""

from __future__ import annotations

import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import time_machine
from flask import Flask
from werkzeug.serving import make_server

sys.path.insert(0, str(Path(__file__).parents[1]))

from service.accounts import operations as accounts
from service.accounts.principal import Principal, of_moderator
from service.app import create_app
from service.cli.operate import upgrade
from service.config import Settings
from service.db import transaction
from service.moderation import operations
from service.moderation.operations import Verdict
from service.sites import operations as sites
from tests.browser import launched
from tests.processes import free_port

IMAGES = Path(__file__).parent / "images"
PASSWORD = "a picture of a desk"  # noqa: S105
NOW = datetime(2026, 3, 20, 16, 40, tzinfo=UTC)
WIDE = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "color_scheme": "dark"}

FILM, BOOK = ("/reviews/salt-ledger", "The Salt Ledger"), ("/reviews/night-ferry", "The Night Ferry")
WAITING = [
    (FILM, "Ines Carvalho", 9, 71, 'Watched all six in two evenings. The **Friday queue** is the best on television.'),
    (FILM, "Rufus Adeyemi", 6, 58, 'The courtroom hour drags.\n\n> an audience to do the sum\n\nExactly that.'),
    (BOOK, "Best Watches", None, 52, 'Wonderful page! [Cheap watches](https://watches.example/buy) and [more](https://watches.example/more).'),
    (BOOK, "Cheap Watches", None, 50, 'Great page! [Cheap watches](https://watches.example/sale) and [more](https://watches.example/now).'),
    (BOOK, "Marta Ilves", 8, 33, 'Does anybody know whether the ferry still runs? I would go for the harbour alone.'),
    (FILM, "Tomás Quill", 10, 12, 'Second viewing: the foreman never blinks in the first episode. Not once.'),
]  # fmt: skip
"""Page, name, rating, how many minutes ago, and the text."""


class Story:
    """A site of reviews, with a month of decisions behind it."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        with transaction():
            self.site = sites.add_site("second-screen", "Second Screen", ["https://second-screen.example"], actor="cli")
            sites.change_site(self.site, {"rating_max": 10, "target_age_minutes": 60}, actor="cli")
            self.anna, self.bert = (self._moderator(name) for name in ("Anna", "Bert"))

    def _moderator(self, name: str) -> Principal:
        made = accounts.add_moderator(f"{name}@second-screen.example", name, PASSWORD, actor="cli")
        accounts.grant(made, self.site.id, "moderator", actor="cli")
        return of_moderator(made)

    def says(self, page: tuple[str, str], name: str, body: str, rating: int | None = None) -> tuple[UUID, str]:
        sent = {"page": page[0], "page_title": page[1], "name": name, "body": body, "rating": rating}
        sent["email"] = f"{name.lower().replace(' ', '.').encode('ascii', 'ignore').decode()}@mail.example.org"
        answer = self.client.post("/v1/sites/second-screen/comments", json={k: v for k, v in sent.items() if v})
        assert answer.status_code < 300, answer.text
        return UUID(answer.json["id"]), answer.json["author_token"]

    def month(self) -> None:
        """Decisions of thirty days, more of them by day than by night, some of them thought better of."""
        dice = random.Random(8)  # noqa: S311
        for ago in sorted(dice.sample(range(2, 30 * 24), 170), reverse=True):
            with time_machine.travel(NOW - timedelta(hours=ago), tick=False):
                person = (
                    f"{dice.choice(('Lena', 'Amir', 'Joan', 'Piet'))} {dice.choice(('Holm', 'Vos', 'Adler', 'Roy'))}"
                )
                said, _ = self.says(dice.choice((FILM, BOOK)), person, f"A thought of {ago} hours ago.")
                who = dice.choice((self.anna, self.bert, self.bert))
                self._decide(said, first := dice.choice(("approve", "approve", "approve", "reject", "spam")), who)
            if dice.random() < 0.06:
                with time_machine.travel(NOW - timedelta(hours=ago - 1), tick=False):
                    self._decide(said, "reject" if first == "approve" else "approve", self.anna)

    def _decide(self, comment: UUID, decision: str, who: Principal) -> None:
        with transaction():
            operations.decide(comment, Verdict(decision), who, "*")

    def today(self) -> str:
        """What waits now. The id of a published comment whose author has changed it since."""
        with time_machine.travel(NOW - timedelta(hours=26), tick=False):
            changed, token = self.says(FILM, "Lena Holm", "The best score of the year, and the dullest ending.", 7)
            self._decide(changed, "approve", self.bert)
            with transaction():
                operations.note(changed, "Wrote to us about the ending, too: friendly.", self.anna)
        for page, name, rating, ago, body in WAITING:
            with time_machine.travel(NOW - timedelta(minutes=ago), tick=False):
                self.says(page, name, body, rating)
        with time_machine.travel(NOW - timedelta(minutes=4), tick=False):
            self.client.patch(
                "/v1/mine",
                json={"id": str(changed), "body": "The best score of the year, and an ending that grows on you."},
                headers={"Authorization": f"Author {token}"},
            )
        return str(changed)


@contextmanager
def served(app: Flask, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()


def take(url: str, changed: str) -> None:
    with launched() as chromium:
        page = signed_in(chromium.new_context(**WIDE), url)
        page.screenshot(path=IMAGES / "desk.png")
        page.goto(f"{url}/desk/comments/{changed}")
        page.screenshot(path=IMAGES / "item.png", full_page=True)
        page.goto(f"{url}/desk/people/{changed}")
        page.screenshot(path=IMAGES / "person.png")
        page.goto(f"{url}/desk/numbers")
        page.screenshot(path=IMAGES / "numbers.png", full_page=True)
        phone = signed_in(chromium.new_context(**PHONE), url)
        phone.screenshot(path=IMAGES / "phone.png")


def signed_in(context: Any, url: str) -> Any:
    page = context.new_page()
    page.goto(f"{url}/desk/")
    page.fill("#email", "anna@second-screen.example")
    page.fill("#password", PASSWORD)
    page.click("main button")
    page.wait_for_selector("#show-keys")
    return page


def main() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as place:
        app = create_app(
            replace(
                Settings(), database_url=f"sqlite:///{place}/pictures.db", keys_file=f"{place}/keys", undo_seconds=0.0,
                public_url=f"http://127.0.0.1:{port}", limits_enabled=False, form_min_seconds=0.0, log_level="ERROR",
            )
        )  # fmt: skip
        with app.app_context():
            upgrade()
            with time_machine.travel(NOW - timedelta(days=40), tick=False):
                story = Story(app)
            story.month()
            changed = story.today()
        with served(app, port), time_machine.travel(NOW, tick=True):
            take(f"http://127.0.0.1:{port}", changed)


if __name__ == "__main__":
    main()
