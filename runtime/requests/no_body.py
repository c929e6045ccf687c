"""The body of a request whose address says it all."""

from __future__ import annotations

from msgspec import Struct

from runtime.requests.json_body import JsonBody


class NoBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing: the address says it all."""


def no_body(title: str) -> JsonBody[NoBody | None]:
    """Takes no body, an empty JSON object or null; `title` is what did not happen otherwise."""
    return JsonBody(
        NoBody | None,  # type: ignore[arg-type]  # a union is not a type to mypy
        title,
        {"body": "Send no body, or an empty JSON object."},
        empty=NoBody(),
    )
