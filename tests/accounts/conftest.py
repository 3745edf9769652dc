"""A small app with one door of each kind, on both databases. Passwords are hashed quickly, but as always."""

from __future__ import annotations

import contextvars
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import jinja2
import pytest
import sqlalchemy
from cryptography.fernet import Fernet
from flask import Blueprint, Flask, abort, render_template_string, request
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf

from service import errors, limits
from service.accounts import guard, operations, passwords, security
from service.accounts.models import Moderator
from service.accounts.operations import NewToken
from service.config import Settings
from service.db import Base, db, new_id, now, transaction
from service.db import init_app as init_database
from service.desk import languages
from service.privacy.keys import Keys
from service.sites.models import Site

HOME = "http://127.0.0.1:8080"
PASSWORD = "correct horse battery"
SEALING_KEY = Fernet.generate_key().decode()
TEMPLATES = jinja2.ChoiceLoader(
    [
        # The desk's frame needs the whole desk; what is asked here is only in its middle.
        jinja2.DictLoader({"desk/base.html": "{% block title %}{% endblock %}{% block main %}{% endblock %}"}),
        jinja2.FileSystemLoader(Path(security.__file__).parent.parent / "desk" / "templates"),
    ]
)

AppMaker = Callable[..., Flask]


@pytest.fixture(autouse=True, scope="session")
def quick_hashes() -> None:
    passwords.CONTEXT.update(argon2__time_cost=1, argon2__memory_cost=64, argon2__parallelism=1)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with the tables in it. Not the other tests' one: those migrate theirs."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path_factory.mktemp('accounts')}/accounts.db"
    else:
        server = sqlalchemy.make_url(request.getfixturevalue("postgresql_url"))
        engine = sqlalchemy.create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("CREATE DATABASE accounts"))
        engine.dispose()
        made = server.set(database="accounts").render_as_string(hide_password=False)
    app = Flask("tables")
    init_database(app, Settings(database_url=made))
    with app.app_context():
        Base.metadata.create_all(db.engine)
        db.engine.dispose()
    return made


@pytest.fixture
def make_app(url: str) -> Iterator[AppMaker]:
    """Apps with other settings, on the same database."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        settings = replace(Settings(database_url=url, limits_enabled=False, public_url=HOME), **changes)
        app = small_app(settings)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def usual_app(url: str) -> Iterator[Flask]:
    app = small_app(Settings(database_url=url, limits_enabled=False, public_url=HOME))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(usual_app: Flask) -> Flask:
    """The usual app, with nothing in its tables."""
    with usual_app.app_context(), db.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    usual_app.extensions["greenroom_note_again"] = now()
    return usual_app


def small_app(settings: Settings) -> Flask:
    app = Flask("small", static_folder=None)
    app.jinja_loader = TEMPLATES
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # as in the whole app
    app.config["SECRET_KEY"] = "a secret that only tests have, 32 characters"
    app.config["PUBLIC_URL"] = settings.public_url
    app.extensions["greenroom_settings"] = settings
    app.extensions["greenroom_keys"] = Keys(app.config["SECRET_KEY"], (SEALING_KEY,), b"i" * 32, b"a" * 32)
    init_database(app, settings)
    limits.init_app(app, settings)
    security.init_app(app, settings)
    languages.init_app(app)
    errors.register(app, errors._json)
    app.test_client_class = Browser
    add_doors(app)
    return app


def add_doors(app: Flask) -> None:
    private = Blueprint("private", __name__)
    private.guarded = True  # type: ignore[attr-defined]
    desk = Blueprint("desk", __name__, url_prefix="/desk")
    desk.guarded = True  # type: ignore[attr-defined]

    @app.route("/open", methods=["GET", "POST"])
    def open_door() -> Any:
        return render_template_string("open")

    for scope in ("read", "moderate", "manage"):

        @private.route(f"/sites/<uuid:site_id>/{scope}", methods=["GET", "POST"], endpoint=scope)
        @guard.guarded(scope)
        def at_site(site_id: UUID) -> str:
            guard.principal().require(site_id, request.endpoint.split(".")[1])  # type: ignore[union-attr]
            return "done"

    @private.get("/me")
    @guard.guarded("read")
    def me() -> dict[str, Any]:
        who = guard.principal()
        ids = {scope: sorted(str(one) for one in who.site_ids(scope)) for scope in ("read", "moderate", "manage")}
        told = {"kind": who.kind, "name": who.name, "actor": who.actor, "is_admin": who.is_admin, "sites": ids}
        return told | {"session": str(guard.this_session()), "account": guard.myself().email}

    @private.post("/admin")
    @guard.guarded("manage")
    def admin() -> str:
        guard.principal().require_admin()
        return "done"

    @private.get("/missing")
    @guard.guarded("read")
    def missing() -> str:
        abort(404)

    @private.get("/unmarked")
    def unmarked() -> str:
        return "nobody said who may see this"

    @desk.get("")
    @guard.guarded("read")
    def first_page() -> str:
        return "the desk"

    @desk.get("/token")
    @guard.guarded("read")
    def token() -> str:
        return str(generate_csrf())

    @private.get("/in-person")
    @guard.guarded("read")
    def in_person() -> str:
        guard.require_person()
        return "done"

    @app.post("/alone")
    @guard.guarded("read")
    def alone() -> str:
        return "a door of no blueprint"

    app.register_blueprint(private)
    app.register_blueprint(desk)


class Browser(FlaskClient):
    """A client that sends what a browser sends from a page of ours, each request in a context of its own."""

    def open(self, *args: Any, **more: Any) -> Any:
        return contextvars.Context().run(super().open, *args, **more)

    def sign_in(self, email: str = "ada@example.org", password: str = PASSWORD, **more: Any) -> Any:
        page = self.get("/desk/sign-in", query_string={"next": more.pop("next", "")})
        return self.post("/desk/sign-in", data=fields(page.text) | {"email": email, "password": password}, **own(more))

    def token(self) -> str:
        return str(self.get("/desk/token").text)

    def post_own(self, path: str, **more: Any) -> Any:
        """POST as a page of the desk does."""
        headers = {"X-CSRFToken": self.token()} | more.pop("headers", {})
        return self.post(path, **own({"headers": headers} | more))


def own(more: dict[str, Any]) -> dict[str, Any]:
    return more | {"headers": {"Origin": HOME} | more.get("headers", {})}


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    hidden = [tag for tag in re.findall(r"<input[^>]*>", page) if 'type="hidden"' in tag]
    pairs = [(re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in hidden]
    return {name[1]: unescape(value[1]) for name, value in pairs if name and value}


@pytest.fixture
def browser(app: Flask) -> Browser:
    client: Any = app.test_client()
    return client  # type: ignore[no-any-return]


class People:
    """Makes moderators, sites and tokens; every method is a transaction of its own."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def site(self, key: str) -> UUID:
        with self.app.app_context(), transaction():
            site = Site(id=new_id(), key=key, name=key, origins=[])
            db.session.add(site)
            return site.id

    def moderator(self, email: str = "ada@example.org", **roles: Any) -> UUID:
        """`role=site_id` pairs; `is_admin=True` for an admin."""
        is_admin = roles.pop("is_admin", False)
        with self.app.app_context(), transaction():
            made = operations.add_moderator(email, "Ada", PASSWORD, is_admin=is_admin, actor="test")
            for role, site_id in roles.items():
                operations.grant(made, site_id, role, actor="test")
            return made.id

    def token(self, moderator_id: UUID, *scopes: str, **more: Any) -> str:
        with self.app.app_context(), transaction():
            owner = db.session.get_one(Moderator, moderator_id)
            wanted = NewToken("a program", scopes or ("read", "moderate", "manage"), **more)
            return operations.issue_token(owner, wanted, actor="test").secret

    def change(self, moderator_id: UUID, act: Callable[[Moderator], Any]) -> None:
        with self.app.app_context(), transaction():
            act(db.session.get_one(Moderator, moderator_id))


@pytest.fixture
def people(app: Flask) -> People:
    return People(app)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
