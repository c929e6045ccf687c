"""What an operator may do with failed messages, as the admin offers it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from failed_messages.acting.discard import discard, restore
from failed_messages.acting.replay import replay
from failed_messages.models import FailedMessage, Status
from failed_messages.reading.act_result import Verdict, record_id
from failed_messages.records import permissions
from failed_messages.records.permissions import DISCARD, REPLAY, lacks, may

#: Django takes a thousand fields in one form; more at once is for the command line.
SELECTION_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing to do with failed messages."""

    name: str
    run: Callable[..., list[Verdict]]
    permission: str
    #: The `Status` that a record must have.
    from_status: str
    #: What it will do, before it is done.
    effect: str
    asks_reason: bool = False

    @property
    def label(self) -> str:
        return self.name.capitalize()

    def allowed(self, request: HttpRequest) -> bool:
        """Whether this user may."""
        return may(request.user, self.permission)

    def obstacle(self, request: HttpRequest, record: FailedMessage) -> str:
        """Why it cannot be done to this record now; empty where it can."""
        if not self.allowed(request):
            return lacks(self.permission)
        if record.status != self.from_status:
            return f"The message is {record.status}, not {self.from_status}."
        if self.name == "replay" and record.body_cut:
            return "Only the beginning of its body was stored."
        return ""


VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "replay",
            replay,
            REPLAY,
            str(Status.FAILED),
            "Sends each message to the queue of the service that gave it up, and to no other. It "
            "keeps its message id, so that a service which has done its part already does nothing. "
            "A message whose order has changed goes only with a reason.",
        ),
        Verb(
            "discard",
            discard,
            DISCARD,
            str(Status.FAILED),
            "No service will handle it. The record stays and can be restored.",
            asks_reason=True,
        ),
        Verb(
            "restore",
            restore,
            DISCARD,
            str(Status.DISCARDED),
            "Makes it a failed message again, so that it can be replayed.",
        ),
    )
}


def lacking(request: HttpRequest) -> list[str]:
    """Why this user may not do what the list offers to others."""
    needed = dict.fromkeys(verb.permission for verb in VERBS.values())
    return [lacks(permission) for permission in needed if not may(request.user, permission)]


def edit_obstacle(request: HttpRequest, record: FailedMessage) -> str:
    """Why the record cannot be edited now; empty where it can."""
    if lack := permissions.lacking(request.user, permissions.TO_EDIT):
        return lack
    if record.status != Status.FAILED:
        return f"The message is {record.status}, not {Status.FAILED}."
    return "Only the beginning of its body was stored." if record.body_cut else ""


def selection(ids: list[str]) -> str:
    """`1 message to billing only`, or `3 messages: 2 of billing, 1 of orders`."""
    keys = [key for key in map(record_id, ids) if key]
    found = FailedMessage.objects.filter(pk__in=keys).order_by().values_list("service", flat=True)
    # What cannot be read comes as None.
    services = Counter(service or "no service" for service in found)
    counted = ", ".join(f"{count} of {service}" for service, count in sorted(services.items()))
    return f"{services.total()} message{'' if services.total() == 1 else 's'}: {counted or 'none'}"
