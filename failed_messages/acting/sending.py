"""Sending claimed records to their services' queues, and noting what the broker said."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from failed_messages.models import PartState, Status
from failed_messages.reading.act_result import NOT_KNOWN, Verdict
from failed_messages.records import audit
from failed_messages.records.collection import failed_messages
from failed_messages.records.history import RABBITMQ, act
from messaging.adapters.py_amqp import decode_table
from messaging.errors import PublishError, Unroutable
from messaging.isolation import isolated
from messaging.kept_headers import kept_headers, kept_properties
from messaging.message import CONTENT_TYPE, Message
from messaging.publishing.publisher import Outgoing, Publisher
from messaging.service import events
from messaging.short_string import shortened
from messaging.topology import by_name
from runtime.metrics.counting import Counter
from runtime.mongodb_clock import mongodb_now
from runtime.transactions import in_transaction

#: Bodies held in memory at once.
ROUND_BYTES = 16_000_000

REPLAYED = Counter(
    "ordersite_replayed_total",
    "Failed messages that were sent to their service again; the type is empty where no service "
    "publishes it",
    ("service", "type"),
)

NO_QUEUE = (
    "the queue {service} does not exist; run `python manage.py declare_topology`, then replay again"
)

CANNOT_RELEASE = (
    "Failed message %s can neither be published nor be failed again, as its document is not as "
    "this release stores one: it stays as it is, and is tried again each hour. Correct its "
    "document. The others are published."
)

Record = dict[str, Any]

log = logging.getLogger(__name__)


class Sender:
    """Publishes claimed records until the broker stops answering."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.broker_answers = True

    def send(self, records: Sequence[Record]) -> dict[ObjectId, Verdict]:
        """Publish the records, each to its service's queue alone; a verdict for each, by id."""
        verdicts: dict[ObjectId, Verdict] = {}
        for round_ in _rounds(records):
            verdicts.update(self._send_round(round_))
        return verdicts

    def _send_round(self, records: list[Record]) -> Iterator[tuple[ObjectId, Verdict]]:
        # After one timeout every other record would wait for its own: leave them claimed.
        sent = self._publish(records) if self.broker_answers else set()
        _mark_published([record for index, record in enumerate(records) if index in sent])
        for index, record in enumerate(records):
            if index in sent:
                yield record["_id"], _verdict(record, f"sent to {record['service']}")
            elif self.broker_answers:
                yield record["_id"], self._alone(record)
            else:
                yield record["_id"], _left_claimed(record)

    def _publish(self, records: list[Record]) -> set[int]:
        """The indexes of those that the broker has."""
        try:
            self._publisher.publish([_outgoing(record) for record in _with_bodies(records)])
        except Unroutable as error:
            return error.confirmed
        except PublishError as error:
            self.broker_answers = False
            return error.confirmed
        except Exception:
            # One of them is at fault. Alone each of them shows whether it is the one.
            log.exception("Some replays cannot be published together, so each is published alone")
            return set()
        return set(range(len(records)))

    def _alone(self, record: Record) -> Verdict:
        with isolated(log, CANNOT_RELEASE, record["_id"]):
            return self._publish_or_release(record)
        return Verdict(str(record["_id"]), done=False, detail=NOT_KNOWN)

    def _publish_or_release(self, record: Record) -> Verdict:
        try:
            self._publisher.publish([_outgoing(each) for each in _with_bodies([record])])
        except Unroutable:
            return _release(record, NO_QUEUE.format(**record))
        except PublishError:
            self.broker_answers = False
            return _left_claimed(record)
        except Exception as error:
            # Whatever is wrong with this one, it must not block the others for ever.
            log.exception("Failed message %s cannot be published", record["_id"])
            return _release(record, f"it cannot be published: {error!r}")
        _mark_published([record])
        return _verdict(record, f"sent to {record['service']}")


def _rounds(records: Sequence[Record]) -> Iterator[list[Record]]:
    round_: list[Record] = []
    for record in records:
        if round_ and sum(map(_body_bytes, (*round_, record))) > ROUND_BYTES:
            yield round_
            round_ = []
        round_.append(record)
    if round_:
        yield round_


def _body_bytes(record: Record) -> int:
    """One that does not say how long it is goes alone."""
    length = record.get("body_bytes")
    return length if isinstance(length, int) else ROUND_BYTES


def _with_bodies(records: list[Record]) -> list[Record]:
    ids = [record["_id"] for record in records]
    found = failed_messages().find({"_id": {"$in": ids}}, {"body": True})
    bodies = {record["_id"]: bytes(record["body"]) for record in found}
    return [{**record, "body": bodies[record["_id"]]} for record in records]


def _outgoing(record: Record) -> Outgoing:
    properties = json.loads(record["properties"])
    message = Message(
        body=record["body"],
        type=shortened(record["type"]),
        message_id=shortened(record["message_id"]),
        correlation_id=shortened(record["correlation_id"]),
        timestamp=_timestamp(properties),
        headers={**_headers(record), "replay": record["replay"]["id"]},
        content_type=shortened(record["content_type"]) or CONTENT_TYPE,
        others=kept_properties(properties),
    )
    return Outgoing(message, by_name.name, record["service"])


def _headers(record: Record) -> dict[str, Any]:
    """All that stay with the message, as they came; an earlier release kept them as JSON alone."""
    if (table := record.get("header_table")) is None:
        return kept_headers(json.loads(record["headers"]))
    return kept_headers(decode_table(table))


def _mark_published(records: list[Record]) -> None:
    for record in records:
        # Anybody may send a message with a type of their own making, and each would be a series.
        known = record["type"] if record["type"] in events() else ""
        REPLAYED.add(record["service"], known)
    if records:
        now = mongodb_now()
        failed_messages().bulk_write(
            [
                UpdateOne(
                    {"_id": record["_id"], "replay.id": record["replay"]["id"]},
                    {"$set": {"replay.published_at": now}},
                )
                for record in records
            ],
            ordered=False,
        )


def _verdict(record: Record, detail: str) -> Verdict:
    return Verdict(str(record["_id"]), done=True, detail=detail)


def _left_claimed(record: Record) -> Verdict:
    return _verdict(
        record, "RabbitMQ does not answer; the scheduler sends it when RabbitMQ answers again"
    )


def _release(record: Record, detail: str) -> Verdict:
    """The message was not sent, so it is failed as before."""
    in_transaction(partial(_write_release, record, detail))
    return Verdict(str(record["_id"]), done=False, detail=detail)


def _write_release(record: Record, detail: str, session: ClientSession) -> None:
    updated = failed_messages().update_one(
        {"_id": record["_id"], "status": Status.REPLAYING, "replay.id": _replay_id(record)},
        {
            "$set": {"status": Status.FAILED, **_part_refused(record, detail)},
            "$push": {"history": act("replay refused", RABBITMQ, detail=detail)},
        },
        session=session,
    )
    if updated.modified_count:
        before, after = {"status": Status.REPLAYING}, {"status": Status.FAILED}
        audit.note(
            session, "replay refused", audit.MESSAGE, record["_id"],
            by=RABBITMQ, reason=detail, before=before, after=after,
        )  # fmt: skip


def _replay_id(record: Record) -> Any:
    """None, as MongoDB has it for a field that is not there, where nothing says which replay."""
    replay = record.get("replay")
    return replay.get("id") if isinstance(replay, dict) else None


def _part_refused(record: Record, detail: str) -> Record:
    if record.get("job_state") != PartState.SENT:
        return {}
    return {"job_state": PartState.REFUSED, "job_detail": detail}


def _timestamp(properties: dict[str, Any]) -> datetime:
    """When the event happened; now, where its publisher did not say so in seconds."""
    try:
        return datetime.fromtimestamp(properties["timestamp"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return datetime.now(UTC)
