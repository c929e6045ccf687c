"""Is the site alive, and is everything there that an order needs?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pymongo
from django.conf import settings
from django.db import connection
from kombu import Connection
from pymongo import ReadPreference
from pymongo.errors import PyMongoError

from messaging import topology
from messaging.queue_state import is_declared, queue_state
from messaging.service import services
from ordersite.pipeline import scheduler_heartbeat
from runtime import waiting
from runtime.connecting import BROKER_ERRORS, connect, connection_to
from runtime.lease import RELAY_LEASE, is_taken
from runtime.trouble import refusal
from webhooks.waking import LATE, unclaimed

#: For each of MongoDB and RabbitMQ, so that a caller has its answer within 3 s.
ANSWER_WITHIN_SECONDS = 1

#: A client that asks for readiness is not told whose login it is; the doctor's user is.
REFUSED = "It refuses the login, or what the login wants to do."
NO_PRIMARY = "No member of its replica set is primary."
DOCTOR = "python manage.py doctor says what is refused."
#: RabbitMQ is not there, or is too slow for a page: a busy machine is not an outage.
CLOSED = "Nothing listens at its address: it does not run, or AMQP_URL names another one."
SLOW = "It does not answer in time: it hangs, or its machine has too much to do."

_is_migrated = False


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be there: what was seen, and if it is missing what to do."""

    name: str
    ok: bool
    detail: str
    next_step: str = ""


def mongodb() -> Check:
    next_step = "Start MongoDB as a replica set, or correct the setting MONGODB_URL."
    try:
        with pymongo.timeout(ANSWER_WITHIN_SECONDS):
            hello = connection.get_database().command("hello")
    except PyMongoError as error:
        if refusal(error):
            return Check("mongodb", False, REFUSED, "Correct the login in MONGODB_URL. " + DOCTOR)
        detail = NO_PRIMARY if lacks_primary() else f"No answer ({type(error).__name__})."
        return Check("mongodb", False, detail, next_step)
    if not hello["isWritablePrimary"]:
        return Check("mongodb", False, NO_PRIMARY, next_step)
    return Check("mongodb", True, "The primary answers.")


def is_migrated() -> bool:
    """Whether every migration of this release is applied; once it is, nobody is asked again.

    A web server without them could store what a later migration does not expect.
    """
    global _is_migrated
    if not _is_migrated:
        with pymongo.timeout(ANSWER_WITHIN_SECONDS):
            _is_migrated = not waiting.migrations()
    return _is_migrated


def lacks_primary() -> bool:
    """Whether members of MongoDB answer of which none is the primary; asks nobody."""
    known = connection.get_database().client.topology_description
    return known.has_readable_server(ReadPreference.NEAREST) and not known.has_writable_server()


def relay(database: Check) -> Check:
    """The relay's lease says whether one runs; a killed one is missed when its lease expires."""
    next_step = "python manage.py relay"
    unseen = Check("relay", False, "It cannot be checked without MongoDB.", next_step)
    if not database.ok:
        return unseen
    try:
        with pymongo.timeout(ANSWER_WITHIN_SECONDS):
            runs = is_taken(RELAY_LEASE)
    except PyMongoError:
        return unseen
    detail = "It publishes the outbox." if runs else "No relay runs, so events stay in the outbox."
    return Check("relay", runs, detail, "" if runs else next_step)


def scheduler(database: Check) -> Check:
    """Its heartbeat says whether one runs, and which of its jobs hang."""
    next_step = "python manage.py scheduler"
    unseen = Check("scheduler", False, "It cannot be checked without MongoDB.", next_step)
    if not database.ok:
        return unseen
    try:
        with pymongo.timeout(ANSWER_WITHIN_SECONDS):
            last = scheduler_heartbeat.last()
    except PyMongoError:
        return unseen
    if last is None or not last.is_fresh:
        return Check("scheduler", False, _no_heartbeat(last), next_step)
    if last.late:
        detail = f"Late, because a run of it does not end: {', '.join(last.late)}."
        hint = "Read the scheduler's log, then restart it: python manage.py scheduler"
        return Check("scheduler", False, detail, hint)
    return Check("scheduler", True, "It runs the periodic jobs.")


def deliverer(database: Check) -> Iterator[Check]:
    """Where webhooks run: a deliverer claims each endpoint when it has something to get."""
    if not settings.WEBHOOKS:
        return
    next_step = "python manage.py deliverer"
    unseen = Check("deliverer", False, "It cannot be checked without MongoDB.", next_step)
    if not database.ok:
        yield unseen
        return
    try:
        with pymongo.timeout(ANSWER_WITHIN_SECONDS):
            waiting = unclaimed()
    except PyMongoError:
        yield unseen
        return
    if waiting:
        minutes = LATE // timedelta(minutes=1)
        detail = f"Endpoints that wait {minutes} min for what is theirs: {waiting}."
        yield Check("deliverer", False, detail, next_step)
    else:
        yield Check("deliverer", True, "No endpoint waits.")


def _no_heartbeat(last: scheduler_heartbeat.Heartbeat | None) -> str:
    if last is None:
        return "No scheduler runs, so no periodic job runs."
    if last.age_seconds < 0:
        seconds = f"{-last.age_seconds:.0f} s in the future, as MongoDB's clock was set back"
    else:
        seconds = f"{last.age_seconds:.0f} s old"
    return f"No scheduler runs, or it hangs: its last heartbeat is {seconds}."


def rabbitmq() -> Iterator[Check]:
    """RabbitMQ, what is declared on it, and who consumes from it."""
    try:
        with broker_connection() as broker:
            connect(broker)
            consumers = {queue.name: _consumers(broker, queue.name) for queue in topology.queues()}
            missing = [*_missing_exchanges(broker), *_absent(consumers)]
    except BROKER_ERRORS as error:
        if refusal(error):
            yield Check("rabbitmq", False, REFUSED, "Correct the login in AMQP_URL. " + DOCTOR)
        else:
            next_step = "Start RabbitMQ, or correct the setting AMQP_URL."
            yield Check("rabbitmq", False, silence(error), next_step)
        consumers, missing = {}, ["everything that can be checked without RabbitMQ"]
    else:
        yield Check("rabbitmq", True, "It answers.")
    yield declared(missing)
    yield from (worker(service, consumers.get(service)) for service in services())
    yield archiver([consumers.get(f"{service}.dlq") for service in services()])


def silence(error: BaseException) -> str:
    """How RabbitMQ does not answer, by this error or one that it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TimeoutError):
            return SLOW
        if isinstance(cause, ConnectionRefusedError):
            return CLOSED
        cause = cause.__cause__
    return f"No answer ({type(error).__name__})."


def declared(missing: list[str]) -> Check:
    next_step = "python manage.py declare_topology"
    if missing:
        return Check("topology", False, f"Not declared: {', '.join(missing)}.", next_step)
    return Check("topology", True, "Every exchange and queue is declared.")


def worker(service: str, consumers: int | None) -> Check:
    """`consumers` is None where the queue could not be seen."""
    name = f"worker {service}"
    if consumers:
        return Check(name, True, f"{consumers} on the queue {service}.")
    next_step = f"celery -A celery_app worker -Q {service} -n {service}@%h"
    if consumers is None:
        return Check(name, False, f"The queue {service} cannot be seen.", next_step)
    return Check(name, False, f"Nothing consumes the queue {service}.", next_step)


def archiver(consumers: list[int | None]) -> Check:
    if all(consumers):
        return Check("archiver", True, "It consumes every dead-letter queue.")
    detail = "A dead-letter queue has no consumer, so its messages are not in the admin."
    if None in consumers:
        detail = "The dead-letter queues cannot be checked."
    return Check("archiver", False, detail, "python manage.py archiver")


def rabbitmq_answers() -> bool:
    """Whether it lets this process connect, within `ANSWER_WITHIN_SECONDS`."""
    try:
        with broker_connection() as broker:
            connect(broker)
    except BROKER_ERRORS:
        return False
    return True


def broker_connection() -> Connection:
    """A connection that is made, and answers, within `ANSWER_WITHIN_SECONDS` or fails."""
    return connection_to(
        settings.AMQP_URL,
        within_seconds=ANSWER_WITHIN_SECONDS,
        transport_options={"read_timeout": ANSWER_WITHIN_SECONDS},
    )


def _consumers(broker: Connection, queue: str) -> int | None:
    """How many consume from the queue; None if it isn't declared."""
    state = queue_state(broker, queue)
    return state.consumers if state else None


def _absent(consumers: dict[str, int | None]) -> list[str]:
    return [f"queue {name}" for name, count in consumers.items() if count is None]


def _missing_exchanges(broker: Connection) -> Iterator[str]:
    for exchange in topology.exchanges():
        if not is_declared(broker, exchange):
            yield f"exchange {exchange.name}"
