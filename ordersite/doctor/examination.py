"""Makes every check that can be made, and records which could not."""

from __future__ import annotations

import pymongo
from amqp.exceptions import AccessRefused
from django.conf import settings
from django.db import DatabaseError
from kombu import Connection
from pymongo.errors import OperationFailure, PyMongoError

from ordersite.broker import management_api
from ordersite.doctor import checks, mongodb
from ordersite.doctor.checks import Checks
from ordersite.doctor.report import Report, Unseen
from ordersite.pipeline import health
from runtime import waiting
from runtime.connecting import BROKER_ERRORS, connect
from runtime.trouble import UNAUTHORIZED, Refusal, refusal

#: For all checks of MongoDB together, once it has answered at all.
MONGODB_SECONDS = 5

START_MONGODB = "Start MongoDB as a replica set, or correct the setting MONGODB_URL."
START_RABBITMQ = "Start RabbitMQ, or correct the setting AMQP_URL."
#: The Django backend refuses an older one before it can be asked anything.
UPGRADE_MONGODB = "Upgrade MongoDB to a version that is supported."
SET_MANAGEMENT_URL = "export RABBITMQ_MANAGEMENT_URL=http://{host}:15672"
GRANT_ROLE = (
    "As an administrator, for the user in MONGODB_URL: db.grantRolesToUser(USER, "
    '[{role: "clusterMonitor", db: "admin"}])'
)

NOT_ALLOWED = "The user in AMQP_URL has no permission to ask RabbitMQ for this."
AS_ADMINISTRATOR = "As an administrator, with the URL of one: AMQP_URL=… python manage.py doctor"

AS_SAID = "Do that, and ask again."

NO_ANSWER = (PyMongoError, *BROKER_ERRORS, management_api.Unavailable)


def examine() -> Report:
    """Check everything; a dependency that does not answer costs seconds, and is in the report."""
    report = Report()
    _check_mongodb(report, checks.of_mongodb())
    with health.broker_connection() as broker:
        _check_rabbitmq(report, broker)
    return report


def _check_mongodb(report: Report, made: Checks) -> None:
    try:
        seen = health.mongodb()
    except DatabaseError as error:
        report.unchecked.append(Unseen(tuple(made), f"MongoDB: {error}", UPGRADE_MONGODB))
        return
    if not seen.ok:
        why = waiting.mongodb()
        if isinstance(why, Refusal):
            unseen = Unseen(tuple(made), why, AS_SAID)
        else:
            unseen = Unseen(tuple(made), *mongodb.without_primary(seen))
        report.unchecked.append(unseen)
        return
    with pymongo.timeout(MONGODB_SECONDS):
        _make(made, report, START_MONGODB)


def _check_rabbitmq(report: Report, broker: Connection) -> None:
    amqp, managed = checks.over_amqp(broker), checks.over_management(broker)
    try:
        connect(broker)
    except NO_ANSWER as error:
        refused = refusal(error)
        reason = refused or f"RabbitMQ: No answer ({error})."
        next_step = AS_SAID if refused else START_RABBITMQ
        report.unchecked.append(Unseen((*amqp, *managed), reason, next_step))
        return
    _make(amqp, report, START_RABBITMQ)
    if settings.RABBITMQ_MANAGEMENT_URL:
        _make(managed, report, START_RABBITMQ)
    else:
        next_step = SET_MANAGEMENT_URL.format(host=broker.hostname)
        unseen = Unseen(tuple(managed), "RABBITMQ_MANAGEMENT_URL is not set.", next_step)
        report.left_out.append(unseen)


def _make(made: Checks, report: Report, next_step: str) -> None:
    """Make the checks one after the other, up to the first that gets no answer."""
    names = tuple(made)
    for at, (name, check) in enumerate(made.items()):
        try:
            report.findings += check()
        except NO_ANSWER as error:
            if _is_forbidden(error):
                reason = "The user in MONGODB_URL has no permission to ask MongoDB for this."
                report.left_out.append(Unseen((name,), reason, GRANT_ROLE))
                continue
            if isinstance(error, AccessRefused):
                # The login may do what its process does, and no more.
                report.left_out.append(Unseen((name,), NOT_ALLOWED, AS_ADMINISTRATOR))
                continue
            if isinstance(error, management_api.Forbidden) and at:
                # The login was good for the checks before it.
                report.left_out.append(Unseen((name,), str(error), error.next_step))
                continue
            next_step = (
                error.next_step if isinstance(error, management_api.Unavailable) else next_step
            )
            report.unchecked.append(Unseen(names[at:], str(error), next_step))
            return
        report.checked.append(name)


def _is_forbidden(error: Exception) -> bool:
    return isinstance(error, OperationFailure) and error.code == UNAUTHORIZED
