"""A link of an invitation in a real Chromium: its secret goes from the fragment into a form, and into no address."""

from __future__ import annotations

from typing import Any

from service.accounts import invites, queries
from service.db import transaction
from service.sites import queries as sites
from tests.browser import Watch, windows
from tests.desk.conftest import PASSWORD
from tests.desk.seated import Desk
from tests.desk.seated import desk as desk
from tests.desk.seated import watch as watch


def test_a_link_leads_into_the_desk(desk: Desk, chromium: Any, watch: Watch) -> None:
    with desk.app.app_context(), transaction():
        site = sites.site_of("blog")
        anna = queries.moderator_at("anna@desk.example.org")
        assert site and anna
        anna.is_admin = True
        secret = invites.invite(site.id, "viewer", "Kim", actor=f"moderator:{anna.id}").secret
    asked: list[str] = []
    with windows(chromium, watch) as open_window:
        page = open_window()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{desk.url}/desk/sign-up#{secret}")
        page.wait_for_selector("text=You are invited to Blog. Your role there: Viewer.")
        assert page.url == f"{desk.url}/desk/sign-up"
        page.fill("#email", "kim@desk.example.org")
        page.fill("#name", "Kim")
        page.fill("#password", PASSWORD)
        page.click("text=Accept and come in")
        page.wait_for_selector("#show-keys")
        assert page.url == f"{desk.url}/desk/"
    assert not [url for url in asked if secret in url.partition("#")[0]]
    assert (watch.console, watch.errors, watch.foreign) == ([], [], [])
