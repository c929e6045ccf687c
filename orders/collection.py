"""The orders collection without the ORM, for the routes and processes where speed matters."""

from __future__ import annotations

from typing import Any

from django.db import connection
from pymongo import WriteConcern
from pymongo.collection import Collection
from pymongo.read_concern import ReadConcern

from runtime.stored_documents import AWARE

#: An acknowledged write survives the loss of the primary.
#: https://www.mongodb.com/docs/manual/reference/write-concern/
MAJORITY = WriteConcern(w="majority")

#: What is read this way survives the loss of the primary, so that others may be told.
#: https://www.mongodb.com/docs/manual/reference/read-concern-majority/
DURABLE = ReadConcern("majority")


def orders() -> Collection[dict[str, Any]]:
    """The collection, its dates aware, in UTC.

    Past Django's query log, which in development would keep thousands of orders in memory.
    """
    collection: Collection[dict[str, Any]] = connection.database.get_collection(
        "orders", codec_options=AWARE, write_concern=MAJORITY
    )
    return collection
