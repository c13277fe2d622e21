"""Every endpoint of the shop, from its ``url_map``, and a request that fits each of them."""

import copy
import re
from dataclasses import dataclass

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from carboy.api.auth.access import access_of
from carboy.api.openapi import document_of
from carboy.api.openapi.routes import path_of
from shop import create_app
from shop.settings import ShopSettings

PASSWORD = "correct horse battery"
ADMIN = "admin"
TRIED = [
    "Some text", "example", "EXAMPLE-1", "a@example.com", "12.50", "2026-01-31",
    "2026-01-31T12:00:00Z", "12:00:00", "https://example.com/", "127.0.0.1", "::1",
    "123e4567-e89b-12d3-a456-426614174000", "*",
]  # fmt: skip
# What fits a field, where that is more than a schema can say.
FITTING = {
    "password": PASSWORD,
    "current_password": PASSWORD,
    "new_password": "entirely another one",
    "scopes": ["orders:read"],
    "expires_at": "2999-12-31T12:00:00Z",
}
AT = {"/api/v1/sessions": {"username": ADMIN}}


@dataclass(frozen=True)
class Target:
    """One method of one route.

    :ivar is_public: it says that everybody may call it, or is outside of what is closed.
    """

    method: str
    rule: str
    path: str
    variables: tuple[str, ...]
    is_public: bool

    def __str__(self):
        return f"{self.method} {self.rule}"

    def at(self, things, **values):
        """Give an address: of what is there, or with other *values*.

        :param things: collection, as addresses name it → what stands behind it.
        """

        def put(found):
            there = values.get(found[2], things.get(found[1], "1"))
            return f"{found[1]}/{there}"

        path = re.sub(r"([^/{}]*)/\{(\w+)\}", put, self.path)
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "1"), path)

    @property
    def collections(self):
        """Name what the variables of the address choose from."""
        return re.findall(r"([^/{}]*)/\{\w+\}", self.path)

    @property
    def described(self):
        return DOCUMENT["paths"].get(self.path, {}).get(self.method.lower(), {})

    def names(self, place):
        listed = self.described.get("parameters", [])
        return [one["name"] for one in listed if one["in"] == place]

    def schema(self, kind):
        """Find the schema of a body whose content type *kind* is a part of."""
        content = self.described.get("requestBody", {}).get("content", {})
        return next((one["schema"] for name, one in content.items() if kind in name), None)

    def body(self):
        """Make a body in JSON that fits; ``None``: it takes none."""
        schema = self.schema("json")
        return None if schema is None else {**sample(schema), **AT.get(self.rule, {})}

    def form_fields(self):
        schema = self.schema("form")
        return [] if schema is None else sorted(resolved(schema).get("properties", {}))


def _targets():
    app = create_app(ShopSettings.load(APP_ENV="Testing", DATABASE_URL="sqlite://"))
    app.test_client().get("/openapi.json")  # what is registered with the first request
    found = []
    for rule in app.url_map.iter_rules():
        for method in rule.methods or ():
            access = access_of(app, rule.endpoint, method)
            found.append(
                Target(
                    method,
                    rule.rule,
                    path_of(rule),
                    tuple(sorted(rule.arguments)),
                    access is None or access.open,
                )
            )
    return sorted(found, key=str), document_of(app)


def resolved(schema):
    while "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def sample(schema):
    """Make a value that fits the schema."""
    schema = resolved(schema)
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: FITTING.get(name) or sample(one) for name, one in properties.items()}
    if kind == "array":
        return [sample(schema["items"])]
    if kind == "string":
        fits = Draft202012Validator(schema, format_checker=FormatChecker()).is_valid
        return next(value for value in [*schema.get("enum", []), *TRIED] if fits(value))
    return {"boolean": True, "null": None}.get(kind, schema.get("minimum", 1))


def places(value, at=()):
    """Give the way to every value inside *value*, and to itself."""
    yield at
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in inside:
            yield from places(one, (*at, key))


def put(value, at, new):
    """Copy *value* with something else at one place."""
    if not at:
        return new
    changed = copy.deepcopy(value)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = new
    return changed


TARGETS, DOCUMENT = _targets()
DOING = [target for target in TARGETS if target.method not in ("HEAD", "OPTIONS")]
WITH_JSON = [target for target in DOING if target.schema("json") is not None]
WITH_FILES = [target for target in DOING if target.schema("multipart") is not None]


def over(targets):
    """Hold a law over each of *targets*."""
    return pytest.mark.parametrize("target", [pytest.param(one, id=str(one)) for one in targets])
