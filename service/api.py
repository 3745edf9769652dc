"""The OpenAPI 3.1 document at /openapi.json and the self-hosted reference page at /docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask_swagger_ui
import marshmallow as ma
from flask import Blueprint, Flask, Response, abort, send_from_directory
from flask_smorest import Api
from marshmallow import fields, validate

from service import __version__
from service.errors import MEDIA_TYPE

pages = Blueprint("docs", __name__, template_folder="templates")
_ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
_SERVED = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")
_OWN_SCRIPT = """\
window.addEventListener("load", () => {
  SwaggerUIBundle({ url: "/openapi.json", dom_id: "#reference", deepLinking: true, validatorUrl: null });
});
"""
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Greenroom: API reference</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<div id="reference"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/reference.js"></script>
<noscript>This page needs JavaScript. The document itself: <a href="/openapi.json">/openapi.json</a>.</noscript>
</html>
"""
# Swagger UI sets style attributes; scripts come from this origin alone.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


_SITE = {
    "in": "path",
    "name": "site",
    "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"},
    "description": "The key of the site.",
}


class FieldProblem(ma.Schema):
    code = fields.String(required=True)
    detail = fields.String(required=True)


class ProblemDocument(ma.Schema):
    """RFC 9457. Some problems say more: `current` of a conflict tells who decided what, and when."""

    class Meta:
        unknown = ma.INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String()
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.Nested(FieldProblem)))


class ProblemApi(Api):  # type: ignore[misc]  # smorest has no types
    """flask-smorest, with errors documented as what they are: problem+json."""

    ERROR_SCHEMA = ProblemDocument
    DEFAULT_ERROR_RESPONSE_NAME = None
    """Doors name every status that they may answer."""

    def _register_error_handlers(self) -> None:
        """service.errors maps every exception; a second mapping would be in its way."""

    def _register_responses(self) -> None:
        # smorest documents errors as application/json whatever they are sent as.
        self.DEFAULT_RESPONSE_CONTENT_TYPE = MEDIA_TYPE
        try:
            super()._register_responses()
        finally:
            del self.DEFAULT_RESPONSE_CONTENT_TYPE


def init_app(app: Flask, open_doors: tuple[Any, ...], guarded_doors: tuple[Any, ...]) -> None:
    """Register the doors and the document that is made from them."""
    app.config.update(
        API_TITLE="Greenroom",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = ProblemApi(app)
    api.ma_plugin.converter.add_attribute_function(_pattern)
    schemes = api.spec.components.security_scheme
    schemes("token", {"type": "http", "scheme": "bearer", "description": "A scoped token: grm_…"})
    schemes("author", {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Author gra_…"})
    schemes("session", {"type": "apiKey", "in": "cookie", "name": app.config["SESSION_COOKIE_NAME"]})
    for door in open_doors:
        api.register_blueprint(door, parameters=[_SITE] if "<site>" in door.url_prefix else [])
    for door in guarded_doors:
        api.register_blueprint(door)
    _add_alternatives(api)
    app.register_blueprint(pages)


def _pattern(_converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, str]:
    """As JSON Schema reads one (ECMA-262): nothing binds its beginning unasked, and Python's `\\Z` is a letter."""
    for one in field.validators:
        if isinstance(one, validate.Regexp):
            inner = str(one.regex.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
            return {"pattern": f"^(?:{inner})$"}
    return {}


def _add_alternatives(api: Api) -> None:
    """Shapes whose fields exclude each other say so in `ONE_OF`; marshmallow has no word for it."""
    for (shape, *_), name in api.ma_plugin.converter.refs.items():
        if hasattr(shape, "ONE_OF"):
            api.spec.components.schemas[name]["oneOf"] = list(shape.ONE_OF)


@pages.route("/docs")
def reference() -> Response:
    """The reference page: assets from here, nothing inline."""
    response = Response(_PAGE, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CSP
    return response


@pages.route("/docs/reference.js")
def script() -> Response:
    return Response(_OWN_SCRIPT, content_type="text/javascript; charset=utf-8")


@pages.route("/docs/assets/<name>")
def asset(name: str) -> Response:
    if name not in _SERVED:
        abort(404)
    return send_from_directory(_ASSETS, name, max_age=86_400)
