"""Many failed messages, made from one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bson import ObjectId

from failed_messages.records.collection import failed_messages
from tests.failed_messages.letters import failed


def copies(count: int, change: Callable[[int], dict[str, Any]] | None = None) -> list[ObjectId]:
    """Store `count` failed messages of one cause, each with its own message id and order."""
    pattern = failed_messages().find_one({"_id": failed(message_id="m0", correlation_id="o0").pk})
    assert pattern is not None
    failed_messages().delete_one({"_id": pattern["_id"]})

    def documents() -> Iterator[dict[str, Any]]:
        for number in range(count):
            own = {"_id": ObjectId(), "message_id": f"m{number}", "order_id": f"o{number}"}
            yield {**pattern, **own, **(change(number) if change else {})}

    return list(failed_messages().insert_many(documents()).inserted_ids)
