"""Following ``$ref`` inside one document."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote


class References:
    """The references of one document (RFC 6901, section 6).

    :param document: all of it; references lead into it.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def follow(self, node: Any) -> Any:
        """Give what *node* stands for; what is no reference is returned as it is.

        Keywords beside a reference are laid over what it leads to, as OpenAPI 3.1 has it for
        descriptions; limits beside one are rare enough to be read the same way.

        :raises LookupError: if a reference leads nowhere, in a circle or to another file.
        """
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            target = node["$ref"]
            if target in seen or not target.startswith("#"):
                raise LookupError(f"the reference {target} cannot be followed")
            seen.add(target)
            beside = {key: value for key, value in node.items() if key != "$ref"}
            found = self._at(target)
            node = {**found, **beside} if beside and isinstance(found, dict) else found
        return node

    def _at(self, target: str) -> Any:
        node: Any = self.document
        for part in target[1:].split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, list) else node[key]
            except (LookupError, TypeError, ValueError) as error:
                raise LookupError(f"the reference {target} leads nowhere") from error
        return node
