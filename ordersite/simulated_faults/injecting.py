"""Makes a handler fail if there is a simulated fault."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from django.conf import settings
from django.db import connection

from messaging.errors import PermanentError
from messaging.handling.call import Answers, Call, GoOn
from ordersite.simulated_faults.models import LARGEST_BSON_INTEGER, SimulatedFault

Kind = SimulatedFault.Kind

SLOWER_THAN_ALLOWED_SECONDS = 5


class SimulatedFailure(Exception):
    """What a handler meets where a fault of the kind `error` is planted."""


def inject(call: Call, go_on: GoOn) -> Answers:
    """Middleware: fail as the first fault says that the service has for one of the bodies' users.

    Raises:
        SimulatedFailure: the kind is `error`.
        PermanentError: the kind is `permanent`.
    """
    user_ids = [user_id for body in call.bodies if (user_id := _user_id(body)) is not None]
    # Raw, so that a lost database shows itself as PyMongo's error, as in the handler itself.
    fault = connection.get_collection("simulated_faults").find_one(
        {"service": call.service, "user_id": {"$in": user_ids}}
    )
    if fault is not None:
        fail(fault["kind"], f"{call.service} fails for user {fault['user_id']} ({call.type})")
    return go_on()


def fail(kind: str, what: str) -> None:
    text = f"Simulated fault: {what}. Remove it in the admin or with manage.py simulate_fault."
    match kind:
        case Kind.ERROR:
            raise SimulatedFailure(text)
        case Kind.PERMANENT:
            raise PermanentError(text)
        case Kind.SLOW:
            time.sleep(settings.TASK_SOFT_TIME_LIMIT_SECONDS + SLOWER_THAN_ALLOWED_SECONDS)
        case Kind.CRASH:
            os.kill(os.getpid(), signal.SIGKILL)


def _user_id(body: Any) -> int | None:
    """The body's user; a foreign publisher's body may hold anything in its place."""
    user_id = body.get("userId") if isinstance(body, dict) else None
    if type(user_id) is int and abs(user_id) <= LARGEST_BSON_INTEGER:
        return user_id
    return None
