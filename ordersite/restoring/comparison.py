"""Compares an order's ledger, and the answers that are believed, with what services recorded."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from billing import lost_numbers
from messaging.isolation import isolated
from messaging.noted_events import notes
from messaging.service import PENDING, On, Service, answering, awaited_of
from orders.owed import key
from ordersite.restoring.answers import Answer
from ordersite.restoring.findings import Document, Findings
from ordersite.restoring.outcome import Outcome, add, outcome

logger = logging.getLogger(__name__)

#: Whose records are compared.
COMPARED = {"inventory", "billing"}
CANNOT_COMPARE = (
    "Order %s is not compared, as its document or a service's record of it is not as this release "
    "stores one; the others are. Correct the document, then run reconcile_restore again."
)


def compare(
    found: Findings,
    order: Document,
    reservation: Document | None,
    invoice: Document | None,
    held_up: set[str],
) -> None:
    """Add to the findings what is to be settled of this order.

    `held_up` are the services for which an operator has a failed message of it: these hear of it
    by that message, and not from here.
    """
    order_id = str(order["_id"])
    with isolated(logger, CANNOT_COMPARE, order_id):
        told = outcome(order, found.believed(order_id))
        told.reason = told.reason or (invoice or {}).get("credit_reason")
        add_named_invoice(found, told, order_id)
        compare_stock(found, order, reservation, told, "inventory" in held_up)
        is_held = "billing" in held_up or waits_for_its_number(found, told, order_id)
        compare_invoice(found, order, reservation, invoice, told, is_held)


def add_named_invoice(found: Findings, told: Outcome, order_id: str) -> None:
    """A number that the series has given out is the order's, also by an answer that is not
    believed: the work is done again, and its customer may have this invoice.
    """
    for answer in unproven_invoices(found, order_id):
        if told.number is None and answer.number and found.is_named(answer.number):
            add(told, answer)


def waits_for_its_number(found: Findings, told: Outcome, order_id: str) -> bool:
    """Whether an answer that is not believed has a number that nobody knows to be given out.

    With another number the order would have two invoices.
    """
    return told.number is None and any(each.numbers for each in unproven_invoices(found, order_id))


def unproven_invoices(found: Findings, order_id: str) -> list[Answer]:
    return [each for each in found.answers.of(order_id) if each.type == "billing.invoiced"]


def compare_stock(
    found: Findings, order: Document, reservation: Document | None, told: Outcome, is_held: bool
) -> None:
    noted, state = order["ledger"]["inventory"]["state"], reservation and reservation["state"]
    if order["status"] == "cancelled":
        if state not in ("released", "shipped") or noted not in ("released", "shipped"):
            send(found, "inventory", order, "order.cancelled", is_held)
    elif told.is_cancelled or "released" in (state, told.inventory):
        take_back(found, order, told.reason)
    elif told.inventory == "rejected" and state in (None, "reserved"):
        found.unrejected.append((order, told))
    elif told.inventory == "shipped" and state == "reserved":
        found.unshipped.append(order)
    elif told.inventory == "shipped" and state == "rejected":
        found.unreserved.append(order)
    elif state is None or noted != state:
        send(found, "inventory", order, "order.placed", is_held)


def compare_invoice(
    found: Findings,
    order: Document,
    reservation: Document | None,
    invoice: Document | None,
    told: Outcome,
    is_held: bool,
) -> None:
    noted, status = order["ledger"]["billing"]["state"], order["status"]
    state = invoice and invoice["state"]
    is_lost = state is None and is_number(told.number)
    if is_lost:
        found.uninvoiced.append((order, told))
        found.known_numbers |= {each for each in (told.number, told.credit_note) if each}
    if status in ("cancelled", "rejected"):
        if state not in ("credited", "void") or noted != "credited":
            send(found, "billing", order, f"order.{status}", is_held)
    elif "credited" in (state, told.billing) or state == "void":
        # A rejection that was not heard of yet takes it back, too.
        is_rejected = told.inventory == "rejected"
        if not is_rejected and (reservation is None or reservation["state"] == "reserved"):
            take_back(found, order, told.reason)
    elif (state is None and not is_lost) or noted == PENDING:
        send(found, "billing", order, "order.placed", is_held)


def compare_others(found: Findings, some: list[Document], held_up: Mapping[str, set[str]]) -> None:
    """Whatever another service owes these orders, it has to hear of."""
    for service in answering():
        if service.name not in COMPARED:
            for on in awaited_of(service):
                for order in owing(service, on, some):
                    is_held = service.name in held_up.get(str(order["_id"]), ())
                    send(found, service.name, order, on.type, is_held)


def owing(service: Service, on: On, some: list[Document]) -> list[Document]:
    """Those of the orders that await this of the service.

    What it notes and does not answer may be noted already: only the scheduler tells the orders.
    """
    awaited = key(service.name, on.type)
    waiting = [order for order in some if awaited in (order.get("awaited") or ())]
    if on.leads_to or not waiting:
        return waiting
    noted = notes(service).noted(on.type, [str(order["_id"]) for order in waiting])
    return [order for order in waiting if str(order["_id"]) not in noted]


def send(found: Findings, service: str, order: Document, type_: str, is_held: bool) -> None:
    if not is_held:
        found.unheard.append((service, order, type_))


def take_back(found: Findings, order: Document, reason: str | None) -> None:
    if all(each["_id"] != order["_id"] for each, _ in found.taken_back[-1:]):
        found.taken_back.append((order, reason))


def is_number(number: str | None) -> bool:
    """Whether it is one of an invoice; a ledger of another program may have anything."""
    try:
        lost_numbers.invoice_number(number or "")
    except ValueError:
        return False
    return True
