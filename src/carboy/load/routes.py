"""Which route a request belongs to, by the service's OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# A last resort for paths the document does not list: numbers, UUIDs, long hexadecimal ids.
_ID = re.compile(r"\d+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}")
_PARAMETER = re.compile(r"\{[^{}/]*\}")
_PLACEHOLDER = "{}"


class RouteNames:
    """Names requests after the route they go to, so that ids do not make a row each.

    :param paths: templates such as ``/users/{id}``, in any order.
    :param base: URL of the service; its path is the mount point of the routes.

    What is written out in a template wins over a parameter: ``/users/me`` over
    ``/users/{id}`` (OpenAPI 3.1, "Path Templating Matching").
    """

    def __init__(self, paths: list[str], base: str) -> None:
        parts = urlsplit(base)
        self._netloc = parts.netloc
        self._mount = parts.path.rstrip("/")
        self._plain = {path for path in paths if "{" not in path}
        self._templates = [
            (_pattern(path), path) for path in sorted(paths, key=_variability) if "{" in path
        ]

    def of(self, url: str) -> str:
        """Name the route of a request.

        :param url: what was asked for, whole.
        """
        parts = urlsplit(url)
        path = parts.path or "/"
        if parts.netloc != self._netloc:
            return parts.netloc + _general(path)
        if path.startswith(f"{self._mount}/"):
            path = path[len(self._mount) :]
        if path in self._plain:
            return path
        for pattern, template in self._templates:
            if pattern.fullmatch(path):
                return template
        return _general(path)


def paths_of(document: Mapping[str, Any] | None) -> list[str]:
    """List the path templates of an OpenAPI document."""
    paths = (document or {}).get("paths")
    return [path for path in paths if path.startswith("/")] if isinstance(paths, dict) else []


def public_paths(document: Mapping[str, Any] | None) -> list[str]:
    """List the paths that answer a GET request which says nothing else.

    Left out are paths with parameters, operations that demand a parameter or a caller who
    has signed in, and deprecated ones.
    """
    found = []
    for path in paths_of(document):
        item = (document or {})["paths"][path]
        operation = item.get("get") if isinstance(item, dict) else None
        if "{" in path or not isinstance(operation, dict) or operation.get("deprecated"):
            continue
        security = operation.get("security", (document or {}).get("security", []))
        if security and {} not in security:
            continue
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        if any(_is_required(parameter, document or {}) for parameter in parameters):
            continue
        found.append(path)
    return found


def _is_required(parameter: Any, document: Mapping[str, Any]) -> bool:
    reference = parameter.get("$ref", "")
    if reference.startswith("#/components/parameters/"):
        name = reference.rpartition("/")[2]
        parameter = document.get("components", {}).get("parameters", {}).get(name, {})
    return bool(parameter.get("required"))


def _pattern(template: str) -> re.Pattern[str]:
    written = _PARAMETER.split(template)
    return re.compile("[^/]+".join(re.escape(text) for text in written))


def _variability(template: str) -> tuple[int, int]:
    """Sort templates with fewer parameters, and with more written out, first."""
    return len(_PARAMETER.findall(template)), -len(_PARAMETER.sub("", template))


def _general(path: str) -> str:
    return "/".join(
        _PLACEHOLDER if _ID.fullmatch(segment) else segment for segment in path.split("/")
    )
