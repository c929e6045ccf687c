"""Archive: move a dead-lettered message into the database, once.

RabbitMQ delivers again what was stored but not yet acked, so storing is idempotent: one record a
message, one certificate a death.
"""

from __future__ import annotations

import hashlib
import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bson import ObjectId
from kombu.message import Message
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from failed_messages.archiving import certificate, dead_letter, groups
from failed_messages.archiving.certificate import X_DEATH
from failed_messages.archiving.dead_letter import BODY_LIMIT_BYTES, DeadLetter
from failed_messages.models import PartState, Status
from failed_messages.records.collection import failed_messages
from failed_messages.records.history import ARCHIVER, act
from messaging.certificate import Certificate
from messaging.outages import is_about_the_document
from messaging.storable import text
from runtime.outage import Outage
from runtime.transactions import in_transaction

log = logging.getLogger(__name__)

#: Full certificates kept; with at most 128 KiB (one AMQP frame) each they fit a document.
CERTIFICATES_KEPT = 30

NOT_COUNTED = (
    "Failed message %s is stored, but not counted in its group %s, whose document MongoDB refuses "
    "to change: %s. Correct that document, then run `manage.py failed_messages groups --recount`."
)

#: Counts a death in its group, and returns the fingerprint.
Count = Callable[[Certificate, ClientSession], str]


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a dead letter went."""

    record_id: ObjectId
    #: True if `acknowledged` has to be called after the broker's ack.
    wants_ack: bool = False


def store(message: Message, service: str) -> Stored:
    """Store one message of `<service>.dlq`, however hostile; majority-written on return.

    A message already stored with the same death changes nothing. The next death of a known
    message is appended to its record, which becomes failed again whatever its status was.

    Raises:
        PyMongoError, Outage: the database is down, and storing again is safe; or the server refuses
            to change the record that there is, see `messaging.outages.is_about_the_document`.
    """
    try:
        return _store_counted(dead_letter.read(message, service))
    except Outage:
        raise
    except PyMongoError as error:
        if not is_about_the_document(error):
            raise
        cause: Exception = error
    except Exception as error:
        cause = error
    log.exception("A message of %s.dlq cannot be read; its body is kept", service, exc_info=cause)
    return _store(dead_letter.unreadable(message, service, cause))


def acknowledged(stored: Stored) -> None:
    """The broker has our ack: an equal message from now on is another one."""
    if stored.wants_ack:
        failed_messages().update_one({"_id": stored.record_id}, {"$unset": {"unacknowledged": ""}})


def _store_counted(letter: DeadLetter) -> Stored:
    """Store it, also where its group cannot count it; the log says so then."""
    try:
        return _store(letter)
    except PyMongoError as error:
        if not is_about_the_document(error):
            raise
        stored = _store(letter, groups.only_named)
        log.warning(NOT_COUNTED, stored.record_id, groups.only_named(letter.certificate), error)
        return stored


def _store(letter: DeadLetter, count: Count = groups.count_death) -> Stored:
    if not letter.message_id:
        return _store_nameless(letter, count)
    return Stored(in_transaction(partial(_write, letter, count)))


def _store_nameless(letter: DeadLetter, count: Count) -> Stored:
    """Store a message without an id: each is a message of its own, however equal to another.

    Only one kind of delivery is not: that of a message which was stored, but whose ack the broker
    never got. Its record still says `unacknowledged`, and the broker says `redelivered`.
    """
    if letter.certified:
        return _store(replace(letter, message_id=f"no-id-{letter.certificate.id}"), count)
    prefix = f"no-id-{_digest(letter)}-"
    if letter.redelivered:
        known = failed_messages().find_one(
            {"message_id": {"$regex": f"^{prefix}"}, "unacknowledged": True}, {"_id": True}
        )
        if known is not None:
            return Stored(known["_id"], wants_ack=True)
    named = replace(letter, message_id=prefix + uuid.uuid4().hex[:8])
    stored = in_transaction(lambda session: _insert(named, count, session, unacknowledged=True))
    return Stored(stored, wants_ack=True)


def _digest(letter: DeadLetter) -> str:
    headers = json.loads(letter.headers)
    # RabbitMQ's own may change from delivery to delivery, and each release has more of them.
    lasting = {name: headers[name] for name in headers if name == X_DEATH or name[:2] != "x-"}
    parts = (letter.service, letter.digest, json.dumps(lasting))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _write(letter: DeadLetter, count: Count, session: ClientSession) -> ObjectId:
    """The id of the record that holds this death, which is stored and counted unless it was."""
    wanted = {"certificate_ids": True, "fingerprint": True, "job_state": True}
    known = failed_messages().find_one(_identity(letter), wanted, session=session)
    if known is None:
        return _insert(letter, count, session)
    if letter.certificate.id not in known["certificate_ids"]:
        _append_death(known, letter, count, session)
    return known["_id"]


def _append_death(
    known: dict[str, Any], letter: DeadLetter, count: Count, session: ClientSession
) -> None:
    death = letter.certificate
    fingerprint = count(death, session)
    failed_messages().update_one(
        {"_id": known["_id"]},
        {
            "$set": {
                **_latest_death(letter),
                "fingerprint": fingerprint,
                "status": Status.FAILED,
                "job_state": _job_state(known, fingerprint),
                **_sent_again(letter),
                **NEITHER_RESOLVED_NOR_DISCARDED,
            },
            "$inc": {"attempts": certificate.runs(death)},
            "$push": {
                "certificates": {
                    "$each": [certificate.encode(death)],
                    "$slice": -CERTIFICATES_KEPT,
                },
                "certificate_ids": death.id,
                "history": act("failed again", ARCHIVER, detail=_what(letter)),
            },
        },
        session=session,
    )


def _job_state(known: dict[str, Any], fingerprint: str) -> str:
    """What this death means for the bulk replay that sent the message, if one did."""
    if known["job_state"] != PartState.SENT:
        return str(known["job_state"])
    same_cause = known["fingerprint"] == fingerprint
    return str(PartState.RECURRED if same_cause else PartState.DIED)


def _insert(letter: DeadLetter, count: Count, session: ClientSession, **extra: Any) -> ObjectId:
    death = letter.certificate
    document = {
        **_identity(letter),
        **_latest_death(letter),
        "fingerprint": count(death, session),
        **_sent_again(letter),
        "user_id": letter.user_id,
        "body": letter.body[:BODY_LIMIT_BYTES],
        "body_bytes": len(letter.body),
        "body_cut": len(letter.body) > BODY_LIMIT_BYTES,
        "preview": letter.preview,
        "certificates": [certificate.encode(death)],
        "certificate_ids": [death.id],
        "attempts": certificate.runs(death),
        "status": Status.FAILED,
        "first_failed_at": certificate.died_at(death),
        "replay": None,
        "scheduled_replays": 0,
        "parent": None,
        "edited_as": [],
        "job": None,
        "job_state": "",
        "job_detail": "",
        "history": [act("failed", ARCHIVER, detail=_what(letter))],
        **NEITHER_RESOLVED_NOR_DISCARDED,
        **extra,
    }
    return failed_messages().insert_one(document, session=session).inserted_id


NEITHER_RESOLVED_NOR_DISCARDED = {
    "resolved_at": None,
    "resolved_by": "",
    "discarded_at": None,
    "discarded_by": "",
    "discard_reason": "",
}


def _identity(letter: DeadLetter) -> dict[str, str]:
    return {
        "service": letter.service,
        "message_id": letter.message_id,
        "body_digest": letter.digest,
    }


def _latest_death(letter: DeadLetter) -> dict[str, Any]:
    death = letter.certificate
    exception, message = text(death.exception or "", 300), text(death.message, 500)
    return {
        "reason": death.reason,
        "exception": exception,
        "message": message,
        "error_text": f"{exception}: {message}" if exception else message,
        "last_failed_at": certificate.died_at(death),
        # By MongoDB's clock, for policies; the other one is its worker's.
        "archived_at": letter.archived_at,
    }


def _sent_again(letter: DeadLetter) -> dict[str, Any]:
    """What a replay sends beside the body, as the message was when it died last; and its order."""
    return {
        "type": letter.type,
        "correlation_id": letter.correlation_id,
        "order_id": letter.order_id,
        "content_type": letter.content_type,
        "properties": letter.properties,
        "headers": letter.headers,
        "header_table": letter.header_table,
    }


def _what(letter: DeadLetter) -> str:
    death = letter.certificate
    return f"{death.reason}: {death.message}"
