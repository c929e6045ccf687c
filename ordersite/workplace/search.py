"""One search for everything: whatever an operator has in hand leads to its page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from msgspec import Struct

from billing.invoicing import invoices
from failed_messages.reading.filters import Filter, InvalidFilter
from failed_messages.records.collection import failed_messages, failure_groups
from inventory.reserving import products, reservations
from messaging.handling import retry_notes
from messaging.isolation import isolated
from messaging.order_id import canonical, object_id
from orders.collection import orders
from ordersite.overview.links import Link
from runtime.plural import counted
from runtime.requests.number import number_in

logger = logging.getLogger(__name__)

UNREADABLE = (
    "The search leaves out what its part %s finds of %r, as a document is not as this release "
    "stores one; what the other parts find is shown."
)

MAX_CHARACTERS = 300
#: Of each kind; what is more is behind the link to the list.
SHOWN = 10

ORDERS = "orders.view_order"
INVOICES = "billing.view_invoice"
STOCK = "inventory.view_product"
MESSAGES = "failed_messages.view_failedmessage"
REPLAY = "failed_messages.replay_failedmessage"


class Hit(Struct, frozen=True):
    #: What kind of thing it is.
    kind: str
    link: Link
    detail: str = ""


def found(term: str, may: Callable[[str], bool]) -> list[Hit]:
    """Everything that the term names, of what the user may see; the most exact first.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    term = term.strip()[:MAX_CHARACTERS]
    if not term:
        return []
    exact = [
        *(_readable(_order, term) if may(ORDERS) else ()),
        *(_readable(_invoices, term) if may(INVOICES) else ()),
        *(_readable(_stock, term) if may(STOCK) else ()),
        *(_readable(_messages, term) if may(MESSAGES) else ()),
    ]
    users = list(_user(term)) if may(ORDERS) else []
    if exact or users:
        return [*exact, *users]
    if may(ORDERS) and (orders_of_it := list(_readable(_order_of_message, term))):
        return orders_of_it
    may_see = may(REPLAY) or may(MESSAGES)
    retries = list(_readable(_retries, term, may(REPLAY))) if may_see else []
    return retries or (list(_readable(_words, term)) if may(MESSAGES) else [])


def search_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """One hit leads to its page at once; several are listed."""
    term = request.GET.get("q", "")
    hits = found(term, request.user.has_perm)
    if len(hits) == 1:
        return HttpResponseRedirect(hits[0].link.url)
    context = {**context, "title": "Search", "term": term[:MAX_CHARACTERS], "hits": hits}
    return TemplateResponse(request, "ordersite/search.html", context)


def _readable(kind: Callable[..., Iterator[Hit]], term: str, *more: object) -> Iterator[Hit]:
    """Hits of a kind; where a document cannot be read, the other kinds are found."""
    with isolated(logger, UNREADABLE, kind.__name__.lstrip("_"), term):
        yield from kind(term, *more)


def _order(term: str) -> Iterator[Hit]:
    key = object_id(term)
    order = orders().find_one({"_id": key}, {"status": True}) if key else None
    if order:
        link = Link(str(order["_id"]), "admin:orders_order_change", args=(str(order["_id"]),))
        yield Hit("order", link, order.get("status") or "")


def _order_of_message(term: str) -> Iterator[Hit]:
    """Of a message that did not fail: `billing.invoiced:<order id>`."""
    _, colon, order_id = term.rpartition(":")
    return _order(order_id) if colon else iter(())


def _retries(term: str, may_act: bool) -> Iterator[Hit]:
    """Of a foreign message; one about an order of ours is on the order's page.

    Who may not act on it is led to the list that has it.
    """
    notes = retry_notes.of_message(term, SHOWN)
    if not may_act:
        for service in dict.fromkeys(note["service"] for note in notes):
            yield Hit("waiting retry", _waiting_for(service), term)
        return
    for note in notes:
        args = (retry_notes.id_of(note), "retry-now")
        link = Link(note["message_id"], "admin:failed_messages_retry", args=args)
        yield Hit("waiting retry", link, f"{note['service']}, attempt {len(note['attempts']) + 1}")


def _invoices(term: str) -> Iterator[Hit]:
    """By number; a foreign order's by its order's id."""
    wanted = [{"number": term}, {"credit_note_number": term}]
    if object_id(term) is None:
        wanted.append({"_id": term})
    for invoice in invoices().find({"$or": wanted}).limit(SHOWN):
        kind = "credit note" if invoice.get("credit_note_number") == term else "invoice"
        link = Link(
            invoice.get("number") or term, "admin:billing_invoice_change", args=(invoice["_id"],)
        )
        yield Hit(kind, link, f"{invoice.get('state')}, order {invoice['_id']}")


def _stock(term: str) -> Iterator[Hit]:
    for product in products().find({"sku": term}, {"sku": True, "name": True}).limit(1):
        id_ = str(product["_id"])
        link = Link(product["sku"], "admin:inventory_product_change", args=(id_,))
        yield Hit("product", link, product.get("name") or "")
    if object_id(term) is None and reservations().find_one({"_id": canonical(term)}, {"_id": True}):
        link = Link(term, "admin:inventory_reservation_change", args=(term,))
        yield Hit("reservation", link)


def _messages(term: str) -> Iterator[Hit]:
    wanted = {"service": True, "status": True, "message_id": True}
    several: list[dict[str, Any]] = [{"message_id": term}]
    if key := object_id(term):
        several.append({"_id": key})
    for record in failed_messages().find({"$or": several}, wanted).limit(SHOWN):
        name, id_ = "admin:failed_messages_failedmessage_change", str(record["_id"])
        detail = f"{record['service']}, {record['status']}"
        yield Hit("failed message", Link(record["message_id"], name, args=(id_,)), detail)
    if group := failure_groups().find_one({"_id": term}):
        link = Link(term, "admin:failed_messages_failuregroup_change", args=(term,))
        yield Hit("failure group", link, f"{group['service']}: {group['pattern'][:100]}")


def _user(term: str) -> Iterator[Hit]:
    user_id = number_in(term)
    if user_id is not None and orders().find_one({"user_id": user_id}, {"_id": True}):
        link = Link(f"Orders of user {user_id}", "admin:orders_order_changelist", f"q={user_id}")
        yield Hit("user", link)


def _waiting_for(service: str) -> Link:
    label = f"those of {service}"
    return Link(label, "admin:failed_messages_retries", urlencode({"service": service}))


def _words(term: str) -> Iterator[Hit]:
    """Words of an error: of failed messages, and of those that are retried because of it."""
    try:
        matching = failed_messages().find_one(Filter.of({"q": term}).query(), {"_id": True})
    except InvalidFilter:
        return
    if matching:
        name, query = "admin:failed_messages_failedmessage_changelist", urlencode({"q": term})
        yield Hit("failed messages", Link(f"that say “{term}”", name, query))
    for service, count in retry_notes.that_say(term).items():
        said = f"{counted(count, 'error')} with “{term}”"
        yield Hit("waiting retries", _waiting_for(service), said)
