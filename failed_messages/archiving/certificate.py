"""The death certificate of a message in `<service>.dlq`, read or made.

A worker that gives up writes one into the header `certificate`. Where no worker could, RabbitMQ's
own `x-death` header says what happened, and the certificate is written here from that.
https://www.rabbitmq.com/docs/dlx#effects
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any

import msgspec
from django.conf import settings

from failed_messages.records.history import ARCHIVER
from messaging.certificate import (
    Certificate,
    Reason,
    decode_attempts,
    decode_certificate,
    decode_original,
)
from messaging.storable import text
from runtime.mongodb_clock import EPOCH

#: RabbitMQ's own header of a dead letter.
X_DEATH = "x-death"
#: What RabbitMQ calls it -> what we call it.
REASON_OF_X_DEATH = {
    "delivery_limit": Reason.RETURNED,
    "expired": Reason.EXPIRED,
    "maxlen": Reason.QUEUE_FULL,
    "rejected": Reason.REJECTED,
}
#: A certificate dated before the epoch, or farther ahead than this, is a forgery …
FARTHEST_AHEAD = timedelta(days=3_650)
#: … and one dated before this, or in the future, shows that a clock is wrong.
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)

ID_LIMIT_CHARS = 100
#: What RabbitMQ writes; a forger's table may be nested too deeply to be compared.
SCALAR = (int, str, datetime, NoneType)
X_DEATH_IDS = uuid.UUID("0d6f1c5e-6a0b-4f6e-9f6b-3f1c2b7a9e10")


def certificate_of(
    headers: dict[str, Any], service: str, message_id: str, now: datetime
) -> Certificate:
    """The certificate of a message in `<service>.dlq`, whatever its headers are.

    Its date is not later than `now`, by MongoDB's clock: nothing that counts from a death waits for
    the clock that was wrong.

    RabbitMQ's entry for the service's own queue outweighs a `certificate` header: a worker
    publishes to `dead_letters` itself, so a message that has both carries a forged one.
    """
    death = _x_death(headers, service)
    if death is None:
        return workers_certificate(headers, service, now) or _unexplained(service, now)
    return _from_x_death(death, headers, service, message_id, now)


def workers_certificate(headers: dict[str, Any], service: str, now: datetime) -> Certificate | None:
    """The certificate that a worker wrote; None where there is none that can be believed."""
    certificate = decode_certificate(headers.get("certificate"))
    if certificate is None or not 0 < len(certificate.id) <= ID_LIMIT_CHARS:
        return None
    try:
        Reason(certificate.reason)
        at = _utc(datetime.fromisoformat(certificate.at))
    except (ValueError, OverflowError):
        return None
    if not EPOCH <= at <= now + FARTHEST_AHEAD:
        return None
    at = _plausible(at, now)
    return msgspec.structs.replace(certificate, service=service, at=at.isoformat())


def encode(certificate: Certificate) -> str:
    """As JSON text, to be stored."""
    return msgspec.json.encode(certificate).decode()


def decode(stored: str) -> Certificate:
    """The certificate that `encode` made."""
    return msgspec.json.decode(stored, type=Certificate)


def runs(certificate: Certificate) -> int:
    """How often the handler ran, the runs that ended with the worker's process included."""
    return len(certificate.attempts) + certificate.kills


def died_at(certificate: Certificate) -> datetime:
    """The time of death, in UTC."""
    return _utc(datetime.fromisoformat(certificate.at))


def _from_x_death(
    death: dict[str, Any],
    headers: dict[str, Any],
    service: str,
    message_id: str,
    now: datetime,
) -> Certificate:
    reason = REASON_OF_X_DEATH.get(str(death.get("reason")), Reason.REJECTED)
    # The same death gets the same id, however often it is delivered.
    told = (death.get("time"), death.get("count"), headers.get("replay"))
    identity = (service, message_id, *(each if isinstance(each, SCALAR) else "" for each in told))
    return Certificate(
        id=str(uuid.uuid5(X_DEATH_IDS, text(identity, 2_000))),
        service=service,
        reason=reason,
        at=_time_of(death, now).isoformat(),
        release=settings.RELEASE,
        worker=ARCHIVER,
        message=_what_happened(reason, service),
        attempts=decode_attempts(headers.get("attempts")),
        original=decode_original(headers.get("original")),
    )


def _unexplained(service: str, now: datetime) -> Certificate:
    return Certificate(
        id=str(uuid.uuid4()),
        service=service,
        reason=Reason.REJECTED,
        at=now.isoformat(),
        release=settings.RELEASE,
        worker=ARCHIVER,
        message=(
            "the message came with neither a death certificate nor RabbitMQ's x-death: it was "
            "published to dead_letters by hand, or its properties cannot be read"
        ),
    )


def _what_happened(reason: Reason, service: str) -> str:
    return {
        Reason.RETURNED: (
            f"the message came back to queue {service} time after time, and no worker settled it: "
            "RabbitMQ could not deliver it, the worker died before it began it, or what the "
            "worker needs was down for hours"
        ),
        Reason.EXPIRED: f"the message waited in queue {service} for longer than its expiration",
        Reason.QUEUE_FULL: f"queue {service} was full",
        Reason.REJECTED: "the worker rejected the message and could not say why",
    }[reason]


def _x_death(headers: dict[str, Any], service: str) -> dict[str, Any] | None:
    """RabbitMQ's latest entry for the service's own queue; retry queues leave theirs too."""
    entries = headers.get(X_DEATH)
    if not isinstance(entries, list):
        return None
    return next(
        (entry for entry in entries if isinstance(entry, dict) and entry.get("queue") == service),
        None,
    )


def _time_of(death: dict[str, Any], now: datetime) -> datetime:
    at = death.get("time")
    try:
        return _plausible(_utc(at), now) if isinstance(at, datetime) else now
    except OverflowError:
        return now


def _plausible(at: datetime, now: datetime) -> datetime:
    """The time, or `now` where it cannot be true: the rest of a certificate still can."""
    return at if EARLIEST <= at <= now else now


def _utc(at: datetime) -> datetime:
    """Raises OverflowError: the time is before the year 1 or after 9999 in UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
