"""The page of all events, made from the types of their bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from messaging.service import Event, events, exchange_of
from ordersite.pipeline.asyncapi import json_schema
from ordersite.reference.markdown import code, table

HEAD = """# Events

Every event that the services publish, with the fields of its body. For programs
[asyncapi.yaml](../asyncapi.yaml) describes the same, and each event has a JSON Schema. How to
listen is in [subscribing](../subscribing.md), and what holds for all events in
[events](../events.md).
"""


def page() -> str:
    """The page in Markdown."""
    return "\n".join([HEAD, *(section(each) for each in events().values())])


def section(event: Event) -> str:
    schema = json_schema(event)
    lines = [
        f"## {event.type}",
        str(event.body.__doc__ or "").strip(),
        f"Exchange `{exchange_of(event.type).name}`, version {event.version} of its body: "
        f"[schema](../schemas/{event.type}.v{event.version}.json).",
        table(("Field", "Type", "Meaning"), rows(schema, schema.get("$defs", {}))),
    ]
    return "\n\n".join(lines) + "\n"


def rows(
    schema: Mapping[str, Any], known: Mapping[str, Any], prefix: str = ""
) -> list[tuple[str, str, str]]:
    """A row for each field, those of an object within it behind it."""
    found = []
    of_body = resolved(schema, known)
    for name, field in of_body.get("properties", {}).items():
        plain = resolved(field, known)
        optional = "" if name in of_body.get("required", ()) else ", may be missing"
        found.append(
            (code(prefix + name), type_of(plain, known) + optional, plain.get("description", ""))
        )
        if inner := resolved(plain.get("items", {}), known):
            found += rows(inner, known, f"{prefix}{name}[].")
    return found


def resolved(schema: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return dict(known[schema["$ref"].rpartition("/")[2]])
    return schema


def type_of(schema: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    if choices := schema.get("anyOf"):
        return " or ".join(type_of(resolved(each, known), known) for each in choices)
    if values := schema.get("enum"):
        return ", ".join(code(str(each)) for each in values)
    if schema.get("type") == "array":
        return "list"
    return str(schema.get("format") or schema.get("type", "object"))
