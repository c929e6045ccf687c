"""One step of an order's journey, as each app reports its own for the order's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct


class Step(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that a service did about an order, or that is still to be done."""

    service: str
    #: `done`: any outcome; `failed`: an attempt that ended with an error, or a message
    #: that was given up; `waiting`: not yet.
    kind: Literal["done", "failed", "waiting"]
    #: In a few words, e.g. "reserved".
    outcome: str
    #: None where it is still to be done.
    at: datetime | None = None
    #: Which attempt it was, counted from 1; None where it was not counted.
    attempt: int | None = None
    detail: str | None = None
    #: When it is to happen, where that is known.
    due_at: datetime | None = None
    #: The record at the operator's desk that has more about it.
    failed_message_id: str | None = None
    #: Of a waiting attempt: what names it at the desk, to run it now or never again.
    retry_id: str | None = None
