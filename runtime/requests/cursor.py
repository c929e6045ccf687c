"""The cursor of a list's page: which item it begins behind, in a form that is nobody's to make."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from msgspec import Meta

from runtime.requests.refusal import Fault, Refusal

Cursor = Annotated[str, Meta(description="Of the `next` link of the page before.")]
#: Of each page.
Next = Annotated[str | None, Meta(description="The address of the next page; null on the last.")]

FIX = "Take it from the `next` link of the page before, or leave it out."


def encoded(place: bytes) -> str:
    """The cursor of a page that begins behind this place."""
    return base64.urlsafe_b64encode(place).decode()


def decoded(cursor: str, title: str) -> bytes:
    """The place that the cursor was made of; `title` is what did not happen, if it is none.

    Raises:
        Refusal: it is not a cursor.
    """
    if not cursor:
        raise refused(title)
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise refused(title) from error


def refused(title: str) -> Refusal:
    """It is not one of this list's."""
    fault = Fault(field="cursor", detail="must be a cursor of this list", fix=FIX)
    return Refusal(title, [fault])
