"""Why RabbitMQ or MongoDB cannot be used, in the operator's words, and logged once.

A dependency that does not answer comes back by itself. One that answers and refuses waits for an
operator, who has to know what to correct.
"""

from __future__ import annotations

import ssl

import amqp
from django.conf import settings
from pymongo.errors import OperationFailure

from runtime.rabbitmq_refusals import refused, refused_by_tls

#: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
#: MongoDB Atlas' own, for a login that it refuses.
ATLAS_ERROR = 8000
REFUSALS_OF_MONGODB = {UNAUTHORIZED, AUTHENTICATION_FAILED, ATLAS_ERROR}


class Refusal(str):
    """Why RabbitMQ or MongoDB refuses something, and what to do about it."""


class Reported:
    """Which troubles the log has, so that each is one line in it until all is well again.

    A dependency that is down is one trouble, however it shows; each refusal is one of its own.
    """

    def __init__(self) -> None:
        self._reported: set[str] = set()

    def is_new(self, why: str) -> bool:
        """Whether `why`, as `in_words` has it, is still to be logged; from now on it is not."""
        trouble = why if isinstance(why, Refusal) else ""
        if trouble in self._reported:
            return False
        self._reported.add(trouble)
        return True

    def end(self) -> bool:
        """Forget them; whether there were any."""
        were_any = bool(self._reported)
        self._reported.clear()
        return were_any


def in_words(error: BaseException) -> str:
    """The error for the operator's log: a `Refusal` with what to do, or its own words."""
    return refusal(error) or str(error).partition(", Timeout:")[0] or type(error).__name__


def of_rabbitmq(error: BaseException) -> str:
    """Why a command cannot be carried out, and the next step."""
    return refusal(error) or (
        f"RabbitMQ does not answer ({error}). Start it, or correct the setting AMQP_URL."
    )


def of_mongodb(error: BaseException) -> str:
    """The same for MongoDB."""
    return refusal(error) or (
        f"MongoDB does not answer ({error}). Start it, or correct the setting MONGODB_URL."
    )


def refusal(error: BaseException | None) -> Refusal | None:
    """What RabbitMQ or MongoDB refuses, by this error or one that it was raised from."""
    while error is not None:
        if text := _refused(error):
            return Refusal(text)
        error = error.__cause__
    return None


def is_refused_by_mongodb(error: BaseException) -> bool:
    return isinstance(error, OperationFailure) and error.code in REFUSALS_OF_MONGODB


def _refused(error: BaseException) -> str:
    if isinstance(error, amqp.AMQPError):
        return refused(error)
    if isinstance(error, ssl.SSLError):
        return refused_by_tls(error)
    if isinstance(error, OperationFailure) and is_refused_by_mongodb(error):
        return _refused_by_mongodb(error)
    return ""


def _refused_by_mongodb(error: OperationFailure) -> str:
    # What follows is the whole command, with its data.
    words = str((error.details or {}).get("errmsg", error)).partition(" to execute command")[0]
    or_correct = "or correct MONGODB_URL and start this process again."
    if error.code == UNAUTHORIZED:
        grant = f'[{{role: "readWrite", db: "{settings.MONGODB_DATABASE}"}}]'
        return (
            f"MongoDB answers: {words}. As an administrator, for the user in MONGODB_URL: "
            f"db.grantRolesToUser(USER, {grant}); {or_correct}"
        )
    return (
        f"MongoDB refuses the login in MONGODB_URL ({words.rstrip('.')}): the user is not there, "
        "or its password is another one. As an administrator: db.updateUser(USER, {pwd: …}), "
        f"{or_correct}"
    )
