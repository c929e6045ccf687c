"""What becomes of the answers themselves: a true one is replayed, a superseded one discarded."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

from billing import lost_numbers
from billing.invoicing import invoices
from failed_messages.acting.discard import discard
from failed_messages.acting.replay import replay
from failed_messages.reading.act_result import Verdict
from inventory.reserving import reservations
from messaging.isolation import isolated
from messaging.service import services
from messaging.trust.contents import contradiction
from messaging.trust.records import Body, recorded
from orders.collection import orders
from ordersite.restoring.answers import Answer, Kind, keys, there
from ordersite.restoring.findings import Findings
from ordersite.restoring.outcome import later
from runtime.batches import in_batches

logger = logging.getLogger(__name__)

CANNOT_JUDGE = (
    "Some failed messages of type %s stay as they are, as what is stored of one's order is not as "
    "this release stores it. Correct the document, then run reconcile_restore again."
)
REPLAYS_AT_ONCE = 500
JUDGED_AT_ONCE = 500
LOST_NUMBER = "number {told} was lost with the restore; the order's {kind} is {has}"
#: What billing's answers tell the numbers of, by field.
NUMBERED = {"invoiceNumber": "invoice", "creditNoteNumber": "credit note"}
#: The states of invoices, as billing's events tell them.
TOLD_AS = {"issued": "invoiced", "credited": "credited", "void": "credited"}


class Verdicts(NamedTuple):
    """What is to become of failed messages; the others stay with the operator."""

    #: Their record is there again and says the same: they are replayed.
    true: list[Answer]
    #: Their number is lost, and their order has another one; each with both. They are discarded,
    #: believed or not: that is recorded, and no other part of them says anything new.
    renumbered: list[tuple[Answer, str]]
    #: The record, or a later answer, says otherwise, and answers are believed; each with what says
    #: so. They are discarded.
    refuted: list[tuple[Answer, str]]


def settle_answers(found: Findings, by: str, reason: str) -> list[str]:
    """Replay and discard what is to be by now, after everything else was settled.

    Returns: what was left, and why.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
        PublishError: RabbitMQ did not confirm.
    """
    verdicts = judge(found)
    acts: list[Verdict] = []
    for some in in_batches(verdicts.true, REPLAYS_AT_ONCE):
        acts += replay([each.id for each in some], by, reason, approved=True)
    for each, why in (*verdicts.renumbered, *verdicts.refuted):
        acts += discard([each.id], by, f"{reason}: {why}", approved=True)
    return [f"failed message {each.id}: {each.detail}" for each in acts if not each.done]


def judge(found: Findings) -> Verdicts:
    """What is to become of the failed messages whose orders are there; nothing is changed.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    verdicts = Verdicts([], [], [])
    told = [*(each for each in found.answers.all() if each.kind), *found.answers.otherwise]
    for some in in_batches(told, JUDGED_AT_ONCE):
        for each, problem, renumbered in judged(of_orders_there(some)):
            if renumbered:
                verdicts.renumbered.append((each, renumbered))
            elif not problem:
                verdicts.true.append(each)
            elif found.believes and each.kind is not Kind.OTHERWISE:
                verdicts.refuted.append((each, problem))
    return verdicts


def of_orders_there(told: list[Answer]) -> list[Answer]:
    known = there(each.order_id for each in told)
    return [each for each in told if each.order_id in known]


def judged(told: list[Answer]) -> Iterator[tuple[Answer, str, str]]:
    """Each answer of which it is known whether it is true, with what says otherwise, and with the
    numbers where that is only because its own are lost.
    """
    by_type: dict[str, list[Answer]] = defaultdict(list)
    for each in told:
        by_type[each.type].append(each)
    for type_, some in by_type.items():
        with isolated(logger, CANNOT_JUDGE, type_):
            yield from judged_of(type_, some)


def judged_of(type_: str, told: list[Answer]) -> list[tuple[Answer, str, str]]:
    """The same of answers of one type."""
    stored = recorded(type_, [each.order_id for each in told])
    states = states_of(told[0].about, [each.order_id for each in told])
    numbers = {number for each in told for number in (each.number, each.credit_note) if number}
    lost = lost_numbers.lost(numbers) if numbers else set()
    found = []
    for each in told:
        if record := stored.get(each.order_id):
            problem = contradiction(type_, each.body, record)
            renumbered = other_numbers(each, record, lost) if problem else ""
            found.append((each, str(problem) if problem else "", renumbered))
        elif why := superseded(each, states.get(each.order_id)):
            found.append((each, why, ""))
    return found


def other_numbers(answer: Answer, record: Body, lost: set[str]) -> str:
    """The lost numbers that it tells and those that the order has in their place.

    Empty where it says anything else otherwise, or has a number that is not lost.
    """
    told = {"invoiceNumber": answer.number, "creditNoteNumber": answer.credit_note}
    of_record = {name: record[name] for name in NUMBERED if name in record}
    others = {name: has for name, has in of_record.items() if answer.body.get(name) != has}
    as_recorded = contradiction(answer.type, {**answer.body, **others}, record) is None
    if not as_recorded or any(told[name] not in lost for name in others):
        return ""
    return "; ".join(
        LOST_NUMBER.format(told=told[name], kind=NUMBERED[name], has=has or "none")
        for name, has in others.items()
    )


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
