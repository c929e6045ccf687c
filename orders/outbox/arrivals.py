"""Tells of events that become pending, so that nobody asks MongoDB for them again and again.

MongoDB itself tells, by a change stream: of what a majority has, and about as soon as the writer
hears of it. It costs a write nothing. While many come at a time nobody listens, as each write would
have to be read.
https://www.mongodb.com/docs/manual/changeStreams/
"""

from __future__ import annotations

import logging
from typing import Any

from pymongo.change_stream import CollectionChangeStream
from pymongo.errors import OperationFailure

from orders.collection import orders
from runtime.stopping import StopRequest

logger = logging.getLogger(__name__)

#: An event that is not told of, for whatever reason, is found so much later.
SWEEP_SECONDS = 1.0
#: Where this user of MongoDB may not listen.
POLL_SECONDS = 0.1

PENDING: list[dict[str, Any]] = [
    {
        "$match": {
            "$or": [
                {"operationType": {"$in": ["insert", "replace"]}},
                # It is there already where an event joins another one.
                {"updateDescription.updatedFields.pending_since": {"$exists": True}},
            ]
        }
    },
    {"$project": {"documentKey": True}},
]


class Arrivals:
    """What one process hears."""

    def __init__(self) -> None:
        self._stream: CollectionChangeStream[dict[str, Any]] | None = None
        self._may_listen = True

    def wait(self, stop: StopRequest) -> None:
        """Return when an event has become pending, or after `SWEEP_SECONDS`.

        At once where nobody has listened yet: events may have come before.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer.
        """
        if self._stream is not None:
            self._stream.try_next()
        elif self._may_listen:
            self._listen()
        else:
            stop.wait(POLL_SECONDS)

    def _listen(self) -> None:
        try:
            self._stream = orders().watch(PENDING, max_await_time_ms=round(SWEEP_SECONDS * 1000))
        except OperationFailure as error:
            self._may_listen = False
            logger.warning(
                "MongoDB does not tell of new events (%s), so it is asked for them every %g s, "
                "which costs CPU. Nothing is lost. Give this process its rights with `python "
                "manage.py access apply`, and start it again.",
                error.details and error.details.get("errmsg"),
                POLL_SECONDS,
            )

    def ignore(self) -> None:
        """Stop listening, until the next `wait`."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
