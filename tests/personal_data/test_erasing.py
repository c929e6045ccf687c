"""Everything of a person in one archive; erased for good, also what comes from a queue later."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bson import ObjectId, json_util
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from pymongo.collection import Collection
from pymongo.errors import OperationFailure

from billing.invoicing import invoices
from failed_messages.acting import bulk_discard
from failed_messages.acting.discard import discard
from failed_messages.acting.editing import edit_and_replay
from failed_messages.acting.job_control import start
from failed_messages.acting.second_person import Waits
from failed_messages.models import AuditEntry
from failed_messages.personal_data import audit as of_desk
from failed_messages.reading.filters import Filter
from failed_messages.records import audit
from failed_messages.records.audit import note_denied
from failed_messages.records.collection import (
    failed_messages,
    failure_groups,
    pending_acts,
    replay_jobs,
)
from inventory.reserving import reservations
from messaging.handling import retry_notes
from orders.cancelling import cancel
from orders.collection import orders
from orders.events import body_of
from ordersite.access import keys
from ordersite.access import personal_data as of_keys
from ordersite.access.scopes import CUSTOMERS
from ordersite.personal_data import erasing
from ordersite.personal_data import personal_data as of_words
from ordersite.personal_data.archive import export
from ordersite.personal_data.collection import erasures
from ordersite.personal_data.erasing import erase, erase_what_came_since
from ordersite.personal_data.retention import forget_customers
from ordersite.rights import mongodb_rights
from ordersite.simulated_faults.models import SimulatedFault
from runtime import personal_data, presence
from runtime.os_user import os_user
from runtime.personal_data import SMALLEST_PSEUDONYM, Person
from runtime.transactions import in_transaction
from tests.failed_messages.letters import certificate, failed
from tests.failed_messages.staff import staff
from tests.inventory.catalogue import stocked
from tests.ordersite.test_restoring import place, relay, work
from tests.security.conftest import client_of
from tests.webhooks.events import heard_of
from webhooks.store import deliveries

pytestmark = pytest.mark.usefixtures("clean")

#: So long that no clock, id or pseudonym has it in it, as tests look for it in all that is stored.
USER, OTHER = 987_654_321_012_345, 987_654_321_012_346
WORDS = "Ring at Erika Mustermann's"
EVERYTHING = ("orders", "reservations", "invoices", "failed_messages", "failed_messages_audit")
ERASED_FROM = ("orders", "reservations", "failed_messages", "failed_messages_audit")


@pytest.fixture(autouse=True)
def shop(clean: None) -> None:
    stocked(pen=100)


def died(order_id: str, user: int = USER) -> Any:
    """A message about the order that billing gave up."""
    line = {"sku": "pen", "quantity": 1}
    body = {"orderId": order_id, "userId": user, "items": [line]}
    return failed(
        body=json.dumps(body).encode(),
        message_id=f"m{order_id}",
        death=certificate(message=f"no card of user {user}"),
    )


def stored(*collections: str) -> str:
    """All that is in them, as text."""
    documents = [list(connection.database[name].find()) for name in collections or EVERYTHING]
    bodies = [bytes(each["body"]).decode() for each in failed_messages().find()]
    return json_util.dumps(documents) + json.dumps(bodies)


def files(archive: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: json.loads(opened.read(name)) for name in opened.namelist()}


def test_everything_of_a_person_and_nothing_of_another_is_in_the_archive() -> None:
    order, _ = place(user_id=USER), place(user_id=OTHER)
    work()
    died(order)

    found = files(export(USER, "boss"))

    assert set(found["about.json"]["files"]) == found.keys() - {"about.json"}
    for name in ("orders", "reservations", "invoices", "failed-messages"):
        assert len(found[f"{name}.json"]) == 1, name
    assert str(OTHER) not in json.dumps(found)
    entry = AuditEntry.objects.get(act="export")
    assert (entry.by, entry.subject, entry.subject_id) == ("boss", "person", str(USER))


def test_no_query_reads_all_of_the_audit_log(monkeypatch: pytest.MonkeyPatch) -> None:
    died("6743f0000000000000000001")
    for user in [USER, *[OTHER] * 19]:
        in_transaction(
            partial(audit.note, act="assign", subject=audit.GROUP, subject_id="1", by="anna",
                    reason=f"user {user} asked")
        )  # fmt: skip
    monkeypatch.setattr(personal_data, "READ_AT_ONCE", 5)

    with profiled("failed_messages_audit") as read:
        found = files(export(USER, "boss"))["audit-log.json"]
        erase(USER, "boss")

    assert [each["reason"] for each in found] == [f"user {USER} asked"]
    assert 0 < max(read) <= 5
    assert str(USER) not in stored("failed_messages_audit")


@contextmanager
def profiled(collection: str) -> Iterator[list[int]]:
    """How many documents each query of the collection has read, once it is over."""
    database, read = connection.database, list[int]()
    database.command("profile", 2)
    try:
        yield read
    finally:
        database.command("profile", 0)
        of_it = {"ns": f"{database.name}.{collection}", "docsExamined": {"$exists": True}}
        read += [each["docsExamined"] for each in database["system.profile"].find(of_it)]
        database["system.profile"].drop()


def test_after_erasing_nothing_but_the_invoice_tells_who_it_was() -> None:
    order, other = place(user_id=USER), place(user_id=OTHER)
    work()
    orders().update_one({"user_id": USER}, {"$set": {"idempotency_key": f"{USER}:k"}})
    message = died(order)
    placed = orders().find_one({"user_id": USER})
    corrected = msgspec.json.encode(body_of(placed, "order.placed"))
    edit_and_replay(message.pk, corrected.decode(), "boss", f"as user {USER} asked")
    export(USER, "boss")
    of_other = orders().find_one({"user_id": OTHER})

    outcome = erase(USER, "boss")

    assert str(USER) not in stored(*ERASED_FROM)
    assert invoices().count_documents({"user_id": USER}) == outcome["invoices"].kept == 1
    assert "the law wants invoices for 10 years" in outcome["invoices"].why
    assert orders().find_one({"user_id": OTHER}) == of_other
    pseudonym = str(erasures().find_one({"_id": USER})["pseudonym"])
    assert AuditEntry.objects.get(act="erase").subject_id == pseudonym
    assert {str(each["user_id"]) for each in reservations().find()} == {pseudonym, str(OTHER)}
    assert other


def everything() -> str:
    """All that is in the database but invoices that have to be kept, and who was erased."""
    names = {*connection.database.list_collection_names()} - {"invoices", "erasures"}
    return stored(*sorted(names))


#: Why nothing of a customer can be in them.
OF_NOBODY = {
    "auth_group": "of staff",
    "auth_group_permissions": "of staff",
    "auth_permission": "of staff",
    "auth_user": "of staff",
    "auth_user_groups": "of staff",
    "auth_user_user_permissions": "of staff",
    "staff_second_factors": "of staff",
    "staff_provider_accounts": "of staff",
    "django_session": "of staff, for a working day",
    "django_content_type": "names of models",
    "django_migrations": "names of migrations",
    "demo_data": "names of what was loaded",
    "begun_runs": "hashes, for a day",
    "relay_lease": "names of processes",
    presence.COLLECTION: "names of processes",
    "scheduler_heartbeat": "names of jobs",
    "pipeline_snapshot": "counts, and groups' errors, made anew every ten seconds",
    "pipeline_buckets": "counts",
    "failure_counts": "counts",
    "invoice_counters": "counts",
    "products": "goods",
    "stock_movements": "goods, and ids of orders",
    "acts_alone": "of staff, for two hours",
    "replay_policies": "services, and hashes of errors",
}
#: Those that may have the number afterwards, as docs/personal-data.md says.
KEPT = {"invoices", "erasures"}


@override_settings(WEBHOOKS=True, WEBHOOKS_TO_PRIVATE_ADDRESSES=True, IDEMPOTENCY_KEY_HOURS=24)
def test_whatever_collection_there_is_names_the_person_before_and_not_afterwards() -> None:
    """A new collection fails this test until something of a person is in it here, or its name is
    above with the reason."""
    there = {*mongodb_rights.of_all_apps(), *mongodb_rights.OTHERS, mongodb_rights.MIGRATIONS}
    assert there >= {*connection.database.list_collection_names()}
    assert there >= OF_NOBODY.keys()
    something_everywhere()
    for name in sorted(there - OF_NOBODY.keys() - {"erasures"}):
        assert str(USER) in stored(name) or WORDS in stored(name), name

    outcome = erase(USER, "boss")

    assert not any(each.left for each in outcome.values())
    for name in sorted(there - KEPT):
        assert str(USER) not in stored(name), name
        assert WORDS not in stored(name), name
    erase(USER, "boss")
    assert str(USER) not in everything()


def something_everywhere() -> None:
    """Of the person, by the ways that it comes there."""
    order = place(user_id=USER)
    relay()
    message = died(order)
    failed(body=b"{}", message_id="of nobody", death=certificate(message=f"user {USER} is unknown"))
    with override_settings(SECOND_PERSON_ABOVE=0), pytest.raises(Waits):
        start(Filter(user_id=str(USER)), "anna", f"for user {USER}")
    start(Filter(q=f"user {USER}"), "anna", f"for user {USER}")
    bulk_discard.start([Filter(q=f"user {USER}")], "anna", f"for user {USER}")
    theirs = keys.create(WORDS, sorted(CUSTOMERS), by="anna", user_id=USER).secret
    client = client_of(theirs)
    headers = {"Idempotency-Key": f"{WORDS.encode().hex()}"}
    hook = {"url": f"http://localhost/{USER}", "types": ["order.placed"]}
    made = client.post("/webhooks/endpoints", json.dumps(hook), "application/json", headers=headers)
    assert made.status_code == 201, made.content
    test = f"/webhooks/endpoints/{made.json()['endpointId']}/test"
    tested = client.generic("POST", test, headers={"Idempotency-Key": "of it"})
    assert tested.status_code in (200, 201, 202), tested.content
    heard_of(orderId=order, userId=USER)
    deliveries().update_many({}, {"$set": {"state": "delivered"}})
    cancelled = client.post(
        f"/orders/{order}/cancel",
        json.dumps({"reason": WORDS}),
        "application/json",
        headers=headers,
    )
    assert cancelled.status_code == 200, cancelled.content
    edit_the_cancellation(order)
    # A fault that was planted, and removed in the admin.
    fault = {"service": "billing", "user_id": str(USER), "kind": "error"}
    address = "/admin/simulated_faults/simulatedfault/"
    boss = staff()
    assert boss.post(f"{address}add/", fault).status_code == 302
    gone = SimulatedFault.objects.get()
    boss.post(f"{address}{gone.pk}/delete/", {"post": "yes"})
    assert boss.post(f"{address}add/", fault).status_code == 302
    tried = {"number": 1, "message": f"no card of user {USER}"}
    note = {
        "_id": " billing m",
        "order_id": "",
        "attempts": [tried],
        "stop": {"reason": f"{USER} called"},
    }
    retry_notes.notes().insert_one(note | {"service": "billing", "at": erasing.mongodb_now()})
    work()
    assert message


def edit_the_cancellation(order: str) -> None:
    """Its message failed; one correction waits for a second person, and one is sent."""
    stored_order = orders().find_one({"_id": ObjectId(order)})
    right = msgspec.json.decode(msgspec.json.encode(body_of(stored_order, "order.cancelled")))
    assert right["reason"] == WORDS
    wrong = {name: value for name, value in right.items() if name != "status"}
    record = failed(body=json.dumps(wrong).encode(), message_id="c", type="order.cancelled")
    with override_settings(SECOND_PERSON_ABOVE=0), pytest.raises(Waits):
        edit_and_replay(record.pk, json.dumps(right), "anna", "its status was missing")
    edit_and_replay(record.pk, json.dumps(right), "anna", "its status was missing")
    assert WORDS in stored("pending_acts")
    assert WORDS in stored("failed_messages_audit")


def test_what_was_done_with_a_persons_keys_is_exported_and_loses_their_name() -> None:
    made = keys.create(WORDS, ["orders:read"], by="anna", user_id=USER)
    keys.create("another's", ["orders:read"], by="anna", user_id=OTHER)
    # As a release before noted it of customers, too.
    note_denied("POST /products", by=keys.name_of(made.record))
    keys.revoke(made.record.pk, by="ben")

    [*acts] = files(export(USER, "boss"))["acts-with-keys.json"]
    assert sorted(each["act"] for each in acts) == ["create", "denied", "revoke"]
    erase(USER, "boss")

    assert WORDS not in stored("failed_messages_audit")
    kept = AuditEntry.objects.filter(subject="key", subject_id=made.record.pk)
    assert sorted(each.act for each in kept) == ["create", "revoke"]
    assert AuditEntry.objects.get(act="denied").by == f"key {made.record.pk} of erased"


def test_a_process_that_may_not_change_the_audit_log_asks_for_nothing_once_it_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    died("6743f0000000000000000001")
    keys.create(WORDS, ["orders:read"], by="anna", user_id=USER)
    export(USER, "boss")
    erase(USER, "boss")

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationFailure("not authorized", code=13)

    class Unchangeable:
        find = connection.database["failed_messages_audit"].find
        update_one = update_many = refuse

    for module in (of_desk, of_keys):
        monkeypatch.setattr(module, "_audit", Unchangeable)
    erase_what_came_since()

    assert erasures().find_one({"_id": USER})["remaining"] == 0


@override_settings(RETENTION_DAYS_ORDERS=30, INVOICE_RETENTION_YEARS=0)
def test_a_process_that_may_not_change_invoices_takes_the_customer_out_of_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place(user_id=USER)
    work()
    long_ago = {"$dateSubtract": {"startDate": "$$NOW", "unit": "year", "amount": 1}}
    times = {"created_at": long_ago, "updated_at": long_ago, "status": "confirmed"}
    orders().update_many({}, [{"$set": times}])
    invoices().update_many({}, [{"$set": {"created_at": long_ago}}])

    with monkeypatch.context() as patch:
        patch.setattr(Collection, "update_many", refusing(Collection.update_many, "invoices"))
        assert forget_customers() == 1

    assert orders().find_one({})["user_id"] >= SMALLEST_PSEUDONYM
    assert "personal_data forget as the operator" in caplog.text
    said = io.StringIO()
    call_command("personal_data", "forget", stdout=said)
    assert said.getvalue() == "Documents that lost their customer: 1.\n"
    assert invoices().find_one({})["user_id"] >= SMALLEST_PSEUDONYM


def refusing(update: Any, name: str) -> Any:
    """As MongoDB does for whoever may not change the collection."""

    def update_many(self: Collection[Any], *arguments: Any, **named: Any) -> Any:
        if self.name == name:
            raise OperationFailure("not authorized", code=13)
        return update(self, *arguments, **named)

    return update_many


def test_the_page_says_of_each_collection_what_is_kept() -> None:
    page = Path("docs/personal-data.md").read_text()

    for name in {*mongodb_rights.of_all_apps(), *mongodb_rights.OTHERS} - OF_NOBODY.keys():
        assert f"`{name}`" in page, name


def test_what_staff_asked_for_about_a_person_is_exported_and_erased() -> None:
    order = place(user_id=USER)
    work()
    message = died(order)
    placed = orders().find_one({"user_id": USER})
    corrected = msgspec.json.encode(body_of(placed, "order.placed"))
    with override_settings(SECOND_PERSON_ABOVE=0):
        with pytest.raises(Waits):
            edit_and_replay(message.pk, corrected.decode(), "anna", f"user {USER} called")
        with pytest.raises(Waits):
            start(Filter(user_id=str(USER)), "anna", f"for user {USER}")
    start(Filter(q=f"user {USER}"), "anna", f"for user {USER}")
    assert len(files(export(USER, "boss"))["acts.json"]) == 3

    erase(USER, "boss")

    assert str(USER) not in everything()


def test_what_staff_asked_for_about_others_keeps_its_numbers_and_is_not_given_out() -> None:
    """What a bulk replay that runs selects would change with its text."""
    order = place(user_id=OTHER)
    work()
    message = died(order, OTHER)
    error = f"no answer within {USER} s"
    failed_messages().update_one({"_id": message.pk}, {"$set": {"error_text": error}})
    placed = orders().find_one({"user_id": OTHER})
    body = msgspec.json.decode(msgspec.json.encode(body_of(placed, "order.placed")))
    corrected = json.dumps({**body, "note": f"{USER} sheets"})
    with override_settings(SECOND_PERSON_ABOVE=0):
        with pytest.raises(Waits):
            edit_and_replay(message.pk, corrected, "anna", f"{USER} sheets are too many")
        with pytest.raises(Waits):
            discard([message.pk], "anna", f"{USER} timeouts")
        with pytest.raises(Waits):
            start(Filter(user_id=str(OTHER)), "anna", f"{USER} timeouts")
    start(Filter(error=error), "anna", f"{USER} timeouts")
    before = [list(pending_acts().find()), list(replay_jobs().find())]

    assert files(export(USER, "boss"))["acts.json"] == []
    erase(USER, "boss")

    assert [list(pending_acts().find()), list(replay_jobs().find())] == before


@pytest.mark.parametrize(
    "arguments",
    [
        f"no JSON of user {USER}",
        f'"{USER}"',
        f"[{USER}]",
        f'{{"ids": {USER}}}',
        f'{{"selection": [{USER}]}}',
        f'{{"selections": {USER}}}',
        f'{{"body": [{USER}]}}',
        [f"user {USER}"],
    ],
)
def test_an_act_whose_document_is_spoilt_keeps_no_other_from_the_person(arguments: Any) -> None:
    record = died("6743f0000000000000000001")
    with override_settings(SECOND_PERSON_ABOVE=0):
        for reason in ("theirs", f"user {USER} called"):
            with pytest.raises(Waits):
                discard([str(record.pk)], "anna", reason)
    first = pending_acts().find_one({"reason": "theirs"})
    assert first
    spoilt = {"$set": {"arguments": arguments}, "$unset": {"outcome": ""}}
    pending_acts().update_one({"_id": first["_id"]}, spoilt)

    assert files(export(USER, "boss"))
    erase(USER, "boss")

    assert not re.search(rf"\b{USER}\b", stored("pending_acts"))


def test_a_message_that_is_named_twice_is_the_persons_alone() -> None:
    record = died("6743f0000000000000000001")
    with override_settings(SECOND_PERSON_ABOVE=0), pytest.raises(Waits):
        discard([str(record.pk)] * 2, "anna", f"{USER} called")

    erase(USER, "boss")

    assert not re.search(rf"\b{USER}\b", stored("pending_acts"))


def test_one_message_of_the_persons_is_about_them_and_one_of_many_is_not() -> None:
    order, other = place(user_id=USER), place(user_id=OTHER)
    work()
    mine, theirs = died(order), died(other, OTHER)
    with override_settings(SECOND_PERSON_ABOVE=0):
        for ids in ([mine.pk], [mine.pk, theirs.pk]):
            with pytest.raises(Waits):
                discard(ids, "anna", f"{USER} called")
    with override_settings(SECOND_PERSON_ABOVE=0), pytest.raises(Waits):
        discard([mine.pk, theirs.pk], "anna", f"user {USER} called")

    erase(USER, "boss")

    reasons = [each["reason"].replace(str(USER), "N") for each in pending_acts().find()]
    assert sum(reason == "N called" for reason in reasons) == 1


@override_settings(WEBHOOKS=True, WEBHOOKS_TO_PRIVATE_ADDRESSES=True)
def test_what_keys_and_endpoints_of_the_person_were_called_goes_with_them() -> None:
    client = staff()
    key = {"name": WORDS, "user_id": USER, "scopes": ["orders:read"], "days": 1}
    endpoint = {"url": f"http://localhost/{USER}", "user_id": USER, "types": ["order.placed"]}
    assert client.post("/admin/access/apikey/add/", key).status_code == 200
    assert client.post("/admin/webhooks/endpoint/add/", endpoint).status_code == 200
    assert connection.database["webhook_endpoints"].count_documents({"user_id": USER}) == 1
    assert WORDS in stored("django_admin_log")

    erase(USER, "boss")

    assert WORDS not in everything()
    assert str(USER) not in everything()


def test_a_message_that_names_no_user_keeps_what_is_no_user_s_number() -> None:
    """An operator is about to repair it: a quantity and a price are not the person."""
    body = f'{{"orderId":"X7","items":[{{"sku":"{USER}","quantity":{USER}}}],"total":10.10}}'
    failed(body=body.encode(), message_id="m")

    erase(USER, "boss")

    assert bytes(failed_messages().find_one({})["body"]) == body.encode()


def test_an_error_that_names_the_person_goes_also_where_its_message_went_before() -> None:
    order = place(user_id=USER)
    work()
    message = died(order)
    failure_groups().update_one({"_id": message.fingerprint}, {"$set": {"note": f"ask {USER}"}})
    failed_messages().delete_many({})
    assert str(USER) in stored("failure_groups")

    erase(USER, "boss")

    assert str(USER) not in everything()


@pytest.mark.parametrize(
    "body",
    [
        f"no JSON of user {USER}".encode(),
        json.dumps({"customerId": USER, "quantity": 5}).encode(),
        b'{"orderId": "1", "note": "' + b" " * 3_000_000 + f'for user {USER}"}}'.encode(),
    ],
    ids=["no JSON", "by another name", "large"],
)
def test_the_body_of_a_message_that_names_no_user_of_ours_loses_the_person(body: bytes) -> None:
    record = failed(body=body, message_id="m")
    assert record.user_id == ""
    of_nobody = failed(body=b"other words", message_id="n")

    erase(USER, "boss")

    assert str(USER) not in stored("failed_messages")
    kept = failed_messages().find_one({"_id": of_nobody.pk})
    assert bytes(kept["body"]) == b"other words"


def test_what_a_message_of_another_calls_the_person_goes_and_its_numbers_stay() -> None:
    died_of = certificate(message=f"no card of user {USER}, {USER} were tried")
    headers = {"x-asked-by": f"customer {USER}", "x-sheets": f"{USER} sheets"}
    gift = {"gift": {"customerId": USER}}
    body = json.dumps({"orderId": "1", "userId": OTHER, "quantity": USER, **gift}).encode()
    record = failed(body=body, message_id="m", death=died_of, headers=headers)

    erase(USER, "boss")

    kept = failed_messages().find_one({"_id": record.pk})
    told = stored("failed_messages")
    assert not re.search(rf"(user|customer) {USER}", told)
    assert f"{USER} were tried" in kept["message"]
    assert f"{USER} sheets" in kept["headers"]
    pseudonym = erasures().find_one({"_id": USER})["pseudonym"]
    left = {"orderId": "1", "userId": OTHER, "quantity": USER, "gift": {"customerId": pseudonym}}
    assert (kept["user_id"], json.loads(bytes(kept["body"]))) == (str(OTHER), left)


def test_answers_to_a_customers_access_token_go_with_them() -> None:
    now = erasing.mongodb_now()
    of_one_subject = "token:" + "a" * 32
    ids = [f"{of_one_subject}:{user}:k" for user in (USER, OTHER)]
    for id_ in ids:
        answer = {"_id": id_, "body": "{}", "claimed_at": now, "expires_at": now}
        connection.database["keyed_requests"].insert_one(answer)

    assert len(files(export(USER, "boss"))["answers.json"]) == 1
    erase(USER, "boss")

    assert [each["_id"] for each in connection.database["keyed_requests"].find()] == ids[1:]


def test_the_words_of_a_cancellation_are_the_persons_and_go_with_them() -> None:
    order = place(user_id=USER)
    relay()
    cancel(ObjectId(order), WORDS)
    work()
    body = {"orderId": order, "userId": USER, "reason": WORDS}
    failed(body=json.dumps(body).encode(), message_id="c", type="order.cancelled")
    assert WORDS in stored("orders", "failed_messages")

    erase(USER, "boss")

    assert WORDS not in everything()
    assert str(USER) not in everything()


@override_settings(RETENTION_DAYS_ORDERS=30, INVOICE_RETENTION_YEARS=0)
def test_the_words_of_a_cancellation_go_with_the_customer_of_an_old_order() -> None:
    order = place(user_id=USER)
    work()
    cancel(ObjectId(order), WORDS)
    work()
    assert WORDS in stored("orders", "invoices")
    long_ago = {"$dateSubtract": {"startDate": "$$NOW", "unit": "year", "amount": 1}}
    orders().update_many({}, [{"$set": {"updated_at": long_ago}}])
    invoices().update_many({}, [{"$set": {"created_at": long_ago}}])

    forget_customers()

    assert WORDS not in stored("orders", "invoices")


def note(id_: str, order_id: str, error: str) -> dict[str, Any]:
    told = {"order_id": order_id, "attempts": [{"number": 1, "message": error}]}
    return {"_id": f"{id_} billing m", "service": "billing", "at": erasing.mongodb_now(), **told}


def logged(name: str, minutes: int = 0) -> None:
    """As staff changed a thing of that name, so many minutes from now."""
    entry = LogEntry(user=User.objects.get_or_create(username="anna")[0], action_flag=CHANGE)
    entry.object_repr = name
    entry.action_time = erasing.mongodb_now() + timedelta(minutes=minutes)
    entry.save()


def test_what_only_has_the_same_number_in_it_stays_and_so_does_what_comes_afterwards() -> None:
    sheets, fault = f"Printer paper, {USER} sheets", f"billing, user {USER}: error"
    logged(sheets, -1)
    logged(fault, -1)
    logged(fault, 1)
    other = place(user_id=OTHER)
    retry_notes.notes().insert_one(note(other, other, f"{USER} are too many"))

    erase(USER, "boss")
    logged(fault)
    erase_what_came_since()

    names = sorted(LogEntry.objects.values_list("object_repr", flat=True))
    assert names.count(sheets) == 1
    assert names.count(fault) == 2
    assert len(names) == 4
    [kept] = retry_notes.of_order(other)
    assert kept["attempts"][0]["message"] == f"{USER} are too many"


def test_a_retry_of_their_order_that_came_since_loses_the_number() -> None:
    order = place(user_id=USER)
    work()
    erase(USER, "boss")
    retry_notes.notes().insert_one(note(order, order, f"{USER} has no card"))

    assert erase_what_came_since() == 1

    assert str(USER) not in stored(retry_notes.COLLECTION)


def test_a_note_that_was_written_meanwhile_is_left_as_it_is_to_the_next_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = place(user_id=USER)
    work()
    erase(USER, "boss")
    stopped = {"stop": {"by": "anna", "reason": f"{USER} called"}}
    retry_notes.notes().insert_one(note(order, order, f"user {USER}") | stopped)

    def scrubbed(value: Any, person: Person) -> Any:
        retry_notes.notes().update_one({}, {"$unset": {"stop": ""}})
        return personal_data.scrubbed(value, person)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(of_words, "scrubbed", scrubbed)
        assert erase_what_came_since() == 0
    [left] = retry_notes.of_order(order)
    assert "stop" not in left
    assert erase_what_came_since() == 1

    assert str(USER) not in stored(retry_notes.COLLECTION)


def test_erasing_twice_changes_nothing_more_and_keeps_the_pseudonym() -> None:
    place(user_id=USER)
    work()
    erase(USER, "boss")
    before = stored(*ERASED_FROM[:3])

    again = erase(USER, "boss")

    assert stored(*ERASED_FROM[:3]) == before
    assert not any(each.erased for name, each in again.items() if name != "audit log")
    assert erasures().count_documents({}) == 1


def test_what_still_waits_in_a_queue_is_erased_when_it_comes() -> None:
    order = place(user_id=USER)
    relay()
    erase(USER, "boss")
    assert str(USER) not in stored()

    work()
    died(order)
    assert str(USER) in stored(*ERASED_FROM)
    assert erase_what_came_since() >= 2

    assert str(USER) not in stored(*ERASED_FROM)


def test_an_order_whose_event_is_not_published_yet_waits_for_that() -> None:
    place(user_id=USER)
    outcome = erase(USER, "boss")
    assert (outcome["orders"].erased, outcome["orders"].left) == (0, 1)

    work()
    erase_what_came_since()

    assert str(USER) not in stored(*ERASED_FROM)


def test_an_order_that_comes_after_the_erasing_is_new() -> None:
    erase(USER, "boss")
    before = {"$dateSubtract": {"startDate": "$at", "unit": "second", "amount": 2}}
    erasures().update_many({}, [{"$set": {"at": before}}])
    place(user_id=USER)
    work()
    assert erase_what_came_since() == 0

    assert orders().count_documents({"user_id": USER}) == 1


@override_settings(INVOICE_RETENTION_YEARS=0)
def test_once_the_law_wants_no_invoice_and_no_message_can_come_nobody_knows_who_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place(user_id=USER)
    work()
    last_year = {"$dateSubtract": {"startDate": "$created_at", "unit": "year", "amount": 1}}
    invoices().update_many({}, [{"$set": {"created_at": last_year}}])
    erase(USER, "boss")
    assert str(USER) not in stored()
    erase_what_came_since()
    assert erasures().find_one({"_id": USER})

    monkeypatch.setattr(erasing, "MESSAGES_COME_FOR", timedelta(0))
    erase_what_came_since()

    assert str(USER) not in stored("erasures")
    assert erasures().count_documents({}) == 1


def test_old_orders_lose_their_customer_where_a_setting_says_so() -> None:
    place(user_id=USER)
    work()
    long_ago = {"$dateSubtract": {"startDate": "$$NOW", "unit": "day", "amount": 31}}
    orders().update_many({}, [{"$set": {"updated_at": long_ago, "status": "confirmed"}}])
    assert forget_customers() == 0

    with override_settings(RETENTION_DAYS_ORDERS=30):
        assert forget_customers() == 1

    assert orders().find_one({})["user_id"] >= SMALLEST_PSEUDONYM
    assert invoices().count_documents({"user_id": USER}) == 1


def test_the_command_writes_one_file_and_tells_what_was_erased(tmp_path: Path) -> None:
    place(user_id=USER)
    work()
    file, said = tmp_path / "person.zip", io.StringIO()

    call_command("personal_data", "export", "--user", str(USER), "--to", str(file), stdout=said)
    call_command("personal_data", "erase", "--user", str(USER), "--by", "anna", stdout=said)

    assert len(files(file.read_bytes())["orders.json"]) == 1
    assert file.stat().st_mode & 0o077 == 0
    assert "orders: 1 erased" in said.getvalue()
    assert "invoices: 1 kept (the law wants" in said.getvalue()
    assert AuditEntry.objects.get(act="erase").by == f"{os_user()} for anna"
    with pytest.raises(CommandError, match="exists"):
        call_command("personal_data", "export", "--user", str(USER), "--to", str(file))
    with pytest.raises(CommandError, match="--user"):
        call_command("personal_data", "erase", "--user", "anna")


def test_in_the_admin_each_needs_its_permission_and_erasing_a_confirmation() -> None:
    place(user_id=USER)
    work()
    page = "/admin/personal-data/"
    exporter, eraser = staff("export_personal_data"), staff("erase_personal_data")

    assert staff("view_order").get(page).status_code == 403
    assert eraser.post(page, {"what": "export", "user": USER}).status_code == 403
    assert exporter.post(page, {"what": "erase", "user": USER}).status_code == 403
    archive = exporter.post(page, {"what": "export", "user": USER})
    assert len(files(archive.content)["orders.json"]) == 1
    assert "confirm it" in eraser.post(page, {"what": "erase", "user": USER}).content.decode()
    assert (
        "The user&#x27;s number"
        in eraser.post(page, {"what": "erase", "user": "x"}).content.decode()
    )
    done = eraser.post(page, {"what": "erase", "user": USER, "confirmed": "yes"}, follow=True)
    told = re.findall(r"<li[^>]*>(.*?)</li>", done.content.decode(), re.DOTALL)
    assert "Orders: 1 erased" in told


def test_a_person_whose_erasure_cannot_be_read_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    erase(USER, "me")
    erasures().insert_one({"_id": 1, "by": "another program"})
    died("6743f0000000000000000001")
    erasures().update_one({"_id": USER}, {"$currentDate": {"at": True}})

    assert erase_what_came_since() > 0

    assert str(USER) not in stored("failed_messages")
    assert "The data that came since of user 1 cannot be erased" in caplog.text


def test_a_document_that_cannot_be_read_keeps_nothing_else_of_the_person(
    caplog: pytest.LogCaptureFixture,
) -> None:
    orders().insert_one({"user_id": USER, "created_at": erasing.mongodb_now()})
    died("6743f0000000000000000001")

    outcome = erase(USER, "me")

    assert outcome["orders"].left == 1
    assert "not as this release stores one" in outcome["orders"].why
    assert str(USER) not in stored("failed_messages")
    assert "not all orders can be erased" in caplog.text
