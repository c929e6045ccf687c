"""The log of decisions: who was let do what, and who was not; one JSON line each.

The names are those of the Elastic Common Schema: https://www.elastic.co/docs/reference/ecs
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from runtime.moment import for_programs
from runtime.requests import request_id

#: Also of other lines in JSON, so that there is one schema.
ECS_VERSION = "8.17"

#: A client writes its path and its name as long as it likes.
LONGEST_CHARACTERS = 500

logger = logging.getLogger("decisions")


def decided(
    action: str,
    *,
    by: str,
    allowed: bool,
    kind: str = "iam",
    reason: str = "",
    **fields: Any,
) -> None:
    """Log one decision.

    Args:
        action: what was asked for, such as `failed_messages.replay`.
        by: who asked; empty where nobody is known.
        kind: ECS's category: `iam` of what somebody may, `authentication` of who it is.
        reason: why it was denied, or what it was allowed by.
        fields: more of ECS, with `__` for the dot: `source__ip="192.0.2.1"`.
    """
    outcome = "success" if allowed else "failure"
    said = "allowed" if allowed else "denied"
    event = {
        "@timestamp": for_programs(datetime.now(UTC)),
        "ecs.version": ECS_VERSION,
        "log.level": "info" if allowed else "warn",
        "log.logger": logger.name,
        "message": f"{action} {said}",
        "event.kind": "event",
        "event.category": [kind],
        "event.type": [said],
        "event.action": action,
        "event.outcome": outcome,
        "event.reason": reason,
        "user.name": by,
        "http.request.id": request_id.in_logs(),
        **{name.replace("__", "."): value for name, value in fields.items()},
    }
    told = {name: _bounded(value) for name, value in event.items() if value not in ("", None)}
    # ASCII alone: no value can end the line or hide what follows.
    logger.log(logging.INFO if allowed else logging.WARNING, json.dumps(told))


def _bounded(value: Any) -> Any:
    return value[:LONGEST_CHARACTERS] if isinstance(value, str) else value
