"""Replaying: to the failing service alone, once, and never lost."""

from __future__ import annotations

import json
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.test import override_settings
from kombu import Connection

from drills.traffic.poison import LONE_SURROGATE, NO_UTF8
from failed_messages.acting.claiming import LOST_AFTER
from failed_messages.acting.discard import discard, restore
from failed_messages.acting.editing import edit_and_replay
from failed_messages.acting.replay import CLAIM_SECONDS, publish_claimed, replay
from failed_messages.archiving.dead_letter import BODY_LIMIT_BYTES
from failed_messages.archiving.outcomes import record_outcome
from failed_messages.models import AuditEntry
from failed_messages.reading.act_result import ReasonMissing
from failed_messages.records import order_facts
from failed_messages.records.collection import failed_messages
from localservices.ports import free_port
from messaging import topology
from messaging.adapters.py_amqp import encode_table
from messaging.byte_array import ByteArray
from orders import ledger
from tests import broker
from tests.failed_messages.letters import BODY, ORDER_ID, certificate, failed, record
from tests.failed_messages.stored_orders import place

pytestmark = pytest.mark.usefixtures("clean")


def outcome(replayed, **changes: str) -> bytes:
    """What the worker says that handled a replayed message."""
    body = {
        "replayId": replayed.replay.pk,
        "service": replayed.service,
        "messageId": replayed.message_id,
        "worker": "billing@test",
        **changes,
    }
    return json.dumps(body).encode()


def age_the_replay(id_, **fields: timedelta) -> None:
    now = datetime.now(UTC)
    ages = {f"replay.{field}": now - age for field, age in fields.items()}
    failed_messages().update_one({"_id": id_}, {"$set": ages})


def test_a_replay_reaches_the_failing_service_alone_as_the_same_message():
    stored = failed(headers={"traceparent": "00-abc"})
    [verdict] = replay([str(stored.pk)], by="operator", reason="card service is back")

    assert verdict.done
    sent = broker.take("billing")
    assert sent.body == BODY or sent.body.encode() == BODY
    assert sent.properties["message_id"] == f"order.placed:{ORDER_ID}"
    assert (sent.properties["type"], sent.properties["correlation_id"]) == (
        "order.placed",
        ORDER_ID,
    )
    replayed = record(stored.pk)
    assert sent.headers["replay"] == replayed.replay.pk
    assert (sent.headers["order-version"], sent.headers["traceparent"]) == (1, "00-abc")
    assert "certificate" not in sent.headers
    assert broker.depth("inventory") == broker.depth("orders") == 0
    assert replayed.status == "replaying"
    assert replayed.replay.published_at is not None
    assert (replayed.history[-1].by, replayed.history[-1].reason) == (
        "operator",
        "card service is back",
    )


@pytest.mark.parametrize("odd", [NO_UTF8, LONE_SURROGATE, b"\xff" * 255])
def test_what_is_not_utf8_is_replayed_in_its_readable_form(odd: bytes) -> None:
    texts = dict.fromkeys(("message_id", "type", "correlation_id", "content_type"), odd)
    stored = failed(headers={"traceparent": odd, odd[:3]: odd}, reply_to=odd, **texts)
    [verdict] = replay([str(stored.pk)], by="operator")

    assert verdict.done
    sent = broker.take("billing")
    for name in texts:
        shown = sent.properties[name]
        assert shown.isascii()
        assert shown == getattr(stored, name)[: len(shown)] != ""
    # Bytes stay bytes; what was read as text is sent as text that everybody can read.
    header = sent.headers["traceparent"]
    assert header == odd or header.isascii()


KEPT = {
    "schema-version": 2,
    "x-tenant": "acme",
    "tracestate": "vendor=" + "x" * 300,
    "at": datetime.fromisoformat("2026-01-31T12:00:00"),
    "table": {"deep": ["a", 1, True, None]},
}


#: What is equal to another header, and not the same.
EXACT = {"price": Decimal("10.10"), "blob": ByteArray(b"abc"), "latin": b"caf\xe9"}


def test_a_replay_is_sent_with_every_header_and_property_of_its_publisher():
    headers = {**KEPT, **EXACT, "CC": ["inventory"]}
    stored = failed(headers=headers, priority=3, app_id="till", user_id=broker.user())

    assert replay([stored.pk], "operator")[0].done

    sent = broker.take("billing")
    assert {name: sent.headers[name] for name in KEPT} == KEPT
    assert encode_table({name: sent.headers[name] for name in EXACT}) == encode_table(EXACT)
    assert (sent.properties["priority"], sent.properties["app_id"]) == (3, "till")
    # RabbitMQ takes no other name than that of whoever publishes.
    assert sent.properties["user_id"] == broker.user()
    assert "CC" not in sent.headers
    assert broker.depth("inventory") == 0


def test_an_edited_copy_and_a_record_of_an_earlier_release_keep_their_headers():
    stored = failed(headers=KEPT, content_encoding="utf-16")
    failed_messages().update_one({"_id": stored.pk}, {"$unset": {"header_table": ""}})
    body = json.dumps(
        {
            "orderId": ORDER_ID,
            "userId": 500,
            "items": [{"sku": "pen", "quantity": 1, "unitPrice": "1.00"}],
        }
    )

    assert edit_and_replay(stored.pk, body, "operator", "the items were missing").done

    sent = broker.take("billing")
    as_json = KEPT | {"at": "2026-01-31T12:00:00"}
    assert {name: sent.headers[name] for name in KEPT} == as_json
    assert "content_encoding" not in sent.properties


def test_twenty_clicks_at_once_publish_once():
    stored = failed()
    with ThreadPoolExecutor(20) as pool:
        verdicts = list(pool.map(lambda n: replay([stored.pk], f"operator {n}")[0], range(20)))

    assert sum(verdict.done for verdict in verdicts) == 1
    assert "replaying since" in next(v.detail for v in verdicts if not v.done)
    assert len(broker.take_all("billing")) == 1


def test_the_outcome_of_the_latest_replay_resolves_the_record():
    stored = failed()
    replay([stored.pk], "operator")
    replayed = record(stored.pk)

    assert record_outcome(outcome(replayed))

    resolved = record(stored.pk)
    assert (resolved.status, resolved.resolved_by) == ("resolved", "operator")
    assert resolved.resolved_at is not None
    assert resolved.history[-1].act == "resolved"
    assert not record_outcome(outcome(replayed)), "the second delivery changes nothing"
    assert "resolved already, by operator" in replay([stored.pk], "operator")[0].detail


def test_any_other_outcome_changes_nothing():
    stored = failed()
    replay([stored.pk], "operator")
    replayed = record(stored.pk)

    assert not record_outcome(outcome(replayed, replayId=str(uuid.uuid4())))
    assert not record_outcome(outcome(replayed, service="inventory"))
    for rubbish in (b"", b"[]", b"\xff", b'{"replayId": {"$ne": ""}}', b"[" * 50_000):
        assert not record_outcome(rubbish)
    assert record(stored.pk).status == "replaying"


def test_a_replay_that_dies_again_is_failed_with_both_certificates():
    stored = failed()
    replay([stored.pk], "operator")
    replayed = record(stored.pk)
    again = failed(death=certificate(), headers={"replay": replayed.replay.pk})

    assert (again.pk, again.status, len(again.certificates)) == (stored.pk, "failed", 2)
    assert [act.act for act in again.history] == ["failed", "replay", "failed again"]
    assert not record_outcome(outcome(replayed)), "a late outcome is of an earlier replay"
    assert replay([stored.pk], "operator")[0].done


def test_a_missing_queue_gives_the_message_back():
    stored = failed()
    with Connection(os.environ["AMQP_URL"]) as connection, connection.channel() as channel:
        channel.queue_delete("billing")
        try:
            [verdict] = replay([stored.pk], "operator")
        finally:
            topology.declare(connection)

    assert not verdict.done
    assert "declare_topology" in verdict.detail
    released = record(stored.pk)
    assert released.status == "failed"
    assert [act.act for act in released.history] == ["failed", "replay", "replay refused"]
    assert replay([stored.pk], "operator")[0].done


def test_what_an_outage_left_claimed_is_published_when_the_broker_is_back():
    first, second = failed(), failed(message_id="another")
    with override_settings(AMQP_URL=f"amqp://guest:guest@127.0.0.1:{free_port()}//"):
        verdicts = replay([first.pk, second.pk], "operator")

    assert [verdict.done for verdict in verdicts] == [True, True]
    assert "RabbitMQ does not answer" in verdicts[0].detail
    assert publish_claimed() == 0, "a young claim may still be in its maker's hands"
    for stored in (first, second):
        age_the_replay(stored.pk, at=timedelta(seconds=CLAIM_SECONDS + 1))
    assert publish_claimed() == 2
    assert publish_claimed() == 0
    sent = {message.headers["replay"] for message in broker.take_all("billing")}
    assert sent == {record(first.pk).replay.pk, record(second.pk).replay.pk}


def test_a_replay_that_ended_neither_way_may_be_replayed_again():
    stored = failed()
    replay([stored.pk], "operator")
    assert not replay([stored.pk], "operator")[0].done

    age_the_replay(stored.pk, published_at=LOST_AFTER + timedelta(seconds=1))
    assert replay([stored.pk], "operator")[0].done


def test_half_a_body_is_not_replayed():
    stored = failed(body=b"x" * (BODY_LIMIT_BYTES + 1))
    [verdict] = replay([stored.pk], "operator")

    assert not verdict.done
    assert "only the beginning of its body was kept" in verdict.detail


def test_what_is_not_a_failed_message_is_refused_and_the_rest_goes_on():
    stored = failed()
    verdicts = replay(["nonsense", "0" * 24, stored.pk], "operator")

    assert [verdict.done for verdict in verdicts] == [False, False, True]
    assert "no such failed message" in verdicts[0].detail


def test_strange_properties_do_not_stop_a_replay():
    stored = failed(message_id="\ud800" * 80, type="\u00e9" * 120, timestamp=2**62)
    [verdict] = replay([stored.pk], "operator")

    assert verdict.done
    assert broker.depth("billing") == 1


def test_discarding_wants_a_reason_and_can_be_taken_back():
    stored = failed()
    with pytest.raises(ReasonMissing):
        discard([stored.pk], "operator", "  ")
    assert record(stored.pk).status == "failed"

    assert discard([stored.pk], "operator", "test order")[0].done
    discarded = record(stored.pk)
    assert (discarded.status, discarded.discarded_by) == ("discarded", "operator")
    assert discarded.discard_reason == "test order"
    assert "restore it first" in replay([stored.pk], "operator")[0].detail

    assert restore([stored.pk], "operator", "wanted after all")[0].done
    assert not restore([stored.pk], "operator")[0].done
    restored = record(stored.pk)
    assert (restored.status, restored.discarded_by) == ("failed", "")
    assert [act.act for act in restored.history] == ["failed", "discard", "restore"]


@pytest.fixture
def orders_now():
    """Tells the desk what the test says about the orders, in place of the orders app."""
    source = order_facts._sources[0]
    now: dict[str, SimpleNamespace] = {}
    order_facts.register(lambda ids: {id_: now[id_] for id_ in ids if id_ in now})
    yield now
    order_facts.register(source)


def order(status: str = "placed", version: int = 1) -> SimpleNamespace:
    return SimpleNamespace(status=status, version=version, total=Decimal("10.00"), currency="EUR")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (order("cancelled", 2), "is cancelled since"),
        (order("confirmed"), "is confirmed since"),
        (order(version=2), "is at version 2, the message has version 1"),
    ],
)
def test_a_message_whose_order_has_moved_on_needs_a_reason(orders_now, now, told):
    stored = failed()
    orders_now[ORDER_ID] = now
    [verdict] = replay([stored.pk], "operator", " ")

    assert not verdict.done
    assert told in verdict.detail
    assert "give a reason" in verdict.detail
    assert broker.depth("billing") == 0
    assert replay([stored.pk], "operator", "the customer wants it after all")[0].done


def test_what_the_message_itself_tells_is_not_moving_on(orders_now):
    rejection = failed(type="order.rejected", headers={"order-version": 2})
    orders_now[ORDER_ID] = order("rejected", 2)
    assert replay([rejection.pk], "operator")[0].done

    answer = failed(message_id="b", type="billing.credited")
    orders_now[ORDER_ID] = order("cancelled", 2)
    assert replay([answer.pk], "operator")[0].done


def test_what_other_services_have_answered_is_not_moving_on():
    order_id = str(place()["_id"])
    stored = failed(correlation_id=order_id)
    ledger.record(order_id, "inventory", "reserved")

    assert replay([stored.pk], "operator")[0].done


def test_every_act_is_in_the_audit_log_with_before_and_after():
    stored = failed()
    replay([stored.pk], "operator", "card service is back")
    discard([failed(message_id="b").pk], "somebody", "test order")

    discarded, replayed = AuditEntry.objects.all()
    assert (replayed.by, replayed.act, replayed.subject_id) == (
        "operator",
        "replay",
        str(stored.pk),
    )
    assert replayed.reason == "card service is back"
    assert json.loads(replayed.before) == {"status": "failed"}
    assert json.loads(replayed.after)["replay"] == record(stored.pk).replay.pk
    assert json.loads(discarded.after)["discarded_by"] == "somebody"
