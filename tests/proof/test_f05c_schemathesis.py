"""The API is what its OpenAPI document says: schemathesis reads the document and asks the app, all checks on."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
import schemathesis
from flask import Flask
from schemathesis import Case, CheckContext, Response
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi.checks import RejectedPositiveData
from schemathesis.transport.wsgi import WSGITransport

from service.api import ProblemDocument
from service.app import GUARDED, OPEN
from service.comments.plaintext import clean_body
from service.comments.schemas import BODY_LENGTH
from tests.support import FULL

from .ledger import Proof
from .world import World, rules

EXAMPLES = 25 if FULL else 2
SEED = 20
CALLERS = ("admin", "moderator", "anybody")

REFUSED_FOR_WHAT_IT_SAYS = [400, 412, 422, 428]
"""Statuses that a request may get which its schema allows, beside schemathesis' own list.

What JSON Schema cannot say: whether a page is one of the site's, whether a cursor is of this list, whether letters
make a name (422); whether text has characters that no text has (400); what was decided before (412, 428). That these
are not given for what the schema could have said is held by the check below.
"""
ABOUT_SHAPE = {"required", "unknown", "invalid", "number", "boolean"}
"""Codes of field errors that a document in the right shape never gets."""


@schemathesis.check
def refusals_are_not_about_shape(ctx: CheckContext, response: Response, case: Case) -> None:
    """What the document allows is refused only for reasons that it could not tell."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    told = json.loads(response.content)
    codes = {one["code"] for found in told.get("errors", {}).values() for one in found}
    odd = any(mark in _as_sent(case) for mark in ("\0", "\\u0000", "\ufffd", "%00", "\\ud"))
    if codes & ABOUT_SHAPE or (response.status_code == 400 and not odd):
        message = f"{response.status_code}: {told['detail']} {told.get('errors')}"
        raise RejectedPositiveData(
            operation=case.operation.label, message=message, status_code=response.status_code, allowed_statuses=[]
        )


def _as_sent(case: Case) -> str:
    parts = [case.path_parameters, dict(case.query or {}), case.body, dict(case.headers or {})]
    return "".join(_text(part) for part in parts)


def _text(part: Any) -> str:
    try:
        return json.dumps(part, ensure_ascii=False) + json.dumps(part)
    except TypeError:
        return repr(part)


@dataclass
class Run:
    """What schemathesis found."""

    cases: int = 0
    operations: set[str] = field(default_factory=set)
    well: set[str] = field(default_factory=set)
    """Operations that did what they are for at least once."""
    checks: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@pytest.fixture(autouse=True)
def probes_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """schemathesis' probes without credentials hand settings of sockets to werkzeug, which knows none."""
    send = WSGITransport.send

    def send_in_process(self: Any, case: Case, **more: Any) -> Response:
        for name in ("max_redirects", "verify", "cert", "proxies"):
            more.pop(name, None)
        return send(self, case, **more)

    monkeypatch.setattr(WSGITransport, "send", send_in_process)


def run(world: World, headers: dict[str, str], only: set[str], examples: int = EXAMPLES) -> Run:
    """All phases and all checks over these operations, mostly about things that are there.

    Quick: without the phase that tries every edge of every shape, which takes most of the time.
    """
    comments = [world.a.ids[name] for name in ("approved", "pending", "rejected", "spam")]
    rules_ = [world.a.ids["rule"], *(world.rule(world.a) for _ in range(5))]
    names = ["spam.example", "0123456789abcdef", "203.0.113.0/24"]
    there = {
        "rule": rules_,
        "value": names,
        "site": ["blog"],
        "page": [world.a.page],
        "comment": comments,
        "page_id": [world.a.ids["page_id"]],
    } | {name: [world.a.ids[name]] for name in ("filter", "token", "member", "invite", "bulk", "endpoint", "delivery")}
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "headers": headers,
            "phases": {"coverage": {"enabled": FULL}},
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            "checks": {"positive_data_acceptance": {"expected-statuses": _expected()}},
            "dictionaries": {name: {"values": values} for name, values in there.items()},
            "parameters": {place: {"dictionary": name, "probability": 0.8} for place, name in PLACES.items()},
        }
    )
    schema = schemathesis.openapi.from_wsgi("/openapi.json", world.app, config=config)
    schema = schema.include(lambda context: context.operation.label in only)
    found = Run()
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError | events.FatalError):
            found.failures.append(f"the engine: {getattr(event, 'value', None) or event.exception!r}")
        if isinstance(event, events.ScenarioFinished):
            _take(found, event)
    return found


PLACES = {
    "path.site": "site", "query.site": "site", "body.site": "site", "query.page": "page", "body.page": "page",
    "path.comment_id": "comment", "path.page_id": "page_id", "path.rule_id": "rule", "body.value": "value",
    "body.comment": "comment", "path.filter_id": "filter", "path.token_id": "token", "path.moderator_id": "member",
    "path.invite_id": "invite", "path.decision_id": "bulk", "path.endpoint_id": "endpoint",
    "path.delivery_id": "delivery",
}  # fmt: skip
"""Where schemathesis would seldom guess something that is there, and what it is told."""


def _expected() -> list[str | int]:
    usual = ["2xx", "3xx", "401", "403", "404", "409", "429"]
    return [*usual, *REFUSED_FOR_WHAT_IT_SAYS]


def _take(found: Run, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    found.cases += len(recorder.cases)
    found.phases[event.phase.value] += len(recorder.cases)
    found.operations |= {one.value.operation.label for one in recorder.cases.values()}
    for case_id, sent in recorder.interactions.items():
        if sent.response and sent.response.status_code < 300:
            found.well.add(recorder.cases[case_id].value.operation.label)
    for case_id, checked in recorder.checks.items():
        for one in checked:
            found.checks[one.name] += 1
            if one.failure_info:
                failure: Failure = one.failure_info.failure
                if one.name == "negative_data_rejection" and _fits(recorder.cases[case_id].value, failure.message):
                    continue
                label = recorder.cases[case_id].value.operation.label
                shown = f"{failure.title}: {failure.message[:300]}\n    {one.failure_info.code_sample[:600]}"
                found.failures.append(f"{label}: {one.name}: {shown}")


_TOO_LONG_BODY = "violates `maxLength` at /properties/body "


def _fits(case: Case, message: str) -> bool:
    """Whether a body is too long only with what nobody sees: it is counted once that is gone, as JSON Schema cannot."""
    return _TOO_LONG_BODY in message and len(clean_body(case.body["body"])) <= BODY_LENGTH


def test_only_a_body_that_fits_may_be_longer() -> None:
    for body, fits in (("x" * BODY_LENGTH + "\x17\n", True), ("x" * (BODY_LENGTH + 1), False)):
        case: Any = SimpleNamespace(body={"body": body})
        assert _fits(case, f"in body - {_TOO_LONG_BODY}(was ") is fits
        assert not _fits(case, "in body - violates `maxLength` at /properties/name (was ")


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    told: dict[str, Any] = app.test_client().get("/openapi.json").json
    return told


def _headers(world: World, caller: str) -> dict[str, str]:
    tokens = {"admin": world.admin, "moderator": world.a.tokens["moderator"]}
    return {"Authorization": f"Bearer {tokens[caller]}"} if caller in tokens else {}


def _asked(document: dict[str, Any], caller: str, on_sqlite: bool) -> set[str]:
    """Every operation. Quick: each by one caller on one database, turn about; open doors by nobody in particular."""
    every = sorted(operations(document))
    if FULL:
        return set(every)
    closed = [one for one in every if not _is_open(one)]
    by_turns = {name: set(closed[turn::2]) for turn, name in enumerate(("admin", "moderator"))}
    by_turns["anybody"] = set(every) - set(closed)
    return set(sorted(by_turns[caller])[on_sqlite::2])


def _is_open(operation: str) -> bool:
    """Whether anybody may ask, or an author, who is none of the callers."""
    path = operation.partition(" ")[2]
    return (path.startswith("/v1/sites/") and path not in _OF_STAFF) or path == "/v1/mine"


_OF_STAFF = ("/v1/sites/{site}", "/v1/sites/{site}/policy-preview", "/v1/sites/{site}/reasons")


def _is_beyond(world: World, caller: str, operation: str) -> bool:
    """Whether no role of the caller can ever let it in."""
    if caller == "admin" or _is_open(operation):
        return False
    scopes = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", name): getattr(
            world.app.view_functions[rule.endpoint], "guarded_scope", ""
        )
        for name, rule in rules(world.app)
    }
    return caller == "anybody" or scopes[operation] not in ("read", "moderate")


@pytest.mark.figure("5c", quick=8, full=1_700)
@pytest.mark.parametrize("caller", CALLERS)
def test_everybody_gets_what_the_document_says(
    world: World, document: dict[str, Any], proof: Proof, database_url: str, caller: str
) -> None:
    asked = _asked(document, caller, database_url.startswith("sqlite"))
    found = run(world, _headers(world, caller), asked)
    proof.cases(found.cases, found.failures)
    proof.note(", ".join(f"{count:,} {phase}" for phase, count in sorted(found.phases.items()) if count))
    assert found.operations == asked
    lets_in = {one for one in asked if not _is_beyond(world, caller, one) and "/v1/mine" not in one}
    lets_in -= {one for one in lets_in if one.endswith("/revision")}  # it needs a change that waits, told by its id
    if caller == "admin":  # a decision on many is told to whoever made it, and that was the moderator
        lets_in -= {one for one in lets_in if one.startswith("GET /v1/moderation/decisions/")}
    by_chance = 2 if FULL else 3  # quick: some doors get no example that fits
    assert len(lets_in - found.well) <= by_chance, lets_in - found.well
    if FULL:
        assert found.phases["stateful"] >= 100, found.phases
        # Each is counted even where it has nothing to look at: what is deleted, test_f05c_lifetimes looks at.
        assert set(found.checks) == set(CHECKS.get_all_names())


@pytest.mark.control("5c")
def test_answers_that_are_not_in_the_document_are_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer in another shape, an undocumented status, a crash."""
    views = world.app.view_functions

    def crash() -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(views, "numbers.read_stats", lambda: {"pending": "many"})
    monkeypatch.setitem(views, "management.read_sites", crash)
    monkeypatch.setitem(views, "comments.read_latest", lambda **_: ("gone", 410))
    asked = {"GET /v1/moderation/stats", "GET /v1/sites", "GET /v1/sites/{site}/latest"}
    found = run(world, _headers(world, "admin"), asked, examples=2).failures
    assert any("response_schema_conformance" in one and "/stats" in one for one in found)
    assert any("not_a_server_error" in one and "GET /v1/sites:" in one for one in found)
    assert any("status_code_conformance" in one and "/latest" in one for one in found), "\n".join(found)


@pytest.mark.control("5c")
def test_a_door_without_its_guard_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told = world.ask(world.a, "moderator", "GET", "/v1/moderation/stats").json
    monkeypatch.setattr(world.app, "before_request_funcs", {})
    monkeypatch.setitem(world.app.view_functions, "numbers.read_stats", lambda: told)
    found = run(world, _headers(world, "admin"), {"GET /v1/moderation/stats"}, examples=2).failures
    assert any("ignored_auth" in one for one in found), found


@pytest.mark.control("5c")
def test_a_status_that_the_document_lacks_is_seen(
    world: World, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same answers, and a document that does not tell of one of them."""
    name = "GET /v1/sites/{site}/latest"
    assert run(world, {}, {name}, examples=2).failures == []
    del document["paths"]["/v1/sites/{site}/latest"]["get"]["responses"]["200"]
    endpoint = next(rule.endpoint for name, rule in rules(world.app) if name == "GET /openapi.json")
    monkeypatch.setitem(world.app.view_functions, endpoint, lambda: document)
    found = run(world, {}, {name}, examples=2).failures
    assert any("status_code_conformance" in one and "200" in one for one in found), found


def test_the_document_is_openapi_and_lists_every_route(app: Flask, document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()
    doors = {one.name for one in (*OPEN, *GUARDED)}
    routes = {_as_path(name) for name, rule in rules(app) if rule.endpoint.partition(".")[0] in doors}
    assert set(operations(document)) == routes
    assert len(routes) >= 23


def _as_path(name: str) -> str:
    method, path = name.split(" ")
    pieces = ["{" + one[1:-1].rpartition(":")[2] + "}" if one.startswith("<") else one for one in path.split("/")]
    return f"{method} {'/'.join(pieces)}"


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": told
        for path, methods in document["paths"].items()
        for method, told in methods.items()
        if method != "parameters"
    }


def test_every_refusal_in_the_document_is_a_problem(document: dict[str, Any]) -> None:
    refusals = 0
    for name, told in operations(document).items():
        assert "default" not in told["responses"], name
        assert {"400", "404", "503"} <= set(told["responses"]), name
        for status, response in told["responses"].items():
            if status >= "400":
                reference = response["$ref"].rpartition("/")[2]
                content = document["components"]["responses"][reference]["content"]
                assert list(content) == ["application/problem+json"], f"{name} {status}"
                refusals += 1
    assert refusals >= 140


def test_guarded_doors_say_how_to_be_let_in(app: Flask, document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["session"]["name"] == app.config["SESSION_COOKIE_NAME"]
    for name, told in operations(document).items():
        if name.endswith("/v1/mine"):
            assert (told["security"], "401" in told["responses"]) == ([{"author": []}], True), name
        elif "/v1/sites/" in name and not name.endswith(("/v1/sites/{site}", "/policy-preview", "/reasons")):
            assert told.get("security", [{}])[0] == {}, name
        else:
            assert told["security"] == [{"token": []}, {"session": []}], name
            assert {"401", "403"} <= set(told["responses"]), name


def problems(world: World) -> Iterator[Any]:
    """One problem of each status that is easily had."""
    client, wrong = world.app.test_client(), world.a.ids["pending"]
    bearer = {"Authorization": f"Bearer {world.admin}"}
    decided = f"/v1/moderation/comments/{world.a.ids['spam']}/decision"
    yield client.get("/v1/sites/blog/thread?page=%00")
    yield client.get("/v1/sites")
    yield client.post("/v1/sites/blog/preview", json={"body": "x"}, headers={"Origin": "https://evil.example"})
    yield client.get("/v1/sites/nowhere/latest")
    yield client.delete("/v1/sites/blog/latest")
    yield client.post(decided, json={"decision": "spam"}, headers=bearer | {"If-Match": "*"})
    yield client.post(decided, json={"decision": "approve"}, headers=bearer | {"If-Match": '"v99"'})
    yield client.post("/v1/sites/blog/counts", data=b" " * 300_000, content_type="application/json")
    yield client.post("/v1/sites/blog/counts", data=b"x", content_type="text/plain")
    yield client.post("/v1/sites/blog/comments", json={"id": wrong})
    yield client.post(decided, json={"decision": "approve"}, headers=bearer)


def test_problems_have_the_documents_shape(world: World, document: dict[str, Any]) -> None:
    shape = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}", "components": document["components"]}
    seen = set()
    for answer in problems(world):
        jsonschema.validate(answer.json, shape)
        assert answer.json["status"] == answer.status_code
        seen.add(answer.status_code)
    assert seen == {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428}


def test_a_problem_in_another_shape_is_seen(document: dict[str, Any]) -> None:
    shape = {"$ref": f"#/components/schemas/{ProblemDocument.__name__}", "components": document["components"]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"title": "No", "status": "404"}, shape)
