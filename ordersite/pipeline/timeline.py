"""An order's whole journey, out of the steps that each app has of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from failed_messages.reading import timeline as failures
from messaging.service import services
from messaging.timeline_step import Step
from orders import timeline as journey
from ordersite.pipeline import timeline_attempts
from runtime.moment import or_null


class Lane(Struct, frozen=True, rename="camel"):
    """The state of one service, in a line."""

    service: str
    kind: Literal["done", "failed", "waiting"]
    outcome: str


class Timeline(Struct, frozen=True, rename="camel"):
    """The order's status, each service's part in it, and every step, oldest first."""

    order_id: str
    status: str
    services: list[Lane]
    #: Those that are still to be done come last.
    steps: list[Step]


def timeline(order: dict[str, Any], *, is_for_customer: bool = False) -> Timeline:
    """The journey of a stored order; a customer is told of failures, and not what they are.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    order_id, status = str(order["_id"]), order.get("status") or "placed"
    failed = failures.steps(order_id)
    failed = [*failed, *timeline_attempts.steps(order_id, failed)]
    if is_for_customer:
        failed = [
            replace(step, detail=None, failed_message_id=None, retry_id=None) for step in failed
        ]
    steps = sorted([*failed, *journey.steps(order)], key=moment)
    settled = {service: journey.state_of(order, service) for service in order.get("ledger") or {}}
    settled["orders"] = status
    # Orders begins every journey.
    names = sorted(services(), key=lambda service: service != "orders")
    lanes = [lane(service, steps, settled.get(service, "nothing to do")) for service in names]
    return Timeline(order_id, status, lanes, steps)


def as_json(drawn: Timeline) -> bytes:
    body = msgspec.to_builtins(drawn, builtin_types=(datetime,))
    for step in body["steps"]:
        step |= {"at": or_null(step["at"]), "dueAt": or_null(step["dueAt"])}
    return msgspec.json.encode(body)


def digest(encoded: bytes) -> str:
    """What distinguishes a timeline's JSON from another one."""
    return hashlib.sha256(encoded).hexdigest()[:16]


def moment(step: Step) -> tuple[bool, float]:
    """What to sort by: the time; what has none comes last."""
    return step.at is None, step.at.timestamp() if step.at else 0.0


def lane(service: str, steps: Sequence[Step], settled: str) -> Lane:
    """What is still to be done counts, failures first; `settled` is what there is besides."""
    still = [step for step in steps if step.service == service and step.at is None]
    failed = [step for step in still if step.kind == "failed"]
    for step in failed or still:
        return Lane(service, step.kind, step.outcome)
    return Lane(service, "done", settled)
