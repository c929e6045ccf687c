"""The JSON Schemas of everything that routes take and answer, made from the types that do so."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import cleandoc
from typing import Any

import msgspec

REF = "#/components/schemas/{name}"

Schema = dict[str, Any]


def schemas_of(
    types: Iterable[Any], reference: str = REF
) -> tuple[list[Schema], dict[str, Schema]]:
    """The schema of each type, and the named ones to which they refer, by their names.

    `reference` is what a reference to `{name}` looks like. Descriptions are docstrings without the
    indentation of the code, which Python takes away by itself from 3.13 on.
    """
    found, named = msgspec.json.schema_components(types, ref_template=reference)
    for each in named.values():
        if "description" in each:
            each["description"] = cleandoc(each["description"])
    return list(found), named


class Schemas:
    """Types and their schemas; those with a name are components."""

    def __init__(self, types: Iterable[Any]) -> None:
        # A type with examples in it has no hash, so it is known by its identity.
        known = {id(each): each for each in types}
        # As long as this is there, no other object gets one of these identities.
        self._types = list(known.values())
        found, self.components = schemas_of(self._types)
        self._by_identity = dict(zip(known, found, strict=True))

    def of(self, type_: Any) -> Schema:
        """Raises KeyError: the type is not among them."""
        return self._by_identity[id(type_)]


def fields_of(struct: type[msgspec.Struct]) -> dict[str, tuple[Schema, bool]]:
    """The schema of each field of a struct of scalars, and whether it must be given."""
    whole = msgspec.json.schema(struct)
    found = whole["$defs"][struct.__name__]
    required = found.get("required", [])
    return {name: (each, name in required) for name, each in found["properties"].items()}
