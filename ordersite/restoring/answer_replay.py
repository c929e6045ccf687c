"""What becomes of the answers themselves: a true one is replayed, a superseded one discarded."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from billing.invoicing import invoices
from failed_messages.acting.discard import discard
from failed_messages.acting.replay import replay
from inventory.reserving import reservations
from messaging.isolation import isolated
from messaging.service import services
from messaging.trust.contents import contradiction
from messaging.trust.records import recorded
from orders.collection import orders
from ordersite.restoring.answers import Answer, keys, there
from ordersite.restoring.findings import Findings
from ordersite.restoring.outcome import later
from runtime.batches import in_batches

logger = logging.getLogger(__name__)

CANNOT_JUDGE = (
    "Some failed messages of type %s stay as they are, as what is stored of one's order is not as "
    "this release stores it. Correct the document, then run reconcile_restore again."
)
REPLAYS_AT_ONCE = 500
#: The states of invoices, as billing's events tell them.
TOLD_AS = {"issued": "invoiced", "credited": "credited", "void": "credited"}


def settle_answers(found: Findings, by: str, reason: str) -> None:
    """Replay those whose record is there again and says the same.

    Where answers are believed, discard those to which the record, or a later answer, says
    otherwise; else they stay with the operator.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    told = [each for each in found.answers.all() if each.kind]
    for some in in_batches(told, REPLAYS_AT_ONCE):
        verdicts = list(judged(of_orders_there(some)))
        if true := [each.id for each, problem in verdicts if not problem]:
            replay(true, by, reason, approved=True)
        if found.believes:
            for each, problem in verdicts:
                if problem:
                    discard([each.id], by, f"{reason}: {problem}", approved=True)


def of_orders_there(told: list[Answer]) -> list[Answer]:
    known = there(each.order_id for each in told)
    return [each for each in told if each.order_id in known]


def judged(told: list[Answer]) -> Iterator[tuple[Answer, str]]:
    """Each answer of which it is known whether it is true, with what says otherwise."""
    by_type: dict[str, list[Answer]] = defaultdict(list)
    for each in told:
        by_type[each.type].append(each)
    for type_, some in by_type.items():
        with isolated(logger, CANNOT_JUDGE, type_):
            yield from judged_of(type_, some)


def judged_of(type_: str, told: list[Answer]) -> list[tuple[Answer, str]]:
    """The same of answers of one type."""
    stored = recorded(type_, [each.order_id for each in told])
    states = states_of(told[0].about, [each.order_id for each in told])
    found = []
    for each in told:
        if each.order_id in stored:
            problem = contradiction(type_, each.body, stored[each.order_id])
            found.append((each, str(problem) if problem else ""))
        elif why := superseded(each, states.get(each.order_id)):
            found.append((each, why))
    return found


def superseded(answer: Answer, state: str | None) -> str:
    """What has happened after what the answer tells, so that it never becomes true; else empty."""
    if state is None:
        return ""
    if answer.about in services() and later(answer.about, answer.state, state) != answer.state:
        return f"{answer.about} has {state} the order since"
    if answer.type == "order.rejected" and state == "cancelled":
        return "the order was cancelled since"
    return ""


def states_of(about: str, order_ids: list[str]) -> dict[str, str]:
    """The states of these orders in the service's records, by order id."""
    ids: dict[str, Any] = {"_id": {"$in": order_ids}}
    match about:
        case "inventory":
            return {each["_id"]: each["state"] for each in reservations().find(ids)}
        case "billing":
            found = invoices().find(ids)
            return {each["_id"]: TOLD_AS.get(str(each["state"]), "") for each in found}
        case "order":
            there_now = orders().find({"_id": {"$in": keys(order_ids)}}, {"status": 1})
            return {str(each["_id"]): each["status"] for each in there_now}
    return {}
