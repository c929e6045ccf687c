"""Orders whose events cannot be published, left out for a while, so that others are published."""

from __future__ import annotations

import logging
import time

from bson import ObjectId

logger = logging.getLogger(__name__)

#: Then they are tried again: they may have been corrected.
FOR_SECONDS = 60.0
#: The query that leaves them out stays small; more of them than this are one cause, not many.
MOST = 10_000


class SetAside:
    """Remembers them in this process alone; another one finds out by itself."""

    def __init__(self) -> None:
        self._until: dict[ObjectId, float] = {}

    def add(self, order_id: ObjectId, error: Exception) -> bool:
        """Leave the order out for `FOR_SECONDS`, and log it; False where there are too many."""
        logger.error(
            "The events of order %s cannot be published, so no service hears of them; the others "
            "are published. Correct the order's document in MongoDB: they are tried again in %g s.",
            order_id,
            FOR_SECONDS,
            exc_info=error,
        )
        if len(self._until) >= MOST:
            return False
        self._until[order_id] = time.monotonic() + FOR_SECONDS
        return True

    def ids(self) -> list[ObjectId]:
        """Those that are still to be left out."""
        if self._until:
            now = time.monotonic()
            self._until = {id_: until for id_, until in self._until.items() if until > now}
        return [*self._until]
