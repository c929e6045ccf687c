"""A consumer of the previous release, who reads what this one publishes by that one's schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FORMAT = "{type}.v{version}.json"


class Reader:
    """Knows the events that a release's `docs/schemas` describe, and their newest versions."""

    def __init__(self, schemas: Path) -> None:
        self._validators = {
            file.name: Draft202012Validator(json.loads(file.read_text()))
            for file in schemas.glob("*.json")
        }
        assert self._validators, f"no schemas in {schemas}"

    def unreadable(self, message: Any) -> Iterator[str]:
        """What of an AMQP message the release can't read, in words; nothing if it can."""
        properties, headers = message.properties, message.headers or {}
        type_, version = properties.get("type"), headers.get("schema-version", 1)
        schema = self._validators.get(FORMAT.format(type=type_, version=version))
        if schema is None:
            yield f"it knows no {type_} with the schema-version {version}"
            return
        for name in ("message_id", "correlation_id"):
            if not properties.get(name):
                yield f"{type_} has no {name}"
        if properties.get("content_type") != "application/json":
            yield f"{type_} is {properties.get('content_type')}"
        if type_.startswith("order.") and type(headers.get("order-version")) is not int:
            yield f"{type_} has no order-version"
        for error in schema.iter_errors(json.loads(message.body)):
            yield f"{type_}: {error.json_path} {error.message}"
