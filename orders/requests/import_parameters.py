"""The query parameters of `POST /orders/import`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from runtime.requests.faults import faults_of
from runtime.requests.refusal import Refusal

TITLE = "The orders were not imported"


class ImportParameters(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`?dryRun=true`: the answer says what would happen, and nothing is placed."""

    dry_run: bool = False


FIXES = {
    "body": "The only parameter is dryRun.",
    "dryRun": "Send true or false, or leave it out.",
}


def read(parameters: Mapping[str, str]) -> ImportParameters:
    """Raises Refusal: a parameter is unknown or has no valid value; it is named."""
    try:
        return msgspec.convert(dict(parameters), ImportParameters, strict=False)
    except msgspec.ValidationError as error:
        faults = faults_of(parameters, ImportParameters, FIXES, strict=False, is_body=False)
        raise Refusal(TITLE, faults) from error
