"""What has to be there for the example of each operation, and what its path names then."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from bson import ObjectId
from django.test import override_settings

from billing.invoicing import credit, issue
from billing.order_in_message import read_placed, read_withdrawn
from failed_messages.acting.discard import discard
from failed_messages.acting.job_control import start
from failed_messages.acting.policies import set_policy
from failed_messages.acting.second_person import DISCARD, Waits, ask_if_needed
from failed_messages.models import FailedMessage
from failed_messages.reading.filters import Filter
from inventory import catalogue
from inventory.reserving import reserve
from ordersite.access import keys
from tests.billing.orders import cancelled, placed
from tests.failed_messages.letters import failed
from tests.failed_messages.stored_orders import place
from tests.inventory.catalogue import order as reserved
from tests.inventory.catalogue import stocked
from tests.waiting_retry import a_retry_waits
from tests.webhooks.events import answered, heard_of
from webhooks import managing
from webhooks.disabling import disable
from webhooks.sending import Sent
from webhooks.store import deliveries

Path = dict[str, str]


def nothing() -> Path:
    return {}


def order() -> Path:
    return {"orderId": str(place()["_id"])}


def pen() -> Path:
    return {"sku": "pen"}


def withdrawn() -> Path:
    catalogue.change("pen", catalogue.withdrawn(), "a test")
    return pen()


def reservation() -> Path:
    id_ = str(ObjectId())
    reserve(reserved(id_, pen=1))
    return {"orderId": id_}


def invoice() -> Path:
    id_ = str(ObjectId())
    issue(read_placed(placed(id_)))
    return {"orderId": id_}


def credit_note() -> Path:
    path = invoice()
    credit(read_withdrawn(cancelled(path["orderId"])))
    return path


def letter() -> FailedMessage:
    return failed(message_id=str(uuid.uuid4()))


def message() -> Path:
    return {"id": str(letter().pk)}


def waiting() -> Path:
    return {"id": a_retry_waits(str(ObjectId()))}


def discarded() -> Path:
    path = message()
    discard([path["id"]], "a test", "ordered twice")
    return path


def group() -> Path:
    return {"fingerprint": str(letter().fingerprint)}


def job(**path: str) -> Path:
    letter()
    return {"id": str(start(Filter(service="billing"), "a test")), **path}


def policy() -> Path:
    return {"scope": set_policy("a test", delays=[timedelta(hours=1)], service="billing")}


@override_settings(SECOND_PERSON_ABOVE=0)
def pending(**path: str) -> Path:
    ids = [message()["id"]]
    try:
        ask_if_needed(DISCARD, 1, "another one", "ordered twice", ids=ids)
    except Waits as waits:
        return {"id": str(waits.id), **path}
    raise AssertionError("nothing waits")


def key() -> Path:
    made = keys.create("a test", ["orders:place"], by="a test", user_id=101)
    return {"id": made.record.pk}


def endpoint() -> Path:
    types = ["order.placed"]
    url = "https://shop.example.com/"
    made = managing.create(url, types, user_id=101, description="", by="a test").endpoint
    return {"endpointId": made["_id"]}


def disabled_endpoint() -> Path:
    path = endpoint()
    disable(path["endpointId"], "a test", datetime.now(UTC))
    return path


def webhook() -> Path:
    path = endpoint()
    heard_of()
    stored = deliveries().find_one({"endpoint": path["endpointId"]})
    assert stored is not None
    answered(stored, Sent(datetime.now(UTC), 84, {"webhook-id": "msg_1"}, 500, "oops"))
    return {"deliveryId": stored["_id"], **path}


def failed_webhook() -> Path:
    path = webhook()
    deliveries().update_one(
        {"_id": path["deliveryId"]}, {"$set": {"state": "failed", "settled_at": datetime.now(UTC)}}
    )
    return path


def problem() -> Path:
    return {"name": "not-sold"}


#: By operation; each begins in a shop that sells books and pens.
PREPARED: dict[str, Callable[[], Path]] = {
    **dict.fromkeys(
        ("placeOrder", "listOrders", "importOrders", "listProducts", "addProduct"), nothing
    ),
    **dict.fromkeys(("getOrder", "cancelOrder", "getTimeline", "streamTimeline"), order),
    **dict.fromkeys(("getProduct", "changeProduct", "withdrawProduct", "restockProduct"), pen),
    "offerProduct": withdrawn,
    "shipOrder": reservation,
    **dict.fromkeys(("getInvoice", "getInvoicePdf"), invoice),
    **dict.fromkeys(("getCreditNote", "getCreditNotePdf"), credit_note),
    **dict.fromkeys(
        ("getConservation", "getMetrics", "getLiveness", "getServing", "getReadiness"), nothing
    ),
    **dict.fromkeys(
        ("getOpenApi", "getAsyncApi", "getDocs", "getEventDocs", "listProblems"), nothing
    ),
    "getProblem": problem,
    **dict.fromkeys(("listWebhookEndpoints", "createWebhookEndpoint"), endpoint),
    **dict.fromkeys(("getWebhookEndpoint", "changeWebhookEndpoint"), endpoint),
    **dict.fromkeys(("deleteWebhookEndpoint", "rotateWebhookSecret"), endpoint),
    **dict.fromkeys(("disableWebhookEndpoint", "testWebhookEndpoint"), endpoint),
    "enableWebhookEndpoint": disabled_endpoint,
    "sendWebhooksAgain": failed_webhook,
    **dict.fromkeys(("listWebhookDeliveries", "getWebhookDelivery", "sendWebhookAgain"), webhook),
    **dict.fromkeys(("listApiKeys", "createApiKey"), nothing),
    **dict.fromkeys(("getApiKey", "rotateApiKey", "revokeApiKey"), key),
    **dict.fromkeys(("listFailedMessages", "replayFailedMessages", "setReplayPolicy"), message),
    **dict.fromkeys(
        ("getFailedMessage", "replayFailedMessage", "editFailedMessage", "discardFailedMessage"),
        message,
    ),
    "restoreFailedMessage": discarded,
    **dict.fromkeys(("retryNow", "stopRetrying"), waiting),
    **dict.fromkeys(("listFailureGroups", "getFailureGroup", "triageFailureGroup"), group),
    **dict.fromkeys(("listBulkReplays", "getBulkReplay"), job),
    "controlBulkReplay": partial(job, what="pause"),
    **dict.fromkeys(("listReplayPolicies", "switchOffReplayPolicy"), policy),
    "listPendingActs": pending,
    "decidePendingAct": partial(pending, what="reject"),
}


def shop() -> None:
    """Books and pens, in stock."""
    stocked(book=10, pen=10)
