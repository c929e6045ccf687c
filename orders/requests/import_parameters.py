"""The query parameters of `POST /orders/import`."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from runtime.requests import query_string

TITLE = "The orders were not imported"


class ImportParameters(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`?dryRun=true`: the answer says what would happen, and nothing is placed."""

    dry_run: bool = False


FIXES = {"dryRun": "Send true or false, or leave it out."}


def read(parameters: Mapping[str, str]) -> ImportParameters:
    """Raises Refusal: a parameter is unknown or has no valid value; it is named."""
    return query_string.read(parameters, ImportParameters, TITLE, FIXES)
