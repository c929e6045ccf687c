"""One MongoDB transaction, retried until it is committed, so that effects happen once.

A message may be delivered twice, at the same moment, to two workers. A handler therefore checks
in a transaction for what it has recorded of the order, and only writes when it finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import pymongo
from django.db import connection
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from runtime.outage import Outage
from runtime.tracing.mongodb import calling

Result = TypeVar("Result")

#: How long a transaction is run again before it counts as an outage. Outages are ridden out by
#: running the handler again, which together stays below a task's soft time limit.
TRANSACTION_DEADLINE_SECONDS = 5

#: A race for the same key is lost once; a key that is still taken then is a real collision.
RACES = 3


def in_transaction(callback: Callable[[ClientSession], Result]) -> Result:
    """Run `callback(session)` in one transaction and return what it returns.

    The callback may run several times: write conflicts are waited for with jitter, and when
    another worker inserts the same key first, it runs again and finds that worker's document.
    What it read is durable on the majority once this returns, even if it wrote nothing.
    https://www.mongodb.com/docs/manual/core/transactions/

    Raises:
        Outage: not carried out within TRANSACTION_DEADLINE_SECONDS, since MongoDB is down, lacks
            its majority, or others hold the documents, as a killed worker's open transaction
            does until MongoDB ends it (`transactionLifetimeLimitSeconds`). It may have taken
            place all the same; running it again shows.
        DuplicateKeyError: a key is taken by a document that the callback does not check for.
        Exception: whatever else the callback raises; nothing is written then.
    """
    for _ in range(RACES - 1):
        with suppress(DuplicateKeyError):
            return _carry_out(callback)
    return _carry_out(callback)


def _carry_out(callback: Callable[[ClientSession], Result]) -> Result:
    try:
        with (
            calling("transaction"),
            pymongo.timeout(TRANSACTION_DEADLINE_SECONDS),
            connection.database.client.start_session() as session,
        ):
            return session.with_transaction(
                callback,
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
            )
    except PyMongoError as error:
        if error.timeout or _is_unsettled(error):
            raise Outage(
                f"MongoDB did not carry out the transaction in {TRANSACTION_DEADLINE_SECONDS} s: "
                f"{error}"
            ) from error
        raise


def _is_unsettled(error: PyMongoError) -> bool:
    return error.has_error_label("TransientTransactionError") or error.has_error_label(
        "UnknownTransactionCommitResult"
    )
