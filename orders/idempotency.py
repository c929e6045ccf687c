"""`Idempotency-Key`: a request that a client repeats places its order once.

The order's own document carries the key, under a unique index. One insert is therefore both the
claim of the key and the order, and no crash can leave one without the other. The stored answer
is the order as it was placed, which never changes, so that a repeat gets the first answer's
status and bytes.

Choices:

- A key belongs to the caller: the client of an API key, over its rotations, the subject of an
  access token, or a member of the staff. The same key of two callers means two requests. Where the
  API is open and the caller is unknown, the order's `userId` takes the caller's place.
- The release before knew no callers. What it noted under the `userId` is found as long as such a
  key lives, see `orders.unowned_keys`.
- Two requests are the same if they ask for the same, whatever their bytes: the same units of the
  same SKUs, be it `"book"` or `{"sku": "book", "quantity": 1}`, one line of two units or two of
  one, in any sequence. So the request is compared with the order that the first one placed,
  and not with how that was written. The same key with another request is refused with 422.
- What was refused is not stored: after its fault is fixed the key may be used again. An answer
  503 left nothing behind or an order that the repeat finds.
- A proxy may send the header twice or put blanks around the key: that is one key, the same as
  without. So is a key in quotes, as the draft of the header's standard has it. Two different keys
  are refused with 400, see `runtime.requests.idempotency_key`.
- A key is forgotten `IDEMPOTENCY_KEY_HOURS` after its order was placed, by MongoDB's clock; it is
  taken off the old order by the request that uses it again. A TTL index would delete the order
  with it.
- While the first request waits for MongoDB, the insert of a second one waits with it. So 409 is
  left for one case: the first order was there and is gone, lost with the primary before a
  majority had it. No client was told of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from bson import Timestamp
from django.conf import settings
from pymongo.errors import DuplicateKeyError

from orders import placing, unowned_keys
from orders.collection import orders
from orders.requests.order_request import TITLE, OrderRequest, quantities_of
from runtime.durable_read import find_durable
from runtime.metrics.counting import Counter
from runtime.milliseconds import now_in_milliseconds
from runtime.requests import idempotency_key
from runtime.requests.caller import Caller
from runtime.requests.header import BLANKS
from runtime.requests.idempotency_key import HEADER
from runtime.requests.problem_types import KEY_IN_USE, KEY_REUSED
from runtime.requests.refusal import Fault, Refusal

#: MongoDB replaces it by its own time, which only moves forward, as it inserts the order.
#: https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
TIME_OF_INSERT = Timestamp(0, 0)
#: Orders of an earlier release, and imported ones, have none.
KEYED_AT = {"$ifNull": [{"$toDate": "$keyed_at"}, "$created_at"]}

OTHER_REQUEST = Fault(
    field=HEADER,
    detail="was used for another order",
    fix="Send the first request again unchanged, or a new key for a new order.",
)
IN_FLIGHT = Fault(
    field=HEADER,
    detail="is in use by a request that is not answered yet",
    fix="Send the same request again in a second.",
)


REPEATED = Counter(
    "ordersite_repeated_orders_total",
    "Orders asked for with an Idempotency-Key that was used before, by outcome",
    ("outcome",),
)


class Placed(NamedTuple):
    """An order, and whether an earlier request of the same key had placed it."""

    document: dict[str, Any]
    is_replayed: bool


def place(request: OrderRequest, key: str, caller: Caller) -> Placed:
    """Place the order unless the key's first request has; return the order of the first.

    Args:
        key: what the header says, see `read`.

    Raises:
        Refusal: the key is invalid (400), another request's (422) or in flight (409), or the
            order is refused.
        pymongo.errors.PyMongoError: MongoDB did not answer; repeating the request is safe.
    """
    try:
        placed = _place(request, key, caller)
    except Refusal as refusal:
        if refusal.problem_type in (KEY_REUSED, KEY_IN_USE):
            REPEATED.add(refusal.problem_type.name)
        raise
    if placed.is_replayed:
        REPEATED.add("replayed")
    return placed


def _place(request: OrderRequest, key: str, caller: Caller, tries: int = 3) -> Placed:
    as_sent, key = key, read(key)
    if unowned := of_release_before(request, as_sent, caller):
        return Placed(first_answer(unowned, request), is_replayed=True)
    stored_key = owned(request, key, caller)
    try:
        return Placed(placing.place(request, key_fields(request, key, caller)), is_replayed=False)
    except Refusal:
        # The catalogue may have changed since the first request was answered.
        if (earlier := find(stored_key)) is None or is_forgotten(earlier):
            raise
    except DuplicateKeyError:
        earlier = find(stored_key)
        if earlier is None and tries == 1:
            raise Refusal(TITLE, [IN_FLIGHT], KEY_IN_USE) from None
        if earlier is None:
            # Another request has just taken the key off an old order.
            return _place(request, key, caller, tries - 1)
        if is_forgotten(earlier):
            forget(earlier)
            return _place(request, key, caller)
    return Placed(first_answer(earlier, request), is_replayed=True)


def read(header: str) -> str:
    """The key that the header says. Raises Refusal: see `runtime.requests.idempotency_key.read`."""
    return idempotency_key.read(header, TITLE, "a new UUID for each order")


def key_fields(request: OrderRequest, key: str, caller: Caller) -> dict[str, Any]:
    """What the order's document says of the request that placed it."""
    return {
        "idempotency_key": owned(request, key, caller),
        "request_fingerprint": fingerprint(request),
        "keyed_at": TIME_OF_INSERT,
    }


def owned(request: OrderRequest, key: str, caller: Caller) -> str:
    """The key as it is unique over all callers."""
    return unowned(request, key) if caller.is_anyone else f"{caller.owner_of_keys}:{key}"


def unowned(request: OrderRequest, key: str) -> str:
    """The same where the order's user takes the caller's place; no caller's id is a number."""
    return f"{request.user_id}:{key}"


def of_release_before(request: OrderRequest, header: str, caller: Caller) -> dict[str, Any] | None:
    """The order that the release before placed under this key and `userId`.

    To that release a key in quotes was another one.
    """
    if caller.is_anyone or not unowned_keys.may_exist():
        return None
    for key in dict.fromkeys((header.strip(BLANKS), read(header))):
        order = find(unowned(request, key))
        if order is not None and not is_forgotten(order):
            return order
    return None


def asked_for(order: Mapping[str, Any]) -> tuple[int, dict[str, int]]:
    """The user of a stored order, and its units by SKU."""
    return order["user_id"], {line["sku"]: line["quantity"] for line in order["items"]}


def fingerprint(request: OrderRequest) -> str:
    """How the request was written; stored for the release before, which compares it."""
    return hashlib.sha256(msgspec.json.encode(request)).hexdigest()


def find(stored_key: str) -> dict[str, Any] | None:
    """The order that the key's first request has placed; the key as it is stored.

    The read waits until a majority has the order, since the answer is a promise that it is not
    lost.
    """
    # `$type` lets MongoDB use an index that is partial on the field's type.
    query = {"idempotency_key": {"$eq": stored_key, "$type": "string"}}
    return find_durable(orders(), query)


def is_forgotten(order: dict[str, Any]) -> bool:
    """Whether the key is that old by MongoDB's clock; asked only if it is by ours.

    Ours may be wrong. Behind, it keeps a key for longer, which does no harm; a key that it made
    forget too early would place a second order.
    """
    lifetime = timedelta(hours=settings.IDEMPOTENCY_KEY_HOURS)
    if now_in_milliseconds() - order["created_at"] <= lifetime:
        return False
    age = {"$subtract": [{"$toDate": "$$CLUSTER_TIME"}, KEYED_AT]}
    is_old = {"$gt": [age, round(lifetime.total_seconds() * 1000)]}
    return orders().find_one({"_id": order["_id"], "$expr": is_old}, {"_id": 1}) is not None


def forget(order: dict[str, Any]) -> None:
    """Take the key off the order."""
    orders().update_one({"_id": order["_id"]}, {"$unset": {"idempotency_key": ""}})


def first_answer(order: dict[str, Any], request: OrderRequest) -> dict[str, Any]:
    """The order as its first request's answer showed it.

    Raises:
        Refusal: this is another request.
    """
    if asked_for(order) != (request.user_id, quantities_of(request.items)):
        raise Refusal(TITLE, [OTHER_REQUEST], KEY_REUSED)
    return order | {"status": "placed"}
