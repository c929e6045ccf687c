"""The log of decisions: who was let do what, and who was not.

Each is a line of `runtime.json_lines`, whatever `LOG_FORMAT` says.
"""

from __future__ import annotations

import logging
from typing import Any

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
    said = "allowed" if allowed else "denied"
    event = {
        "event.kind": "event",
        "event.category": [kind],
        "event.type": [said],
        "event.action": action,
        "event.outcome": "success" if allowed else "failure",
        "event.reason": reason,
        "user.name": by,
        **{name.replace("__", "."): value for name, value in fields.items()},
    }
    told = {name: _bounded(value) for name, value in event.items() if value not in ("", None)}
    level = logging.INFO if allowed else logging.WARNING
    logger.log(level, "%s", _bounded(f"{action} {said}"), extra=told)


def _bounded(value: Any) -> Any:
    return value[:LONGEST_CHARACTERS] if isinstance(value, str) else value
