"""Figure 2: hostile texts in a real Chromium, in every place where the service shows what people wrote.

Like all that uses Chromium they are left out of `make test`: their quick part is run by `make check`, and by
`make browser`. What is shown does not depend on the database, so all texts are tried on SQLite, a sample on PostgreSQL.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader
from werkzeug.test import TestResponse

from service.comments import rendering
from tests.comments.test_rendering import PAYLOADS
from tests.support import FULL

from .ledger import Proof
from .planted import AT_ONCE, Garden
from .rehearsal import HARMLESS, HOSTILE, Rehearsal
from .sinks import Sight, Sinks
from .test_f01_controls import SENTENCE, in_a_sentence
from .watched import watching

OWN = [
    HOSTILE,
    "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "</script><script>alert(1)</script>",
    "</pre><img src=x onerror=alert(1)>", '"><img src=x onerror=alert(1)>', "' onmouseover=alert(1) '",
    '" autofocus onfocus=alert(1) "', "]]></content><script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script>",
    "<b hx-on:load=alert(1) hx-get=/ hx-trigger=load>", "{{ [].constructor.constructor('alert(1)')() }}",
]  # fmt: skip
"""For places that the lists of others know little of: a title, kept text, data, a feed, htmx."""

ORDERS = [
    "?url=https://evil.example/openapi.json&configUrl=https://evil.example/#/<img src=x onerror=alert(1)>",
    "?configUrl=data:application/json,{%22url%22:%22https://evil.example/%22}", "?validatorUrl=https://evil.example/",
    "?urls.primaryName=<script>alert(1)</script>", "?oauth2RedirectUrl=javascript:alert(1)", "#javascript:alert(1)",
    "#/comments/%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", "?spec={%22openapi%22:%223.1.0%22}&deepLinking=false",
]  # fmt: skip
"""What a link to the reference of the API might want of it."""

CARELESS = [
    ("embed/comment.html", "comment.author.name"), ("desk/macros.html", "one.author.name"),
    ("embed/comment.html", "comment.author.website"), ("embed/comment.html", "section.names[comment.parent_id]"),
    ("embed/thread.html", 'page.title or "Comments"'), ("embed/thread.html", "page.url"),
    ("embed/section.html", "section.rating_data|tojson"), ("embed/form.html", "form.heading"),
    ("embed/form.html", 'form.values.get("body", "")'), ("embed/form.html", "form.values.get(name, '')"),
    ("embed/form.html", "value"), ("embed/form.html", "form.terms.privacy_text"),
    ("desk/macros.html", "_('In reply to %(name)s', name=one.parent.name)"), ("desk/macros.html", "one.parent.text"),
    ("desk/macros.html", "one.page.title or one.page_link"), ("desk/macros.html", "one.author.website"),
    ("desk/macros.html", "_('Reply as %(site)s, in Markdown; everybody sees it', site=one.site_name)"),
    ("desk/macros.html", "reason.detail | said"), ("desk/macros.html", "_('Reason: “%(text)s”', text=one.reason)"),
    ("desk/macros.html", "reason"), ("desk/macros.html", "note"),
    ("desk/lookup.html", "sought.typed.email if sought else ''"),
    ("desk/comment.html", "_('Reason: “%(text)s”', text=entry.reason)"),
    ("desk/comment.html", "_('Note: “%(text)s”', text=entry.note)"),
    ("desk/comment.html", "report.note"), ("desk/macros.html", "piece"),
    ("embed/mine.html", "title"), ("embed/mine.html", "one.revision.body"), ("embed/mine_again.html", "typed.body"),
    (
        "embed/mine.html",
        'typed.body if mine else one.revision.body if one.revision and one.revision.state == "held" else one.body',
    ),
    ("desk/comment.html", "one.author.name"),
    ("desk/comment.html", "typed.body if typed and typed.body is defined else one.text"),
    ("desk/queue.html", "query.q or ''"),
    ("desk/sign_in.html", "login_user_form.email.data or ''"),
    ("desk/chips.html", "one.name"), ("desk/macros.html", "reason.title|said"),
    ("desk/reasons.html", "row.sentence or ''"),
    ("desk/account.html", "one.name"), ("desk/factors.html", "one.name"), ("desk/team.html", "one.name"),
    ("desk/team.html", 'one.name or _("Somebody")'), ("desk/ruling.html", "one.note"), ("desk/audit.html", "value"),
    ("desk/endpoint.html", "typed.url"), ("desk/endpoint.html", "typed.note"), ("desk/endpoint.html", "one.note"),
    ("desk/webhook.html", "attempt.excerpt"),
]  # fmt: skip
"""Values that people wrote, by the templates that show them."""

PARTS = 6 if FULL else 1
LEAST = 10_400
"""Texts that there must be; the lists hold a few more."""
ALONE = 3 if FULL else 0
"""Texts that each document of one text must have shown in each part, whichever they are."""

ON_SQLITE, ON_POSTGRESQL = (
    pytest.mark.parametrize("database_url", [name], indirect=True) for name in ("sqlite", "postgresql")
)


@pytest.fixture(scope="session")
def corpus(shared: Path) -> list[str]:
    """Every hostile text, our own first, the others in an order that mixes the lists."""
    listed = [one["p"] for one in json.loads((shared / "corpora/combined/xss_permissive.json").read_text())]
    assert len(listed) >= LEAST
    texts = [*OWN, *PAYLOADS, *random.Random(2).sample(listed, len(listed))]
    return [one.encode("utf-8", "replace").decode() for one in texts]  # nobody can send half a surrogate


@pytest.fixture(scope="session")
def shapes() -> dict[str, set[str]]:
    """What harmless documents look like; learned once, for both databases."""
    return {}


@pytest.fixture
def rehearsal(chromium: Any, app: Flask, shapes: dict[str, set[str]]) -> Iterator[Rehearsal]:
    with watching(chromium, app, shapes) as watched:
        made = Rehearsal(app, watched)
        if not shapes:
            learn(made, HARMLESS)
            learn(made, HARMLESS[5:] + HARMLESS[:5])  # others begin threads, and come first
        yield made


def learn(rehearsal: Rehearsal, texts: Sequence[str]) -> None:
    """See what documents look like while nothing in them is hostile."""
    rehearsal.watched.learning = True
    wrong = [what for *_, found in rehearsal.look(texts) for what in found]
    assert wrong == [], wrong
    rehearsal.watched.learning = False


def prove(rehearsal: Rehearsal, texts: Sequence[str], proof: Proof) -> None:
    shown: Counter[bool] = Counter()
    rehearsal.alone.clear()
    for at in range(0, len(texts), AT_ONCE):
        some = texts[at : at + AT_ONCE]
        for looked in rehearsal.look(some):
            shown[looked[0].endswith("under its policy")] += looked[1]
            named = [rehearsal.blamed(some, looked)] if looked[2] else []
            proof.cases(looked[1], named)
            assert len(proof.found) < 5, "\n".join(proof.found)  # each of them takes its time to be named
    least = min(rehearsal.alone.values())
    assert least >= ALONE, rehearsal.alone
    proof.note(
        f"{len(texts):,} texts: {shown[True]:,} sights under a policy, {shown[False]:,} without; "
        f"at least {least} in each page that shows one alone"
    )


@ON_SQLITE
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.figure("2", quick=150, full=25_000)
def test_nothing_is_executed_wherever_it_is_shown(
    rehearsal: Rehearsal, corpus: list[str], part: int, proof: Proof
) -> None:
    texts = corpus[part::PARTS]
    prove(rehearsal, texts if FULL else texts[:10], proof)


@ON_POSTGRESQL
@pytest.mark.figure("2", quick=65, full=7_500)
def test_nor_where_another_database_keeps_it(rehearsal: Rehearsal, corpus: list[str], proof: Proof) -> None:
    rehearsal.every = 1
    prove(rehearsal, corpus[-500 if FULL else -5 :], proof)


@pytest.mark.full  # the reference of the API takes a second each time
@ON_SQLITE
@pytest.mark.figure("2", quick=8, full=8)
def test_the_reference_takes_no_orders_from_its_address(chromium: Any, migrated: Flask, proof: Proof) -> None:
    with watching(chromium, migrated) as watched:
        for order in ORDERS:
            proof.case(*watched.visited(f"/docs{order}", until=".opblock"))


@ON_SQLITE
@pytest.mark.figure("2", quick=25, full=25)
def test_every_template_and_every_html_of_the_api_is_among_them(app: Flask, proof: Proof) -> None:
    """What is new has to find its place in `Sinks`."""
    assert app.jinja_env.cache is not None
    app.jinja_env.cache.clear()
    app.test_client().get("/")  # as it is where there is no demo
    planted, sinks = Garden("Ada").plant(HARMLESS[:1]), Sinks(app)
    for fetch in (sinks.pages(planted) | sinks.parts(planted) | sinks.tagged(planted)).values():
        fetch()
    told = {rule_of(app, one) for one in sinks.as_json(planted)}
    for own in planted.own:
        for sight in sinks.of_one(own):
            sight()
    drawn = {name for _, name in app.jinja_env.cache}
    templates = {name for name in app.jinja_env.list_templates() if name.startswith(("desk/", "embed/"))}
    proof.cases(len(templates), sorted(templates - drawn))
    doors = with_html(app.test_client().get("/openapi.json").json)
    proof.cases(len(doors), sorted(doors - told))


@ON_SQLITE
@pytest.mark.alone
@pytest.mark.control("2")
def test_as_markup_they_are_executed(chromium: Any, migrated: Flask, corpus: list[str]) -> None:
    """Not all of them: many want a click, or another browser, or more time than a busy machine gives them."""
    texts, wanted, executed = corpus[: 2_000 if FULL else 100], 100 if FULL else 5, 0
    with watching(chromium, migrated) as watched:
        for text in texts:
            found = watched.written([Sight("raw", f"<!doctype html><body>{text}")])
            executed += any(what.startswith("executed ") for what in found)
            if executed == wanted:
                return
    pytest.fail(f"{executed} of {len(texts)} were executed")


@ON_SQLITE
@pytest.mark.control("2")
def test_the_policies_would_stop_them_and_say_so(rehearsal: Rehearsal) -> None:
    for sink, fetch in rehearsal.sinks.pages(rehearsal.garden.plant(HARMLESS[:1])).items():
        found = rehearsal.watched.served(Sight("raw", f"<!doctype html><body>{HOSTILE}", policy=fetch().policy))
        assert any("Content Security Policy" in what for what in found), sink
        assert not any(what.startswith("executed ") for what in found), sink


@ON_SQLITE
@pytest.mark.control("2")
def test_without_the_sanitiser_every_place_would_show_it(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "clean", lambda markup: markup)
    fired = {sink for sink, _, found in rehearsal.look(OWN[4:6]) if found}
    assert fired >= {
        "thread under its policy", "thread without a policy", "review", "queue under its policy",
        "queue without a policy", "queue of pages without a policy", "fragment without a policy", "feed",
        "html of JSON", "widget", "widget by its policy of types",
    }  # fmt: skip


def rule_of(app: Flask, answer: TestResponse) -> str:
    """The method and path of what was asked, as the document of the API has them."""
    rule, _ = app.url_map.bind("").match(answer.request.path, answer.request.method, return_rule=True)
    path = re.sub("<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule)
    return f"{answer.request.method} {path}"


def with_html(document: Any) -> set[str]:
    """The methods and paths of an OpenAPI document whose answers hold a text called `html`, however deep."""

    def holds(part: Any, seen: tuple[str, ...] = ()) -> bool:
        if isinstance(part, list):
            return any(holds(one, seen) for one in part)
        if not isinstance(part, dict):
            return False
        name = str(part.get("$ref", ""))
        if name.startswith("#/components/schemas/") and name not in seen:
            return holds(document["components"]["schemas"][name.rpartition("/")[2]], (*seen, name))
        return "html" in part.get("properties", {}) or any(holds(one, seen) for one in part.values())

    doors = [(path, method, told) for path, of in document["paths"].items() for method, told in of.items()]
    return {f"{method.upper()} {path}" for path, method, told in doors if "responses" in told and holds(told)}


@contextmanager
def careless(app: Flask, template: str, value: str) -> Iterator[None]:
    """The app with one value that a template does not escape, or a sentence that what it holds gets out of."""
    environment, loader = app.jinja_env, app.jinja_env.loader
    assert loader
    source, *_ = loader.get_source(environment, template)
    careful, shown = f"{{{{ {value} }}}}", SENTENCE.sub("raw", value) if value[:2] == "_(" else value.partition("|")[0]
    assert careful in source
    broken = DictLoader({template: source.replace(careful, f"{{{{ ({shown})|string|safe }}}}")})
    with (
        patch.dict(environment.globals, raw=in_a_sentence),
        patch.object(environment, "loader", ChoiceLoader([broken, loader])),
    ):
        yield


@ON_SQLITE
@pytest.mark.parametrize(("template", "value"), CARELESS if FULL else CARELESS[:1])
@pytest.mark.control("2")
def test_a_value_that_is_not_escaped_is_seen_and_its_text_named(
    rehearsal: Rehearsal, template: str, value: str
) -> None:
    texts = [HOSTILE, HOSTILE, "Plain words", "More-words"]
    with careless(rehearsal.app, template, value):
        looked = next(one for one in rehearsal.look(texts) if one[2])
        assert repr(HOSTILE) in rehearsal.blamed(texts, looked)


@ON_SQLITE
@pytest.mark.control("2")
def test_a_text_that_the_widget_takes_for_html_is_seen(rehearsal: Rehearsal) -> None:
    def careless(path: str, content: bytes) -> bytes:
        if not path.endswith("/kit.js"):
            return content
        careful = b"node.append(child)"
        assert careful in content
        return content.replace(careful, b"child.nodeType?node.append(child):node.insertAdjacentHTML('beforeend',child)")

    rehearsal.watched.files.clear()
    rehearsal.watched.careless = careless
    ((_, _, found),) = rehearsal.look([HOSTILE, "Plain words"], only="widget")
    assert any(what.startswith("executed alert") for what in found), found
