"""A request's body, decoded from JSON and checked on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from orders.refusals import Fault, Refusal, fault_of

T = TypeVar("T")


def decode(
    decoder: msgspec.json.Decoder[T], body: bytes, title: str, fixes: Mapping[str, str]
) -> T:
    """What the body says.

    Args:
        decoder: of the type that the body is to be.
        title: what did not happen, if the body is refused.
        fixes: how to mend each field, see `orders.refusals.fault_of`.

    Raises:
        Refusal: it is not JSON in UTF-8 (RFC 8259), or something else than the type; the refusal
            names the field.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Refusal(title, [fault_of(error, fixes)]) from error
    except UnicodeDecodeError as error:
        raise bad(title, fixes, "is not UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise bad(title, fixes, f"is not JSON: {error}") from error


def bad(title: str, fixes: Mapping[str, str], detail: str, status_code: int = 400) -> Refusal:
    """The body as a whole is at fault."""
    return Refusal(title, [Fault(field="body", detail=detail, fix=fixes["body"])], status_code)
