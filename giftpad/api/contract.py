"""The contract: the OpenAPI document, completed from what every door declares.

Hides: apispec's document and what is added to it: permissions, security, the problems that any
operation may answer with.  The committed file is this document, so a changed contract is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from typing import Any

from flask import Blueprint as FlaskBlueprint
from flask import Flask, Response

from giftpad.api.http import IDEMPOTENCY_PARAMETER, PREFIX, Api, ProblemSchema, answer
from giftpad.edge import MEDIA_TYPE, Access, list_doors, public
from giftpad.identity import PERMISSIONS

_ARGUMENT = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SCHEME = "machine"
DESCRIPTIONS = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read, or a header it needs is missing.",
    HTTPStatus.UNAUTHORIZED: "No access token, or one that is expired or not valid.",
    HTTPStatus.FORBIDDEN: "The access token does not carry the permission.",
    HTTPStatus.NOT_FOUND: "Unknown, forged, or another organisation's: the same answer.",
    HTTPStatus.CONFLICT: "Not possible in this state, or the first request still runs.",
    HTTPStatus.LENGTH_REQUIRED: "The request does not say how long its body is.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than this operation takes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is of a type that is not read here.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A value cannot be accepted, or a rule says no; see code.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests, or too many unknown codes.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available right now; try again with the same key.",
}
GENERAL = (HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)
GUARDED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
READ = (
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
"""What whoever sends a body may be told of it."""


def _token_refusal(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/TokenRefusal"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


TOKEN_OPERATION: dict[str, Any] = {
    "tags": ["tokens"],
    "summary": "Take an access token for a machine client",
    "security": [],
    "x-public": "The client proves itself by its secret.",
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"$ref": "#/components/schemas/TokenRequest"}}
            for media_type in ("application/x-www-form-urlencoded", "application/json")
        },
    },
    "responses": {
        "200": {
            "description": "A token for one hour.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Token"}}},
        },
        "400": _token_refusal("RFC 6749, section 5.2."),
        "401": _token_refusal("invalid_client: the client or its secret is wrong."),
        "403": _token_refusal("The client's organisation is suspended."),
        "411": {"$ref": "#/components/responses/LengthRequired"},
        "413": {"$ref": "#/components/responses/RequestEntityTooLarge"},
        "429": _token_refusal("Too many requests."),
        "503": {"$ref": "#/components/responses/ServiceUnavailable"},
    },
}
TOKEN_SCHEMAS: dict[str, dict[str, Any]] = {
    "TokenRequest": {
        "type": "object",
        "required": ["grant_type"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["client_credentials"]},
            "client_id": {"type": "string"},
            "client_secret": {"type": "string"},
            "scope": {"type": "string"},
            "audience": {"type": "string"},
        },
    },
    "Token": {
        "type": "object",
        "required": ["access_token", "token_type", "expires_in", "scope"],
        "properties": {
            "access_token": {"type": "string"},
            "token_type": {"type": "string", "enum": ["Bearer"]},
            "expires_in": {"type": "integer"},
            "scope": {"type": "string"},
        },
    },
    "TokenRefusal": {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "string"},
            "error_description": {"type": "string"},
        },
    },
}
NO_NUL = "^[^\\u0000]*$"
"""No text column takes the character NUL, so no text of a request may hold it."""


def openapi_document(app: Flask, api: Api) -> dict[str, Any]:
    """Return the whole contract of ``app``."""
    if "Problem" not in api.spec.components.schemas:
        api.spec.components.schema("Problem", schema=ProblemSchema)
    document: dict[str, Any] = api.spec.to_dict()
    document["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    paths = document["paths"]
    for rule, method, door in list_doors(app):
        path = _ARGUMENT.sub(r"{\1}", rule.rule)
        operation = paths.get(path, {}).get(method.lower())
        if operation is not None:
            _complete(operation, door.access, is_one="{" in path)
    paths["/oauth/token"] = {"post": TOKEN_OPERATION}
    document["paths"] = {path: _ordered(paths[path]) for path in sorted(paths)}
    components = document.setdefault("components", {})
    components["schemas"] = dict(sorted((components["schemas"] | TOKEN_SCHEMAS).items()))
    components["responses"] = {_name(status): _problem(status) for status in DESCRIPTIONS}
    components["securitySchemes"] = {SCHEME: _scheme()}
    components.pop("headers", None)
    _forbid_nul(document)
    return document


def _forbid_nul(document: dict[str, Any]) -> None:
    """Say of every text that a request may hold that it holds no NUL."""
    named = document["components"]["schemas"]
    waiting = list(_asked_schemas(document))
    seen: list[int] = []
    while waiting:
        schema = waiting.pop()
        schema = named[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        if id(schema) in seen:
            continue
        seen.append(id(schema))
        is_text = schema.get("type") in ("string", ["string", "null"])
        if is_text and not schema.keys() & {"pattern", "enum", "format"}:
            schema["pattern"] = NO_NUL
        waiting += [*schema.get("properties", {}).values()]
        waiting += [schema["items"]] if "items" in schema else []


def _asked_schemas(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return the schemas of every body and every parameter of a request."""
    for item in document["paths"].values():
        operations = [item[method] for method in _METHODS if method in item]
        for operation in operations:
            body = operation.get("requestBody", {})
            for content in body.get("content", {}).values():
                yield content["schema"]
        for holder in (item, *operations):
            yield from (parameter["schema"] for parameter in holder.get("parameters", []))


def _ordered(item: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(item.items(), key=lambda entry: (entry[0] in _METHODS, entry[0])))


def _complete(operation: dict[str, Any], access: Access, *, is_one: bool) -> None:
    """Add to one operation what its door says and what any operation may answer."""
    responses: dict[str, Any] = operation.setdefault("responses", {})
    expected = {*GENERAL}
    if access.is_public:
        operation["security"], operation["x-public"] = [], access.why
    else:
        operation["security"] = [{SCHEME: list(access.permissions)}]
        operation["x-permissions"] = list(access.permissions)
        expected |= {*GUARDED}
    if is_one:
        expected.add(HTTPStatus.NOT_FOUND)
    if IDEMPOTENCY_PARAMETER in operation.get("parameters", []):
        expected |= {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
    if "requestBody" in operation:
        expected |= {*READ}
    for status in expected:
        responses.setdefault(str(int(status)), {})
    for status_text, response in responses.items():
        responses[status_text] = _as_problem(status_text, response)
    operation["responses"] = dict(sorted(responses.items()))


def _as_problem(status_text: str, response: dict[str, Any]) -> dict[str, Any]:
    """Return a response; one of a refusal has the one format of refusals."""
    status = HTTPStatus(int(status_text))
    if status not in DESCRIPTIONS:
        return response
    described = response.get("description")
    if described in (None, "", status.phrase):
        return {"$ref": f"#/components/responses/{_name(status)}"}
    return {**_problem(status), "description": described}


def _name(status: HTTPStatus) -> str:
    return status.phrase.title().replace(" ", "")


def _problem(status: HTTPStatus) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": DESCRIPTIONS[status], "content": {MEDIA_TYPE: {"schema": schema}}}


def _scheme() -> dict[str, Any]:
    scopes = dict.fromkeys(PERMISSIONS, "")
    return {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes}},
    }


def contract_of(app: Flask) -> dict[str, Any]:
    """Return the contract that ``app`` serves."""
    document: dict[str, Any] = app.extensions["giftpad_contract"]()
    return document


def init_contract(app: Flask, api: Api) -> None:
    """Serve the contract."""
    blp = FlaskBlueprint("contract", __name__)

    @cache
    def document() -> dict[str, Any]:
        return openapi_document(app, api)

    app.extensions["giftpad_contract"] = document

    @blp.get(f"{PREFIX}/openapi.json")
    @public("A contract is for those who have no client yet.")
    def contract() -> Response:
        return answer(document())

    app.register_blueprint(blp)
