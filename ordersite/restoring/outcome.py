"""What happened to an order: by its ledger, and by the answers that are believed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.service import PENDING, services
from orders import events_again
from ordersite.restoring.answers import Answer


@dataclass(slots=True)
class Outcome:
    """The latest state in each service, and what the printed documents have."""

    inventory: str
    billing: str
    #: Of the invoice; None where nothing tells it.
    number: str | None = None
    #: Of the credit note; a ledger has none.
    credit_note: str | None = None
    #: When each was issued, as far as it is told.
    invoiced_at: datetime | None = None
    credited_at: datetime | None = None
    #: An answer tells that it was cancelled, and why.
    is_cancelled: bool = False
    reason: str | None = None
    #: What inventory lacked, as it told.
    shortages: tuple[dict[str, Any], ...] = ()


def outcome(order: dict[str, Any], believed: Iterable[Answer]) -> Outcome:
    """Of an order that is there."""
    stock, bill = order["ledger"]["inventory"], order["ledger"]["billing"]
    found = Outcome(stock["state"], bill["state"])
    if bill["state"] != PENDING:
        found.number = bill["detail"]
    found.invoiced_at = noted_at(order, "invoiced")
    found.credited_at = noted_at(order, "credited")
    if order.get("shipped_at"):
        found.inventory = "shipped"
    for answer in believed:
        add(found, answer)
    return found


def noted_at(order: dict[str, Any], state: str) -> datetime | None:
    """When the order noted this of billing; None where it has not."""
    bill, noted = order["ledger"]["billing"], None
    # An earlier release kept no steps.
    with suppress(KeyError, TypeError):
        noted = events_again.noted_at(order, f"billing.{state}")
    noted = noted or (bill.get("at") if bill["state"] == state else None)
    return noted if isinstance(noted, datetime) else None


def add(found: Outcome, answer: Answer) -> None:
    """Let the outcome be what this answer says, where it is later than what is known."""
    match answer.about:
        case "inventory":
            found.inventory = later("inventory", found.inventory, answer.state)
            if answer.state == "rejected":
                found.shortages = shortages_in(answer.body)
        case "billing":
            found.billing = later("billing", found.billing, answer.state)
            found.number = found.number or answer.number
            found.credit_note = found.credit_note or answer.credit_note
            if answer.state == "invoiced":
                found.invoiced_at = found.invoiced_at or answer.at
            elif answer.state == "credited":
                found.credited_at = found.credited_at or answer.at
        case "order":
            add_event(found, answer)


def add_event(found: Outcome, answer: Answer) -> None:
    """An event of orders that its services have refused, as orders lost what it tells."""
    if answer.type == "order.cancelled":
        found.is_cancelled, found.reason = True, reason_in(answer)
    elif answer.type == "order.rejected":
        found.inventory = later("inventory", found.inventory, "rejected")


def reason_in(answer: Answer) -> str | None:
    """Why the order was cancelled; None where nobody said why."""
    reason = answer.body.get("reason")
    return reason if isinstance(reason, str) and reason else None


def later(service: str, one: str, other: str) -> str:
    """The one of two states that comes later in the service's sequence."""
    states = services()[service].states
    if other not in states:
        return one
    return max(one, other, key=states.index) if one in states else other


def shortages_in(body: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """[{sku, asked, available}] of an `inventory.rejected`; nothing of what is not as these are."""
    told = body.get("shortages")
    if not isinstance(told, list):
        return ()
    return tuple(
        {"sku": each["sku"], "asked": each["asked"], "available": each["available"]}
        for each in told
        if isinstance(each, dict)
        and isinstance(each.get("sku"), str)
        and all(type(each.get(name)) is int for name in ("asked", "available"))
    )
