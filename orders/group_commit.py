"""Group commit: the orders that wait at the same moment are stored with one call to MongoDB.

While groups are being written, the orders that arrive meanwhile form the next one. There is no
timer: an order that arrives alone is written alone and at once, and the busier the system, the
larger the groups. Each order still gets its own answer: a write that MongoDB refuses is its own
request's error, and a write with an unknown result is an error for each order of its group.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import bson
import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    WriteError,
)

from orders.collection import orders

#: Orders that wait for the next write; further ones are to be sent again later.
MAX_WAITING_ORDERS = 1_000
#: With only one, all orders wait for it while MongoDB is busy for a moment.
GROUPS_AT_A_TIME = 2
#: What a write gets even where its oldest order has no time left.
LEAST_WRITE_SECONDS = 0.3

#: As PyMongo has them: pymongo/helpers_shared.py, `_DUPLICATE_KEY_CODES`.
DUPLICATE_KEY_CODES = (11000, 11001, 12582)


class TooManyWaiting(Exception):
    """`MAX_WAITING_ORDERS` wait already, so this one was not taken."""


class Waiting(NamedTuple):
    """An order that waits to be stored."""

    order: RawBSONDocument
    #: On `time.monotonic`'s clock; then its request has to be answered.
    deadline: float
    stored: asyncio.Future[None]


class GroupCommit:
    """Stores the orders of one event loop in groups, at most `GROUPS_AT_A_TIME` at a time."""

    def __init__(self) -> None:
        #: Not taken by a writer yet; the first of them has started one.
        self._waiting: list[Waiting] = []
        self._writers: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(GROUPS_AT_A_TIME, thread_name_prefix="group-commit")

    async def store(self, order: Mapping[str, Any], deadline: float) -> None:
        """Return once a majority of MongoDB's nodes has the order.

        Raises:
            TooManyWaiting: it was not taken, nor will it be.
            bson.errors.BSONError: it is not a document.
            DuplicateKeyError: a unique index has it already.
            WriteError: MongoDB refused it for another reason.
            PyMongoError: it is not known whether it was stored.
        """
        if len(self._waiting) >= MAX_WAITING_ORDERS:
            raise TooManyWaiting
        # Encoded before it joins the others, so that what can't be is its own fault alone.
        document = RawBSONDocument(bson.encode(order))
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        if not self._waiting and len(self._writers) < GROUPS_AT_A_TIME:
            self._writers.add(loop.create_task(self._write_groups()))
        self._waiting.append(Waiting(document, deadline, stored))
        await stored

    async def _write_groups(self) -> None:
        """Write group after group, until none waits."""
        try:
            while self._waiting:
                await self._write(self._next_group())
        finally:
            # At once: who arrives next has to find the place free.
            self._writers.discard(asyncio.current_task())

    async def _write(self, group: Sequence[Waiting]) -> None:
        """Write one group and give each of its requests its result."""
        loop = asyncio.get_running_loop()
        try:
            refused = await loop.run_in_executor(self._threads, self._insert, group)
        except Exception as error:
            # Those who wait for the next group would only wait as long again.
            for each in (*group, *self._next_group()):
                answer(each, error)
        else:
            for index, each in enumerate(group):
                answer(each, refused.get(index))

    def _next_group(self) -> list[Waiting]:
        group, self._waiting = self._waiting, []
        return group

    def _insert(self, group: Sequence[Waiting]) -> dict[int, WriteError]:
        """Insert the group's orders; return what MongoDB refused, by position.

        Raises:
            PyMongoError: it is not known what was stored.
        """
        remaining_seconds = min(each.deadline for each in group) - time.monotonic()
        try:
            with pymongo.timeout(max(remaining_seconds, LEAST_WRITE_SECONDS)):
                orders().insert_many([each.order for each in group], ordered=False)
        except BulkWriteError as error:
            return refusals(error)
        return {}


def answer(waiting: Waiting, error: Exception | None) -> None:
    """Wake the request, unless its client has hung up."""
    if waiting.stored.done():
        return
    if error is None:
        waiting.stored.set_result(None)
    else:
        waiting.stored.set_exception(error)


def refusals(error: BulkWriteError) -> dict[int, WriteError]:
    """What MongoDB refused, by the order's position in its group.

    Raises:
        ConnectionFailure: the others are written, but not on a majority yet: a new primary may
            lack them.
    """
    if unconfirmed := error.details["writeConcernErrors"]:
        raise ConnectionFailure(f"no majority confirmed a write: {unconfirmed[0]}") from error
    return {each["index"]: refusal(each) for each in error.details["writeErrors"]}


def refusal(write_error: Mapping[str, Any]) -> WriteError:
    code = write_error["code"]
    kind = DuplicateKeyError if code in DUPLICATE_KEY_CODES else WriteError
    return kind(write_error["errmsg"], code, write_error)
