"""Places the orders of an import, some hundred in one write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pymongo
from bson import ObjectId
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern

from orders import placing, traces
from orders.collection import orders
from orders.idempotency import asked_for, fingerprint
from orders.importing.entry import Entry, Outcome, blamed
from orders.importing.look_alikes import LookAlikes
from orders.requests.order_request import quantities_of, skus_of
from runtime.batches import in_batches
from runtime.money.price import Price
from runtime.requests.refusal import Fault, Refusal
from runtime.tracing import spans

BATCH_ORDERS = 300
BATCH_TIMEOUT_SECONDS = 10.0

#: https://github.com/mongodb/specifications: an insert that a unique index refused.
DUPLICATE_KEY = 11000


class Import:
    """Imports entries; with `is_dry_run` it only shows what it would do."""

    def __init__(self, *, is_dry_run: bool = False) -> None:
        self.is_dry_run = is_dry_run
        #: Of a dry run: what would be stored by now, by key.
        self._would_be_stored: dict[str, dict[str, Any]] = {}
        self._look_alikes = LookAlikes()

    def run(self, entries: Iterable[Entry]) -> Iterator[Outcome]:
        """Import all entries; what became of each comes in their sequence, batch by batch.

        Raises:
            pymongo.errors.PyMongoError: MongoDB did not answer. The batches before are stored;
                of the one at fault some orders may be.
        """
        for batch in in_batches(entries, BATCH_ORDERS):
            with pymongo.timeout(BATCH_TIMEOUT_SECONDS):
                outcomes = self._import(batch)
            yield from outcomes

    def _import(self, batch: list[Entry]) -> list[Outcome]:
        prices = placing.catalogue.prices(skus(batch))
        composed = [compose(entry, prices) for entry in batch]
        documents = [each for each in composed if isinstance(each, dict)]
        warnings = self._look_alikes.warnings(without_key(batch, composed))
        earlier = self._would_store(documents) if self.is_dry_run else store_traced(documents)
        return [
            each
            if isinstance(each, Outcome)
            else outcome(entry, each, earlier)._replace(warning=warnings.get(entry.line, ""))
            for entry, each in zip(batch, composed, strict=True)
        ]

    def _would_store(self, documents: list[dict[str, Any]]) -> dict[ObjectId, dict[str, Any]]:
        """What `store` would return."""
        keyed = [each for each in documents if "idempotency_key" in each]
        stored = self._would_be_stored | find([each["idempotency_key"] for each in keyed])
        earlier = {}
        for each in keyed:
            first = stored.setdefault(each["idempotency_key"], each)
            if first is not each:
                earlier[each["_id"]] = first
            self._would_be_stored[each["idempotency_key"]] = first
        return earlier


def skus(batch: Iterable[Entry]) -> set[str]:
    requests = (entry.request for entry in batch if entry.request)
    return {sku for each in requests for sku in skus_of(each.items)}


def without_key(
    batch: list[Entry], composed: list[dict[str, Any] | Outcome]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The orders that can be repeated without a word: each with its line."""
    for entry, document in zip(batch, composed, strict=True):
        if isinstance(document, dict) and not entry.key:
            yield entry.line, document


def compose(entry: Entry, prices: dict[str, Price]) -> dict[str, Any] | Outcome:
    """The document of the entry's order, or its refusal."""
    request = entry.request
    if request is None:
        return Outcome(entry, faults=entry.faults)
    try:
        quantities = quantities_of(request.items)
    except Refusal as refusal:
        return refused(entry, placing.and_not_sold(refusal, request.items, prices))
    known = {sku: prices[sku] for sku in quantities if sku in prices}
    try:
        placing.check_prices(request.items, quantities, known)
    except Refusal as refusal:
        return refused(entry, refusal)
    document = placing.compose(request.user_id, quantities, known)
    if entry.created_at:
        document = dated(document, entry.created_at)
    if entry.key:
        extra_fields = {"idempotency_key": entry.key, "request_fingerprint": fingerprint(request)}
        document |= extra_fields
    return document


def refused(entry: Entry, refusal: Refusal) -> Outcome:
    found = blamed(entry, refusal.errors)
    return Outcome(found, faults=found.faults)


def dated(document: dict[str, Any], created_at: datetime) -> dict[str, Any]:
    """The order as one of that time, its id included; its event happens now."""
    moment = created_at.replace(microsecond=created_at.microsecond // 1000 * 1000)
    order_id = placing.id_of(moment)
    [event] = document["pending_events"]
    return document | {
        "_id": order_id,
        "created_at": moment,
        "pending_events": [event | {"id": f"order.placed:{order_id}"}],
    }


def store_traced(documents: list[dict[str, Any]]) -> dict[ObjectId, dict[str, Any]]:
    """What `store` does; where traces are recorded, each order begins one of its own."""
    if not spans.is_on():
        return store(documents)
    with traces.begun(documents):
        return store(documents)


def store(documents: list[dict[str, Any]]) -> dict[ObjectId, dict[str, Any]]:
    """Insert the orders; for each that had been imported before: by its id, the earlier order.

    An empty one is an order that another request imports at this moment.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not take them all.
    """
    if not documents:
        return {}
    try:
        orders().insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failures = error.details["writeErrors"]
        if error.details["writeConcernErrors"] or any(
            failure["code"] != DUPLICATE_KEY for failure in failures
        ):
            raise
        duplicates = [documents[failure["index"]] for failure in failures]
        stored = find([each["idempotency_key"] for each in duplicates])
        return {each["_id"]: stored.get(each["idempotency_key"], {}) for each in duplicates}
    return {}


def find(keys: list[str]) -> dict[str, dict[str, Any]]:
    """The stored orders with these keys, as far as a majority has them."""
    if not keys:
        return {}
    # `$type` lets MongoDB use an index that is partial on the field's type.
    query = {"idempotency_key": {"$in": keys, "$type": "string"}}
    found = orders().with_options(read_concern=ReadConcern("majority")).find(query)
    return {document["idempotency_key"]: document for document in found}


def outcome(
    entry: Entry, document: dict[str, Any], earlier: dict[ObjectId, dict[str, Any]]
) -> Outcome:
    """What became of a document that `store` was given."""
    first = earlier.get(document["_id"])
    if first is None:
        return Outcome(entry, str(document["_id"]))
    if not first:
        return Outcome(entry, faults=(in_flight(entry),))
    if asked_for(first) != asked_for(document):
        return Outcome(entry, faults=(used(entry),))
    return Outcome(entry, str(first["_id"]), is_repeated=True)


def in_flight(entry: Entry) -> Fault:
    detail = "is being imported by another request at this moment"
    return Fault(field=key_field(entry), detail=detail, fix="Import it again in a second.")


def used(entry: Entry) -> Fault:
    fix = "Use another one for another order."
    return Fault(field=key_field(entry), detail="was used for another order", fix=fix)


def key_field(entry: Entry) -> str:
    """What the entry's source calls its key."""
    return "orderId" if entry.name else "orderRef"
