"""One document that another program, or an earlier release, wrote differently hides no other.

A stored document of each kind is copied, and in the copy one field is missing, null, or of a type
that nobody reads there. The list with both, and the sound document's page, have to answer.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import suppress
from io import StringIO
from typing import Any

import bson
import pytest
from bson import DatetimeMS, Decimal128, ObjectId
from bson.raw_bson import RawBSONDocument
from django.apps import apps
from django.contrib.admin.utils import quote
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from pymongo.errors import BulkWriteError

from billing.invoicing import issue
from billing.order_in_message import read_placed
from failed_messages.acting import bulk_discard, job_control, policies
from failed_messages.acting.second_person import Waits
from failed_messages.reading.filters import Filter
from inventory.reserving import reserve
from orders import ledger
from ordersite import unreadable_cells
from ordersite.access import keys
from ordersite.overview.measuring import measure
from ordersite.overview.stored_snapshot import Sparing, last, recount_stock, take
from ordersite.pipeline.scheduler import JOBS
from tests.billing.orders import placed
from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place, placed_body
from tests.inventory.catalogue import order, stocked
from webhooks import managing, waking
from webhooks.noting import note
from webhooks.order_in_message import About
from webhooks.store import deliveries

pytestmark = pytest.mark.usefixtures("clean")

#: Stands for a text of as many bytes that are not UTF-8, which PyMongo would not write.
NOT_UTF8 = "not UTF-8"

STRANGE = {
    "null": None,
    "text": "strange",
    "a double": 9.95,
    "a document": {"a": [1]},
    "an array": [{"b": 1}],
    "no number": Decimal128("sNaN"),
    "without end": Decimal128("-Infinity"),
    "beyond every amount": Decimal128("1E+6000"),
    "a large number": 2**63 - 1,
    "no finite double": float("nan"),
    "after every calendar": DatetimeMS(2**62),
    "before every calendar": DatetimeMS(-(2**62)),
    "not UTF-8": NOT_UTF8,
}

#: As of mongoimport, in place of an ObjectId.
OTHER_IDS = ("legacy-17", 17)

#: As an earlier release may have left it; then its own page has to answer, too.
ABSENT = ("missing", "null")

#: Every list of the admin that shows what the pipeline stores.
LISTS = [
    "orders.order",
    "inventory.product",
    "inventory.reservation",
    "inventory.movement",
    "billing.invoice",
    "failed_messages.failedmessage",
    "failed_messages.failuregroup",
    "failed_messages.replayjob",
    "failed_messages.replaypolicy",
    "failed_messages.auditentry",
    "failed_messages.pendingact",
    "failed_messages.discardjob",
    "webhooks.endpoint",
    "webhooks.delivery",
]


@pytest.fixture
def operator(clean: None) -> Client:
    return staff()


@pytest.fixture
def pipeline(clean: None) -> None:
    """One document of each kind."""
    from datetime import timedelta

    its_order = place()
    order_id = str(its_order["_id"])
    ledger.record(order_id, "inventory", "reserved")
    stocked(pen=10)
    reserve(order(order_id, pen=1))
    issue(read_placed(placed(order_id)))
    failed(body=placed_body(its_order), correlation_id=order_id)
    job_control.start(Filter(service="billing"), "me")
    policies.set_policy("me", delays=[timedelta(minutes=15)], service="billing")
    with override_settings(SECOND_PERSON_ABOVE=0), suppress(Waits):
        bulk_discard.start([Filter(service="billing")], "me", "ours")
    bulk_discard.start([Filter(service="billing")], "me", "ours")
    made = managing.create(
        "https://shop.example.com/", ["order.placed"], user_id=None, description="", by="me"
    )
    managing.send_test(made.endpoint)


def variants(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document with one field changed, field by field; keys of unique indexes stay apart."""
    for name in document.keys() - {"_id"}:
        missing = apart(document)
        del missing[name]
        yield f"{name} missing", missing
        for kind, value in STRANGE.items():
            yield f"{name} is {kind}", apart(document) | {name: value}
    if isinstance(document["_id"], ObjectId):
        for id_ in OTHER_IDS:
            yield f"_id is {id_!r}", apart(document) | {"_id": id_}


def apart(document: dict[str, Any]) -> dict[str, Any]:
    other = copy.deepcopy(document)
    other["_id"] = ObjectId() if isinstance(document["_id"], ObjectId) else f"{ObjectId()}"
    for name in ("sku", "message_id", "number", "idempotency_key"):
        if name in other:
            other[name] = str(other["_id"])[-20:]
    return other


@pytest.fixture(params=LISTS)
def strange(request: pytest.FixtureRequest, pipeline: None) -> tuple[str, Any, dict[str, Any]]:
    """The prefix of a model's addresses, a sound document's id, and the strange ones beside it."""
    meta = apps.get_model(request.param)._meta
    sound, made = spoilt(meta.db_table)
    return f"admin:{meta.app_label}_{meta.model_name}", sound["_id"], made


def spoilt(collection: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A sound document of the collection, and the strange ones that are stored beside it now."""
    stored = connection.database[collection]
    sound = stored.find_one()
    assert sound
    made = dict(variants(sound))
    # A unique index takes some fields' value once.
    with suppress(BulkWriteError):
        stored.insert_many(map(as_written, made.values()), ordered=False)
    kept = set(stored.distinct("_id"))
    made = {name: document for name, document in made.items() if document["_id"] in kept}
    assert len(made) > 5 * len(sound)
    return sound, made


def as_written(document: dict[str, Any]) -> RawBSONDocument:
    encoded = bson.encode(document)
    return RawBSONDocument(encoded.replace(NOT_UTF8.encode(), b"\xff" * len(NOT_UTF8)))


def test_a_strange_document_hides_no_other_in_the_admin(
    strange: tuple[str, Any, dict[str, Any]], operator: Client
):
    prefix, sound, _ = strange
    listed = reverse(f"{prefix}_changelist")

    pages = [operator.get(listed, {"p": page}) for page in range(1, 17)]
    texts = [page.content.decode() for page in pages]

    assert {page.status_code for page in pages} <= {200, 302}
    own_page = reverse(f"{prefix}_change", args=[quote(sound)])
    assert any(own_page in text or str(sound) in text for text in texts)
    assert operator.get(own_page).status_code == 200


#: Other programs write these, or earlier releases did, with fields that came later.
WRITTEN_BY_OTHERS = ("orders_", "inventory_", "billing_")


def test_a_document_without_a_field_has_its_page(
    strange: tuple[str, Any, dict[str, Any]], operator: Client
):
    prefix, _, made = strange
    if not prefix.startswith(tuple(f"admin:{app}" for app in WRITTEN_BY_OTHERS)):
        return
    for name, document in made.items():
        if name.endswith(ABSENT):
            page = operator.get(reverse(f"{prefix}_change", args=[document["_id"]]))
            assert page.status_code == 200, name


#: What reads all documents of a kind, for everybody.
SHARED_WORK = [
    *(job.run for job in JOBS if not isinstance(job.run, Sparing)),
    *(take, measure, recount_stock),
]
SHARED_PAGES = ["/admin/", "/orders", "/metrics", "/pipeline/conservation", "/failed-messages"]
SHARED_PAGES += ["/failed-messages/groups", "/failed-messages/jobs", "/failed-messages/policies"]
SHARED_PAGES += ["/failed-messages/pending", "/products", "/webhooks/endpoints", "/api-keys"]


@pytest.mark.parametrize("model", [*LISTS, "failed_messages.failurecount"])
def test_a_strange_document_stops_no_work_on_the_others(
    model: str, pipeline: None, operator: Client, caplog: pytest.LogCaptureFixture
):
    spoilt(apps.get_model(model)._meta.db_table)

    for run in SHARED_WORK:
        run()

    assert last() is not None
    for page in SHARED_PAGES:
        assert operator.get(page).status_code == 200, page
    assert "cannot be measured" not in caplog.text
    assert "part of the overview cannot be read" not in caplog.text


def test_a_strange_api_key_hides_no_other(operator: Client):
    made = keys.create("a shop", ["orders:read"], by="me", user_id=None)
    spoilt("api_keys")
    connection.database["api_keys"].update_one({"_id": made.record.pk}, {"$set": {"name": "sound"}})

    listed, answer = StringIO(), operator.get("/api-keys?limit=200")
    call_command("api_keys", "list", stdout=listed)

    assert "sound" in {each["name"] for each in answer.json()["items"]}
    assert made.record.pk in listed.getvalue()
    for each in connection.database["api_keys"].find({}, {"_id": True}):
        assert keys.find(f"ordersite_{each['_id'][-16:]}_{'A' * 43}") is None


UNREADABLE = [
    *(("user_id", value) for value in ("101", 101.0, {"a": 1}, [101], True)),
    *(("expires_at", value) for value in ("2020-01-01", 0, True)),
    *(("revoked_at", value) for value in ("2020-01-01", 1.5, True)),
    *(("scopes", value) for value in (None, "orders:read", [{"a": 1}])),
    *(("rate", "5"), ("client", None), ("digest", 5)),
]


@pytest.mark.parametrize(("name", "value"), UNREADABLE, ids=str)
def test_an_api_key_that_cannot_be_read_opens_nothing(
    clean: None, caplog: pytest.LogCaptureFixture, name: str, value: Any
):
    """A customer's, whose number another program wrote as text, is not a shop's for all orders."""
    made = keys.create("the app", ["orders:read"], by="me", user_id=101, rate=5)
    found = keys.find(made.secret)
    assert found is not None
    assert (found.user_id, found.rate, found.state) == (101, 5, "active")
    assert type(found.user_id) is int

    for change in ({"$set": {name: value}}, {"$unset": {name: ""}}):
        connection.database["api_keys"].update_one({"_id": made.record.pk}, change)
        assert keys.find(made.secret) is None
        with pytest.raises(keys.InvalidKey):
            keys.rotate(made.record.pk, by="me")
    assert f"its document in MongoDB has no right {name}" in caplog.text


def test_the_same_fault_of_many_documents_is_logged_once(
    operator: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """However many values another program wrote."""
    monkeypatch.setattr(unreadable_cells, "_reported", set())
    stocked(pen=1)
    sound = connection.database["products"].find_one({}, {"_id": False})
    for number in range(20):
        strange = {**sound, "sku": f"p{number}", "name": number}
        connection.database["products"].insert_one(strange)

    assert operator.get("/admin/inventory/product/").status_code == 200

    said = "A stored value of inventory.Product.name cannot be read"
    assert caplog.text.count(said) == 1


def test_strange_endpoints_keep_nothing_from_a_sound_one(pipeline: None):
    sound, made = spoilt("webhook_endpoints")
    placed_now = (placed(str(ObjectId())), About(str(ObjectId()), 101))

    note("order.placed", [placed_now])

    assert deliveries().count_documents({"endpoint": sound["_id"], "type": "order.placed"}) == 1
    claimed = []
    while (endpoint := waking.claim(claimed, [], list(waking.Health))) is not None:
        claimed.append(endpoint["_id"])
        waking.health_of(endpoint)
    assert sound["_id"] in claimed
    assert len(claimed) <= len(made) + 1
