"""Archiving: one record a message, one certificate a death, whatever is in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import reduce

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure, WriteError

from failed_messages.acting.discard import discard
from failed_messages.archiving import archive
from failed_messages.archiving.dead_letter import BODY_LIMIT_BYTES
from failed_messages.models import FailedMessage
from failed_messages.reading.representation import deaths
from failed_messages.records.collection import failure_groups
from messaging.outages import is_about_the_document
from tests import broker
from tests.failed_messages.letters import (
    BODY,
    ORDER_ID,
    archive_next,
    bury,
    bury_nameless,
    certificate,
    delivered,
    failed,
    record,
)

pytestmark = pytest.mark.usefixtures("clean")

LISTS = reduce(lambda inner, _: [inner], range(150), 0)


def test_a_dead_letter_becomes_a_failed_message_with_all_that_is_known():
    stored = failed()

    assert (stored.service, stored.type, stored.status) == ("billing", "order.placed", "failed")
    assert (stored.order_id, stored.user_id) == (ORDER_ID, "500")
    assert (stored.reason, stored.exception) == ("attempts_used_up", "TimeoutError")
    assert (stored.message, stored.attempts) == ("card service timed out", 2)
    assert bytes(stored.body) == BODY
    assert json.loads(stored.headers) == {"order-version": 1}
    assert json.loads(stored.properties)["message_id"] == f"order.placed:{ORDER_ID}"
    assert [act.act for act in stored.history] == ["failed"]


def test_a_redelivery_after_the_store_changes_nothing():
    bury()
    with delivered() as message:
        first = archive.store(message, "billing")
    with delivered() as message:
        assert message.delivery_info["redelivered"]
        second = archive.store(message, "billing")

    assert first == second
    stored = record(first.record_id)
    assert (len(stored.certificates), stored.attempts, len(stored.history)) == (1, 2, 1)
    assert FailedMessage.objects.count() == 1


def test_the_next_death_is_added_to_the_same_record():
    first = failed()
    again = failed(death=certificate(message="card service is closed"))

    assert again.pk == first.pk
    assert again.message == "card service is closed"
    assert [death.message for death in deaths(again)] == [
        "card service is closed",
        "card service timed out",
    ]
    assert again.attempts == 4
    assert [act.act for act in again.history] == ["failed", "failed again"]


def test_the_latest_death_says_what_a_replay_sends():
    """A publisher has sent it once more under the same id, with other properties."""
    failed(type="order.plced", correlation_id="x", content_type="text/plain")

    stored = failed(death=certificate())

    assert (stored.type, stored.correlation_id) == ("order.placed", ORDER_ID)
    assert (stored.content_type, stored.order_id) == ("application/json", ORDER_ID)
    assert json.loads(stored.properties)["type"] == stored.type


def test_a_discarded_message_that_dies_again_is_failed_again():
    first = failed()
    discard([first.pk], "operator", "not wanted")
    again = failed(death=certificate())

    assert again.status == "failed"
    assert again.discarded_at is None
    assert [act.act for act in again.history] == ["failed", "discard", "failed again"]


def test_one_message_id_over_two_bodies_is_two_messages():
    assert failed().pk != failed(body=b'{"orderId": "other"}').pk


def test_equal_messages_without_an_id_are_never_merged():
    bury_nameless()
    bury_nameless()

    assert archive_next().pk != archive_next().pk
    assert broker.depth("billing.dlq") == 0


def test_a_message_without_an_id_is_stored_once_when_its_ack_was_lost():
    bury_nameless()
    with delivered() as message:
        first = archive.store(message, "billing")

    assert archive_next().pk == first.record_id
    assert FailedMessage.objects.count() == 1


@pytest.mark.parametrize("header", ["x-delivery-count", "x-acquired-count", "x-of-a-later-release"])
def test_what_rabbitmq_counts_makes_no_other_message_of_it(header: str):
    """RabbitMQ 4.3 counts in a header of its own how often it delivered a dead letter."""
    bury_nameless()
    with delivered() as message:
        message.headers[header] = 1
        first = archive.store(message, "billing")
    with delivered() as message:
        message.headers[header] = 2
        again = archive.store(message, "billing")
        message.ack()

    assert again.record_id == first.record_id
    assert FailedMessage.objects.count() == 1


def test_an_equal_message_beside_a_lost_ack_is_still_another():
    bury_nameless()
    bury_nameless()
    with delivered() as stored, delivered() as prefetched:
        archive.store(stored, "billing")
        assert prefetched is not None

    archive_next()
    archive_next()
    assert FailedMessage.objects.count() == 2


@pytest.mark.parametrize(
    "header",
    [
        "",
        "null",
        "[]",
        "not JSON",
        "[" * 50_000,
        7,
        {"$where": "sleep(1000)"},
        b"\xff\xfe",
        datetime(2026, 1, 1, tzinfo=UTC),
        certificate(id=""),
        certificate(id={"$ne": ""}),
        certificate(id="x" * 5_000),
        certificate(reason="because"),
        certificate(reason=None),
        certificate(at="yesterday"),
        certificate(at="0001-01-01T00:00:00+14:00"),
        certificate(at="9999-12-31T23:59:59-14:00"),
        certificate(attempts="many"),
        certificate(attempts=[{"number": "one"}]),
        certificate(message={"$gt": ""}),
        certificate(original=[]),
        json.dumps(certificate(message="\ud800")),
        json.dumps(certificate(message="x"), ensure_ascii=False).replace('"x"', '"\ud800"'),
        certificate(original={**certificate()["original"], "headers": {"\udfff": 1}}),
    ],
)
def test_a_forged_certificate_is_not_believed_but_kept(header):
    bury(header)
    stored = archive_next()

    assert stored.reason == "rejected"
    assert (stored.message_id, stored.type) == (f"order.placed:{ORDER_ID}", "order.placed")
    assert (stored.order_id, stored.user_id) == (ORDER_ID, "500")
    assert json.loads(stored.headers)["order-version"] == 1
    assert "neither a death certificate" in stored.message
    assert "certificate" in json.loads(stored.headers)


def test_rabbitmqs_own_notes_outweigh_a_forged_certificate():
    x_death = [{"queue": "billing", "reason": "expired", "count": 1}]
    bury(headers={"x-death": x_death})

    assert archive_next().reason == "expired"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\xff\xfe\xfd",
        b"NaN",
        b"null",
        b'"\\ud800"',
        b'{"$where": "1", "a.b": 1, "": {"$gt": ""}}',
        b'{"orderId": {"$gt": ""}, "userId": [1]}',
        b'{"orderId": true, "userId": 1.5}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"orderId": ' + b"9" * 400 + b"}",
    ],
)
def test_any_body_is_kept_to_the_byte(body):
    stored = failed(body=body, correlation_id="")

    assert bytes(stored.body) == body
    assert not stored.body_cut


@pytest.mark.parametrize(
    "headers",
    [
        {"$set": {"status": "resolved"}, "a.b": 1},
        {"deep": {"er": [{"$where": [1, {"x": b"\xff"}]}]}},
        {"x-death": "long ago"},
        {"x-death": [{"queue": "billing", "time": LISTS, "count": LISTS}], "replay": LISTS},
        {"x-death": [1, None, {"queue": {"$ne": 1}}]},
        {"compression": "application/x-gzip"},
        {"attempts": "{", "original": "["},
        {"attempts": "\ud800", "original": "\ud800"},
        {"text": "\ud800"},
    ],
)
def test_any_headers_are_kept_as_text(headers):
    stored = failed(headers=headers)

    assert (stored.message_id, stored.type) == (f"order.placed:{ORDER_ID}", "order.placed")
    assert set(headers) - {"attempts", "original"} <= set(json.loads(stored.headers))


def test_a_body_that_no_document_holds_is_cut_and_says_so():
    body = b"x" * (BODY_LIMIT_BYTES + 1)
    stored = failed(body=body)

    assert stored.body_cut
    assert stored.body_bytes == len(body)
    assert len(stored.body) == BODY_LIMIT_BYTES


@pytest.mark.parametrize("error", [OperationFailure, WriteError])
def test_only_what_is_about_a_document_is_no_outage(error: type[OperationFailure]):
    """Neither a full disk nor writes that an operator has blocked would be the same tomorrow."""
    for code, is_about_it in {2: True, 14: True, 17419: True, 14031: False, 371: False}.items():
        assert is_about_the_document(error("said so", code)) is is_about_it
    assert not is_about_the_document(DuplicateKeyError("twice", 11000))


def test_many_deaths_never_outgrow_the_document():
    for number in range(archive.CERTIFICATES_KEPT + 2):
        stored = failed(death=certificate(message=f"death {number}"))

    assert len(stored.certificates) == archive.CERTIFICATES_KEPT
    assert len(stored.certificate_ids) == archive.CERTIFICATES_KEPT + 2
    assert deaths(stored)[0].message == f"death {archive.CERTIFICATES_KEPT + 1}"


@pytest.mark.parametrize("name", ["message 1", ""], ids=["named", "nameless"])
def test_a_group_that_cannot_be_counted_costs_no_message_what_is_known_of_it(
    caplog: pytest.LogCaptureFixture, name: str
):
    """Another program has made a text of the number."""
    known = failed(message_id="another")
    change = {"$set": {"deaths": "many"}}
    failure_groups().update_one({"_id": known.fingerprint}, change)

    death = certificate()
    stored = failed(death=death, message_id=name, headers={"schema-version": 2})

    assert stored.fingerprint == known.fingerprint
    assert (stored.reason, stored.exception) == (death["reason"], death["exception"])
    assert json.loads(stored.headers)["schema-version"] == 2
    assert "is stored, but not counted in its group" in caplog.text
    assert "cannot be read" not in caplog.text
