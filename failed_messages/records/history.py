"""The lines of a record's history: what was done to it, when, by whom and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from messaging.storable import text

REASON_LIMIT_CHARS = 1_000
NAME_LIMIT_CHARS = 150

#: Who acts where no person does.
ARCHIVER = "archiver"
RABBITMQ = "RabbitMQ"


def act(name: str, by: str, reason: str = "", detail: str = "") -> dict[str, Any]:
    """One line, ready to be pushed on `history`."""
    return {
        "at": datetime.now(UTC),
        "by": text(by, NAME_LIMIT_CHARS),
        "act": name,
        "reason": text(reason, REASON_LIMIT_CHARS),
        "detail": text(detail, REASON_LIMIT_CHARS),
    }
