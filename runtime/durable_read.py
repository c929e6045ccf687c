"""Reading a document whose content is a promise: it is not gone with the primary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern

MAJORITY, LINEARIZABLE = ReadConcern("majority"), ReadConcern("linearizable")


def find_durable(
    collection: Collection[dict[str, Any]], query: Mapping[str, Any]
) -> dict[str, Any] | None:
    """One document that matches, as soon as a majority has what the primary had when it was asked.

    A linearizable read gives the same, and takes up to 100 ms: its own empty write waits for the
    next flush of the journal. So it is used only to make sure that there is none.
    https://www.mongodb.com/docs/manual/core/causal-consistency-read-write-concerns/

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer, or no majority has it in time.
    """
    durable = collection.with_options(read_concern=MAJORITY)
    with collection.database.client.start_session(causal_consistency=True) as session:
        # From now on the session knows up to which write a majority has to be.
        is_there = collection.find_one(query, {"_id": True}, session=session)
        if is_there and (found := durable.find_one(query, session=session)):
            return found
    return collection.with_options(read_concern=LINEARIZABLE).find_one(query)
