"""The JSON Schemas of everything that routes take and answer, made from the types that do so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

REF = "#/components/schemas/{name}"

Schema = dict[str, Any]


class Schemas:
    """Types and their schemas; those with a name are components."""

    def __init__(self, types: Iterable[Any]) -> None:
        # A type with examples in it has no hash, so it is known by its identity.
        known = {id(each): each for each in types}
        # As long as this is there, no other object gets one of these identities.
        self._types = list(known.values())
        found, self.components = msgspec.json.schema_components(self._types, ref_template=REF)
        self._by_identity = dict(zip(known, found, strict=True))

    def of(self, type_: Any) -> Schema:
        """Raises KeyError: the type is none of them."""
        return self._by_identity[id(type_)]


def fields_of(struct: type[msgspec.Struct]) -> dict[str, tuple[Schema, bool]]:
    """The schema of each field of a struct of scalars, and whether it must be given."""
    whole = msgspec.json.schema(struct)
    found = whole["$defs"][struct.__name__]
    required = found.get("required", [])
    return {name: (each, name in required) for name, each in found["properties"].items()}
