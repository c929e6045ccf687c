"""What failed messages tell of orders and records that the restored database lacks."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec
from bson import ObjectId

from billing import lost_numbers
from billing.order_in_message import read_placed
from failed_messages.models import Status
from failed_messages.records.collection import failed_messages
from messaging.certificate import Reason
from messaging.errors import InvalidMessage
from messaging.isolation import isolated
from messaging.order_id import canonical, object_id
from messaging.service import events
from messaging.trust.contents import OF_NO_ORDER, RECORDED_NO
from orders.events import OrderCancelled, OrderPlaced
from orders.ledger import NEVER_TAKEN, known
from runtime.batches import in_batches

logger = logging.getLogger(__name__)

CANNOT_READ = (
    "What the failed message %s tells is left out, as its document is not as this release stores "
    "one; the others' is not. Correct the document, then run reconcile_restore again."
)

#: What they tell has no record in the service that it is about.
UNRECORDED: dict[str, Any] = {
    "reason": Reason.CONTRADICTS_RECORD,
    "message": {"$regex": rf"^\w+{RECORDED_NO}"},
}
#: Answers that found no order.
OF_LOST_ORDERS: dict[str, Any] = {
    "service": "orders",
    "message": {"$regex": f"^{NEVER_TAKEN}"},
}
#: The same, and orders' own events, where nothing vouched for the publisher.
UNVOUCHED: dict[str, Any] = {
    "reason": Reason.UNTRUSTED_PUBLISHER,
    "message": {"$regex": OF_NO_ORDER},
}
#: Billing's answers; also where the order's invoice says otherwise, as with another number.
OF_BILLING: dict[str, Any] = {
    "reason": Reason.CONTRADICTS_RECORD,
    "type": {"$in": ["billing.invoiced", "billing.credited"]},
}
#: They have an order whole, whatever they failed of.
WHOLE_ORDERS: dict[str, Any] = {"type": {"$in": ["order.placed", "order.cancelled"]}}

AT_ONCE = 1_000
FIELDS = {"service", "type", "order_id", "user_id", "body", "reason", "message", "properties"}


class Kind(StrEnum):
    """Why a message failed after a restore."""

    #: Its publisher was believed, and orders had no such order.
    OF_LOST_ORDER = "of_lost_order"
    #: The same, and nothing vouched for the publisher.
    UNVOUCHED = "unvouched"
    #: The order was there, and no record of what the message tells.
    UNRECORDED = "unrecorded"
    #: It is billing's, and the order's invoice says otherwise.
    OTHERWISE = "otherwise"


class Answer(NamedTuple):
    """What one failed message tells."""

    id: ObjectId
    #: The service that gave it up.
    service: str
    #: Of its event, like `billing.invoiced`.
    type: str
    order_id: str
    user_id: str
    #: Empty where it cannot be read.
    body: dict[str, Any]
    #: None for an order's event that failed of something else.
    kind: Kind | None
    #: When its publisher says that it happened; None where it says nothing readable.
    at: datetime | None = None

    @property
    def about(self) -> str:
        """The service of which it tells something: `billing.invoiced` -> `billing`."""
        return self.type.partition(".")[0]

    @property
    def state(self) -> str:
        return self.type.partition(".")[2]

    @property
    def number(self) -> str | None:
        """Of the invoice."""
        return _number(self.body.get("invoiceNumber"), lost_numbers.invoice_number)

    @property
    def credit_note(self) -> str | None:
        return _number(self.body.get("creditNoteNumber"), lost_numbers.credit_note_number)

    @property
    def numbers(self) -> set[str]:
        """All that may have been issued by now; a message may hold any."""
        return {
            each
            for each in (self.number, self.credit_note)
            if each and ahead(each) <= lost_numbers.MOST_LOST
        }


class Answers:
    """All that failed messages tell, read once."""

    def __init__(self, told: Iterable[Answer]) -> None:
        #: Those that a record contradicts: nothing that they tell is ever believed.
        self.otherwise: list[Answer] = []
        self._of: dict[str, list[Answer]] = defaultdict(list)
        for each in told:
            if each.kind is Kind.OTHERWISE:
                self.otherwise.append(each)
            else:
                self._of[each.order_id].append(each)

    def of(self, order_id: str) -> list[Answer]:
        return self._of.get(order_id, [])

    def all(self) -> list[Answer]:
        return [each for told in self._of.values() for each in told]

    def order_ids(self) -> list[str]:
        return sorted(self._of)


def read() -> Answers:
    """Raises pymongo.errors.PyMongoError: MongoDB did not answer."""
    kinds = [UNRECORDED, OF_LOST_ORDERS, UNVOUCHED, OF_BILLING, WHOLE_ORDERS]
    wanted = {"status": Status.FAILED, "$or": kinds}
    found = failed_messages().find(wanted, dict.fromkeys(FIELDS, 1)).sort("_id", 1)
    return Answers(_read(found))


def _read(found: Iterable[dict[str, Any]]) -> Iterator[Answer]:
    for some in in_batches(found, AT_ONCE):
        answers = []
        for record in some:
            with isolated(logger, CANNOT_READ, record["_id"]):
                # A forged dead letter may have any type.
                if record["type"] in events():
                    answers.append(_answer(record))
        kept = there(each.order_id for each in answers)
        # An event that just failed, of an order that is there, tells nothing.
        yield from (each for each in answers if each.kind or each.order_id not in kept)


def _answer(record: dict[str, Any]) -> Answer:
    return Answer(
        record["_id"],
        str(record["service"]),
        str(record["type"]),
        canonical(record["order_id"]),
        str(record["user_id"]),
        _body(record["body"]),
        _kind(record),
        _timestamp(record["properties"]),
    )


def _kind(record: dict[str, Any]) -> Kind | None:
    message = str(record["message"])
    if record["service"] == "orders" and message.startswith(NEVER_TAKEN):
        return Kind.OF_LOST_ORDER
    if record["reason"] == Reason.UNTRUSTED_PUBLISHER and OF_NO_ORDER in message:
        return Kind.UNVOUCHED
    if record["reason"] != Reason.CONTRADICTS_RECORD:
        return None
    if RECORDED_NO in message:
        return Kind.UNRECORDED
    return Kind.OTHERWISE if record["type"] in OF_BILLING["type"]["$in"] else None


def whole_order(answers: Iterable[Answer]) -> Answer | None:
    """The one whose body is that of an `order.placed` or `order.cancelled`: the order, whole."""
    return next((each for each in answers if _is_whole(each)), None)


def _is_whole(answer: Answer) -> bool:
    kind = {"order.placed": OrderPlaced, "order.cancelled": OrderCancelled}.get(answer.type)
    if kind is None or object_id(answer.order_id) is None:
        return False
    try:
        msgspec.convert(answer.body, kind)
        return read_placed(answer.body).order_id == answer.order_id
    except (msgspec.ValidationError, InvalidMessage):
        return False


def ahead(number: str) -> int:
    """By how much it is beyond the last one that its series has given out."""
    series, count = lost_numbers.parts(number)
    return count - lost_numbers.last(series)


def _timestamp(properties: object) -> datetime | None:
    """Of the message's properties, as JSON text."""
    with suppress(ValueError, TypeError, KeyError, OverflowError):
        told = json.loads(str(properties))["timestamp"]
        if isinstance(told, int):
            return datetime.fromtimestamp(told, UTC)
        return datetime.fromisoformat(told).replace(tzinfo=UTC)
    return None


def _body(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _number(told: object, valid: Callable[[str], str]) -> str | None:
    with suppress(ValueError):
        return valid(told) if isinstance(told, str) else None
    return None


def keys(order_ids: Iterable[object]) -> list[ObjectId]:
    """Of those that are ids of ours."""
    return [key for each in order_ids if (key := key_of(each))]


def key_of(order_id: object) -> ObjectId | None:
    """None where it is not an id of ours; what another program stored may be anything."""
    return object_id(order_id) if isinstance(order_id, str) else None


def there(order_ids: Iterable[object]) -> set[str]:
    """Those of the orders that the database has."""
    return {str(each) for each in known(keys(order_ids))}
