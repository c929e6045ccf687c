"""How the desk's API refuses a request: which field is wrong, and what it may be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rest_framework import status
from rest_framework.exceptions import APIException

from failed_messages.editing import InvalidEdit
from failed_messages.filters import InvalidFilter
from failed_messages.jobs import InvalidJob
from failed_messages.policies import InvalidPolicy
from failed_messages.triage import InvalidTriage
from failed_messages.verdict import ReasonMissing


class Refused(APIException):
    """The request cannot be carried out as it is."""

    status_code = status.HTTP_400_BAD_REQUEST
    title = "The request is not valid"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}.")
        self.errors = [{"field": field, "detail": detail}]


class Conflict(APIException):
    """The record is not in a state that allows it."""

    status_code = status.HTTP_409_CONFLICT
    title = "Not in this state"


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the desk's functions raise about their arguments into a `Refused`."""
    try:
        yield
    except (InvalidFilter, InvalidJob, InvalidTriage, InvalidPolicy) as error:
        raise Refused(error.field, error.detail) from error
    except InvalidEdit as error:
        raise Refused("body", str(error)) from error
    except ReasonMissing as error:
        raise Refused("reason", str(error)) from error
