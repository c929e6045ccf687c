"""Whether the contents of a message are true: by its publisher, or by what is recorded.

Where each process has a user of its own, nearly every message comes from the very process whose
service publishes its type, and costs no query. The others are retries, replays, what was edited,
those of external publishers and of an earlier release, and forgeries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from messaging.certificate import Reason
from messaging.errors import InvalidMessage
from messaging.service import publisher_of as service_that_publishes
from messaging.trust.differences import differences
from messaging.trust.publishers import is_external, untrusted
from messaging.trust.records import Body, order_id_in, orders_of_ours, recorded
from messaging.trust.users import users_that_publish

#: Between a service and a type: what the error says where nothing is recorded.
RECORDED_NO = " recorded no "
#: Behind a type: what the error says where nobody knows the order.
OF_NO_ORDER = " about an order that orders never took"


class Found(Struct, frozen=True):
    """What was found out of several messages, each by its index."""

    #: What is wrong with those that cannot be believed.
    wrong: Mapping[int, InvalidMessage] = {}
    #: As their service stored them, those that say the same; in some fields nobody compares them.
    stored: Mapping[int, dict[str, Any]] = {}


#: Of messages that came from their publishers' processes.
VOUCHED_FOR = Found()


def found_out(type_: str, bodies: Sequence[Body], publishers: Sequence[str]) -> Found:
    """Which of the messages can be believed, and what is stored of those that nobody vouches for.

    `publishers` are RabbitMQ's users that published the bodies.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    vouched_for = users_that_publish(type_)
    unproven = {
        index: order_id_in(body)
        for index, (body, user) in enumerate(zip(bodies, publishers, strict=True))
        if user not in vouched_for
    }
    if not unproven:
        return VOUCHED_FOR
    asked = {*unproven.values()} - {""}
    stored = recorded(type_, asked)
    ours = orders_of_ours(asked - stored.keys())
    wrong: dict[int, InvalidMessage] = {}
    for index, order_id in unproven.items():
        if order_id in stored:
            problem = contradiction(type_, bodies[index], stored[order_id])
        elif order_id in ours:
            problem = never_happened(type_, order_id)
        elif is_external(publishers[index], type_):
            problem = None
        else:
            problem = untrusted(publishers[index], type_, OF_NO_ORDER)
        if problem is not None:
            wrong[index] = problem
    same = {
        index: {**stored[order_id]}
        for index, order_id in unproven.items()
        if order_id in stored and index not in wrong
    }
    return Found(wrong, same)


def check_edited(type_: str, body: Body) -> bool:
    """Returns: whether there was anything stored to compare the edited body with.

    Raises InvalidMessage: it is not what its service stored.
    """
    order_id = order_id_in(body)
    if stored := recorded(type_, {order_id} - {""}):
        if problem := contradiction(type_, body, stored[order_id]):
            raise problem
    elif orders_of_ours({order_id} - {""}):
        raise never_happened(type_, order_id)
    return bool(stored)


def contradiction(type_: str, body: Body, stored: Body) -> InvalidMessage | None:
    """The error where the body says otherwise than its service stored."""
    if found := differences(body, stored):
        return InvalidMessage(
            f"it is not what {_publisher(type_)} stored: {'; '.join(found)}",
            Reason.CONTRADICTS_RECORD,
        )
    return None


def never_happened(type_: str, order_id: str) -> InvalidMessage:
    return InvalidMessage(
        f"{_publisher(type_)}{RECORDED_NO}{type_} of order {order_id}", Reason.CONTRADICTS_RECORD
    )


def _publisher(type_: str) -> str:
    service = service_that_publishes(type_)
    return service.name if service else "nobody"
