"""What other people say on a page, by the doors that anybody has."""

from __future__ import annotations

from itertools import count
from typing import Any

from tests.e2e.conftest import Demo
from tests.processes import ask

_networks = count(1)


class Talk:
    """The comments of one page of a site."""

    def __init__(self, service: Demo, page: str, site: str = "demo") -> None:
        self.service, self.page, self.site = service, page, site

    def say(self, body: str, name: str = "Wren", **more: Any) -> str:
        """A comment by somebody new from a network of their own; its id."""
        number = next(_networks)
        sent = {"page": self.page, "name": name, "email": f"reader{number}@mail.example.org", "body": body} | more
        here = {"X-Forwarded-For": f"10.{number >> 8 & 255}.{number & 255}.1"}
        status, told = ask(f"{self.door}/comments", sent, headers=here)
        assert status in (201, 202), told
        return str(told["id"])

    def say_many(self, number: int) -> list[str]:
        """So many comments, from the first on."""
        return [self.say(f"This is number {one + 1}.", f"Reader {one + 1}") for one in range(number)]

    def said(self) -> list[dict[str, Any]]:
        """What the page shows to everybody."""
        status, told = ask(f"{self.door}/thread?limit=100&page={self.page}")
        assert status == 200, told
        return list(told["comments"])

    def waiting(self) -> list[dict[str, Any]]:
        """What waits on the page for a moderator."""
        return self._moderators("?status=pending&site={site}&page={page}")["comments"]  # type: ignore[no-any-return]

    def decide(self, comment_id: str, decision: str = "approve") -> None:
        self._moderators(f"/{comment_id}/decision", {"decision": decision})

    def pin(self, comment_id: str) -> None:
        """It stands first on the page."""
        self._moderators(f"/{comment_id}/pin", {})

    def close(self) -> None:
        """Nobody can write on the page any more."""
        status, told = ask(f"{self.door}/thread?page={self.page}")
        url = f"{self.service.url}/v1/pages/{told['page']['id']}"
        status, told = ask(url, {"closed": True}, self.service.token, method="PATCH")
        assert (status, told["state"]) == (200, "closed"), told

    def reports(self, comment_id: str) -> list[dict[str, Any]]:
        return self._moderators(f"/{comment_id}")["reports"]  # type: ignore[no-any-return]

    @property
    def door(self) -> str:
        return f"{self.service.url}/v1/sites/{self.site}"

    def _moderators(self, path: str, body: Any = None) -> Any:
        url = f"{self.service.url}/v1/moderation/comments{path.format(site=self.site, page=self.page)}"
        status, told = ask(url, body, self.service.token)
        assert status == 200, told
        return told
