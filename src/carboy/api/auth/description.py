"""What the OpenAPI document says of who may call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask

from carboy.api.auth.access import access_of
from carboy.api.operation import Operation

__all__ = ["SECURITY_SCHEME", "completed", "security_scheme"]

SECURITY_SCHEME = "credentials"
_CHALLENGE = {
    "WWW-Authenticate": {
        "description": "How to authenticate (RFC 6750).",
        "schema": {"type": "string"},
    }
}


def security_scheme(scheme: str) -> dict[str, Any]:
    """Describe the credentials; OpenAPI knows ``Bearer`` by name.

    :param scheme: first word of the ``Authorization`` header.
    """
    if scheme.lower() == "bearer":
        return {"type": "http", "scheme": "bearer"}
    return {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": f"The word {scheme}, a space, and the token.",
    }


def completed(app: Flask, endpoint: str, method: str, operation: Operation) -> Operation:
    """Complete what is said of a view, by who may call it."""
    access = access_of(app, endpoint, method)
    if access is None or operation.security is not None:
        return operation
    if access.open:
        return replace(operation, security=[])
    errors = {401: "There are no credentials, or they are not valid."}
    if access.permissions:
        errors[403] = f"The caller lacks a permission: {' '.join(access.permissions)}."
    said = operation.extra.get("responses", {})
    challenged = {
        str(status): {"headers": _CHALLENGE, **said.get(str(status), {})} for status in errors
    }
    return replace(
        operation,
        security=[SECURITY_SCHEME],
        refuses=bool(access.permissions),
        errors={**errors, **operation.errors},
        extra={**operation.extra, "responses": {**said, **challenged}},
    )
