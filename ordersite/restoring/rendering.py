"""What the command prints of what was found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ordersite.restoring.answers import Answer
from ordersite.restoring.findings import Findings

NAMED = 20


class Words(NamedTuple):
    """What is said of one kind of finding."""

    what: str
    #: Why there are such.
    cause: str
    #: What `--apply` does about them or, where it does nothing, what a person is to do.
    next: str


PLANS = {
    "numbers": Words(
        "series whose numbers may be with customers already, each with the last one",
        "Invoices and credit notes were issued after the backup.",
        "No number up to this one is issued again; each that no document has is recorded as lost.",
    ),
    "whole": Words(
        "lost order(s) that a failed message has whole",
        "They were placed after the backup, and no service has worked on them since.",
        "Each is stored again from its message, with the numbers of its invoice and credit note if "
        "a message has them, and its services get its event.",
    ),
    "uninvoiced": Words(
        "lost invoice(s) whose number is known",
        "Billing issued them after the backup, and has told it.",
        "Each is issued again with its number, and credited again if billing has told that.",
    ),
    "lost": Words(
        "lost order(s) with an invoice",
        "They were placed after the backup; their messages waited, and billing has invoiced them.",
        "Each is stored again from its invoice, and its services answer again.",
    ),
    "taken_back": Words(
        "order(s) that were cancelled after the backup",
        "A service was told of it, and the order was not.",
        "Each is cancelled again: its stock is released and its invoice credited.",
    ),
    "unrejected": Words(
        "order(s) that were rejected after the backup",
        "Inventory has told it, and has no record of it.",
        "Each is recorded as rejected: it gets no stock, though there may be enough again.",
    ),
    "unreserved": Words(
        "order(s) that were shipped after the backup, and that inventory has rejected since",
        "The restored stock lacked their goods.",
        "Each gets its stock if that is there now, and the next run records it as shipped. Restock "
        "first what came in after the backup.",
    ),
    "unshipped": Words(
        "order(s) that were shipped after the backup",
        "Inventory has told it, and has no record of it.",
        "Each is recorded as shipped, and its units leave the stock.",
    ),
    "reserved_only": Words(
        "reservation(s) whose order is lost",
        "The order was placed after the backup, and nothing says what it costs.",
        "Their stock is released, when no message waits for billing. Inform these users.",
    ),
    "unreplayed": Words(
        "failed message(s) whose replay was lost",
        "They were being replayed, and RabbitMQ has neither them nor how they ended.",
        "Each is replayed again.",
    ),
    "true": Words(
        "failed message(s) whose record is there again",
        "Their service had no such record when they were refused.",
        "Each is replayed.",
    ),
    "renumbered": Words(
        "failed message(s) of billing with a number that is lost",
        "The order was invoiced again after the restore, with another number.",
        "Each is discarded, with both numbers in the reason. If a customer has the lost document, "
        "tell them which one counts.",
    ),
    "refuted": Words(
        "failed message(s) to which the record, or a later answer, says otherwise",
        "Something else has happened to the order since.",
        "Each is discarded.",
    ),
    "unheard": Words(
        "event(s) that a service never got, or never answered",
        "RabbitMQ has lost the event or its answer, or the database what the service did.",
        "Each is sent to its service again, and to no other.",
    ),
}
LEFT = {
    "unbelieved": Words(
        "failed message(s) that nothing in the database proves",
        "They tell what a service did after the backup. So might a forged message.",
        "Where they are right, as where the customer has the printed document, run it with "
        "--believe-answers. Discard those that are wrong.",
    ),
    "told": Words(
        "order(s) in failed messages only, none of which has the order whole",
        "They were placed after the backup.",
        "They cannot be restored: inform their users, then discard the messages.",
    ),
    "external": Words(
        "record(s) of external publishers' orders, or with nothing owed",
        "Their orders were never here.",
        "Nothing is to be done.",
    ),
}


def as_json(found: Findings, left: list[str], is_applied: bool) -> dict[str, Any]:
    """Names of orders and numbers, under each finding."""
    names = {name: list(_names(found, name)) for name in (*PLANS, *LEFT)}
    return {"applied": is_applied, "left": left, **names}


def as_text(found: Findings, left: list[str], is_applied: bool) -> str:
    """`Settled: 3 …` with its cause and what is done, and the first of each."""
    lines = []
    for name, words in {**PLANS, **LEFT}.items():
        names = list(_names(found, name))
        if names:
            state = "Left" if name in LEFT else "Settled" if is_applied else "To settle"
            lines += [f"{state}: {len(names)} {words.what}", f"  {words.cause} {words.next}"]
            lines += [f"    {each}" for each in names[:NAMED]]
            lines += [f"    … {len(names) - NAMED} more"] if len(names) > NAMED else []
    lines += [f"Left: {each}" for each in left]
    if not found.count and not found.unbelieved:
        lines.append("MongoDB and RabbitMQ agree: there is nothing to do.")
    elif found.count and not is_applied:
        lines.append("Nothing was changed. To do this, run it with --apply.")
    elif is_applied:
        lines.append("When the queues are empty, run it again: it finds what this has set going.")
    return "\n".join(lines)


def _names(found: Findings, name: str) -> Iterator[str]:
    for each in getattr(found, name):
        match name:
            case "lost" | "reserved_only" | "unshipped" | "unreserved":
                yield str(each["_id"])
            case "taken_back" | "unrejected":
                yield str(each[0]["_id"])
            case "whole":
                yield f"{each.order_id}{_of_invoice(each.number, each.credit_note)}"
            case "uninvoiced":
                yield f"{each[0]['_id']} {each[1].number}"
            case "unheard":
                yield f"{each[1]['_id']} {each[2]} to {each[0]}"
            case "unreplayed":
                yield f"{each['_id']} {each['type']} of order {each['order_id']}"
            case "unbelieved":
                yield f"{_told_by(each)}{_of_invoice(each.number)}"
            case "true":
                yield _told_by(each)
            case "renumbered" | "refuted":
                yield f"{_told_by(each[0])}: {each[1]}"
            case "told":
                yield f"{each.order_id} of user {each.user_id}{_of_invoice(*each.numbers)}"
            case _:
                yield str(each)


def _told_by(answer: Answer) -> str:
    return f"{answer.id} of {answer.service}: {answer.type} of order {answer.order_id}"


def _of_invoice(*numbers: str | None) -> str:
    known = [each for each in numbers if each]
    return f", invoice {' '.join(known)}" if known else ""
