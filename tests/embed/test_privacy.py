"""An address that somebody typed is shown to nobody else."""

from __future__ import annotations

from flask.testing import FlaskClient

from service.sites.models import Site
from tests.embed.browser import publish, send, visit
from tests.support import PAGE

CANARY = "canary.zq-7f3a@mail.example.org"


def seen(client: FlaskClient, path: str, **query: object) -> str:
    answer = visit(client, path, **query)
    assert answer.status_code == 200
    return f"{answer.headers}\n{answer.text}".casefold()


def test_no_page_holds_an_address(client: FlaskClient, open_site: Site) -> None:
    first = publish(client, email=CANARY, rating="8", page_title="The Blacksmith")
    publish(client, email=CANARY, parent_id=first, name="Bea", body="Indeed.")

    everything = [
        seen(client, "/embed/blog", page=PAGE),
        seen(client, "/embed/blog", page=PAGE, fragment=1),
        seen(client, "/embed/blog", page=PAGE, comment=first),
        seen(client, "/embed/blog", page=PAGE, reply=first, posted="approved"),
        seen(client, "/embed/blog/form", page=PAGE, reply=first),
    ]

    assert not [text for text in everything if "canary" in text or "mail.example" in text or "zq-7f3a" in text]


def test_a_refused_form_gives_an_address_back_to_whoever_typed_it(client: FlaskClient, open_site: Site) -> None:
    answer = send(client, {"page": PAGE, "email": CANARY})

    assert CANARY in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_answer_leads_an_address_away(client: FlaskClient, site: Site) -> None:
    answer = send(client, {"page": PAGE, "name": "Ada", "email": CANARY, "body": "Hello."})

    assert answer.status_code == 303
    assert "canary" not in f"{answer.headers}{answer.text}"
