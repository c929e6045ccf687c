"""What must be true of every order, whatever was broken.

> Every order answered with 201 has exactly one invoice and one reservation (or a recorded
> rejection, with the invoice credited), or a failed message with a reason for each service that
> has neither. Stock is never negative; available + reserved + shipped is what was put in, for
> each SKU. Every answer that was not 201 left nothing, or the same order under the same
> idempotency key. Queues drain; nothing stays unacked. The conservation line agrees.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import chain

from drills.checks.answers import answers
from drills.checks.evidence import Evidence, lines
from drills.cluster.pipeline import SERVICES
from drills.cluster.replica_set import Document
from drills.violation import Kind, Violation

#: Where each service records what it did for an order.
RECORDS = {"inventory": "reservations", "billing": "invoices"}

#: What there is to know of a queue.
COUNTS = ("messages_ready", "messages_unacknowledged", "messages")

#: Why a message is given up whose publisher's record was lost.
OF_LOST_RECORDS = {"contradicts_record", "untrusted_publisher"}

#: The invoice of an order that came to nothing: taken back, or never issued.
TAKEN_BACK = {"credited", "void"}
#: Which numbers an invoice has, in which states.
NUMBERS = {"number": {"issued", "credited"}, "credit_note_number": {"credited"}}


def violations(evidence: Evidence) -> list[Violation]:
    """Everything that is wrong; nothing where the promises were kept."""
    checks = (
        orders,
        external_publishers,
        twice,
        orphans,
        dead_lettered,
        contradictions,
        numbers,
        stock,
        answers,
        queues,
        conservation,
    )
    return list(chain.from_iterable(check(evidence) for check in checks))


def orders(evidence: Evidence) -> Iterator[Violation]:
    """Every order is there, has an outcome of each service, and nothing of it waits."""
    stored = {str(order["_id"]): order for order in evidence.orders}
    explained = explained_by_failure(evidence)
    done = {
        service: {document["_id"] for document in getattr(evidence, records)}
        for service, records in RECORDS.items()
    }
    gone = evidence.lacking.keys() - stored.keys()
    for order_id in sorted(evidence.order_ids - gone):
        if order_id not in stored:
            yield Violation(Kind.LOST, f"{order_id} was answered, and MongoDB has it not")
        elif order_id not in evidence.shown:
            yield Violation(Kind.LOST, f"{order_id} is not listed over HTTP")
        for service in RECORDS:
            if order_id not in done[service] and (service, order_id) not in explained:
                yield Violation(
                    Kind.LOST, f"{service} did nothing for {order_id}, and no failed message tells"
                )
        if stored.get(order_id, {}).get("pending_events"):
            yield Violation(Kind.LOST, f"{order_id} has events in the outbox")


def explained_by_failure(evidence: Evidence) -> set[tuple[str, str]]:
    """(service, order id) of every failed message that says why; a resolved one excuses nothing."""
    return {
        (failed["service"], failed["order_id"])
        for failed in evidence.failed_messages
        if failed.get("reason") and failed["status"] != "resolved"
    }


def external_publishers(evidence: Evidence) -> Iterator[Violation]:
    """Every message that nobody can handle is a failed message of each service, with a reason."""
    told = {
        (failed["service"], failed["message_id"])
        for failed in evidence.failed_messages
        if failed.get("reason")
    }
    for message_id in evidence.bad_messages:
        for service in RECORDS:
            if (service, message_id) not in told:
                yield Violation(Kind.LOST, f"{service} has no failed message {message_id}")


def twice(evidence: Evidence) -> Iterator[Violation]:
    """Each effect is there once at most, and each intended order, too."""
    for records in RECORDS.values():
        counted = Counter(document["_id"] for document in getattr(evidence, records))
        for order_id, count in counted.items():
            if count > 1:
                yield Violation(Kind.TWICE, f"{order_id} has {count} {records}")
    counted = Counter(order["user_id"] for order in evidence.orders)
    # With a lost order its idempotency key is gone.
    for user_id, count in counted.items():
        if count > 1 and user_id not in evidence.lacking.values():
            yield Violation(Kind.TWICE, f"user {user_id} wanted one order and has {count}")
    letters = Counter(
        (failed["service"], failed["message_id"]) for failed in evidence.failed_messages
    )
    for (service, message_id), count in letters.items():
        if count > 1:
            yield Violation(Kind.TWICE, f"{service} has {count} failed messages {message_id}")


def orphans(evidence: Evidence) -> Iterator[Violation]:
    """Nothing was done that nobody ordered."""
    wanted = evidence.order_ids | evidence.lacking.keys()
    served = {order["user_id"] for order in evidence.orders}
    for records in RECORDS.values():
        for document in getattr(evidence, records):
            if document["_id"] not in wanted:
                user_id = document["user_id"]
                kind = Kind.TWICE if user_id in served else Kind.CONTRADICTION
                yield Violation(
                    kind,
                    f"{records} has {document['_id']} of user {user_id}, which is not an order",
                )


def dead_lettered(evidence: Evidence) -> Iterator[Violation]:
    """An outage is not failure: only what a drill made fail on purpose is a failed message."""
    for failed in evidence.failed_messages:
        is_planted = evidence.may_fail(failed["service"], failed["order_id"])
        is_of_restore = is_lacking(evidence, failed) or is_settled(evidence, failed)
        if is_of_restore or is_planted or failed["message_id"] in evidence.bad_messages:
            continue
        told = f"{failed.get('reason')}, attempts: {failed.get('attempts')}"
        yield Violation(
            Kind.DEAD_LETTERED, f"{failed['service']} gave up {failed['message_id']} ({told})"
        )


def is_lacking(evidence: Evidence, failed: Document) -> bool:
    """The orders service has not heard of an order that its backup lacked, and says so."""
    return failed["service"] == "orders" and failed["order_id"] in evidence.lacking


def is_settled(evidence: Evidence, failed: Document) -> bool:
    """It waited for a service, what it tells was lost with the database, and the command has
    replayed or discarded it.
    """
    is_of_lost_record = bool(evidence.lacking) and failed.get("reason") in OF_LOST_RECORDS
    return is_of_lost_record and failed.get("status") in {"resolved", "discarded"}


def contradictions(evidence: Evidence) -> Iterator[Violation]:
    """What the services recorded for an order fits together, and the order's status says it."""
    reservations = {document["_id"]: document for document in evidence.reservations}
    invoices = {document["_id"]: document for document in evidence.invoices}
    explained = explained_by_failure(evidence)
    for order in evidence.orders:
        order_id = str(order["_id"])
        if any(
            evidence.may_fail(service, order_id) and (service, order_id) in explained
            for service in RECORDS
        ):
            continue
        reservation, invoice = reservations.get(order_id), invoices.get(order_id)
        if reservation is None or invoice is None:
            continue
        expected = expected_states(order["status"])
        states = (reservation["state"], invoice["state"])
        if not (states[0] in expected[0] and states[1] in expected[1]):
            yield Violation(
                Kind.CONTRADICTION, f"{order_id} is {order['status']}, but {' and '.join(states)}"
            )
        yield from other_content(order_id, order, reservation, invoice)


def expected_states(status: str) -> tuple[set[str], set[str]]:
    """The states of the reservation and of the invoice that an order's status stands for."""
    return {
        "confirmed": ({"reserved", "shipped"}, {"issued"}),
        "shipped": ({"shipped"}, {"issued"}),
        "rejected": ({"rejected"}, TAKEN_BACK),
        # One that is cancelled before anyone heard of it was never reserved.
        "cancelled": ({"released", "rejected"}, TAKEN_BACK),
    }.get(status, (set(), set()))


def other_content(
    order_id: str, order: Document, reservation: Document, invoice: Document
) -> Iterator[Violation]:
    """Both are about what was ordered."""
    ordered = lines(order)
    if invoice["state"] != "void" and (
        lines(invoice) != ordered or invoice["total"] != order["total"]
    ):
        yield Violation(Kind.CONTRADICTION, f"the invoice of {order_id} is about something else")
    if reservation["state"] in ("reserved", "shipped") and lines(reservation) != ordered:
        yield Violation(Kind.CONTRADICTION, f"other units are reserved for {order_id}")
    told = order["ledger"]["inventory"]["state"]
    if reservation["state"] == "shipped" and told != "shipped":
        yield Violation(Kind.CONTRADICTION, f"{order_id} is shipped, and its ledger says {told}")
    for number, states in NUMBERS.items():
        if invoice["state"] in states and not invoice.get(number):
            yield Violation(Kind.LOST, f"the invoice of {order_id} has no {number}")


def numbers(evidence: Evidence) -> Iterator[Violation]:
    """No number was given out twice, and none is missing."""
    series: dict[str, list[int]] = defaultdict(list)
    for number in evidence.numbers:
        name, _, digits = number.rpartition("-")
        series[name].append(int(digits))
    for name, given_out in series.items():
        for count, times in Counter(given_out).items():
            if times > 1:
                yield Violation(Kind.TWICE, f"number {name}-{count} was given out {times} times")
        missing = set(range(1, max(given_out) + 1)) - set(given_out)
        if missing:
            yield Violation(Kind.LOST, f"{name} lacks numbers, from {min(missing)} on")


def stock(evidence: Evidence) -> Iterator[Violation]:
    """Units are conserved, and where the reservations say that they are."""
    products = {product["sku"]: product for product in evidence.products}
    units: dict[str, Counter[str]] = {"reserved": Counter(), "shipped": Counter()}
    for reservation in evidence.reservations:
        if reservation["state"] in units:
            units[reservation["state"]].update(lines(reservation))
    for sku, put_in in evidence.put_in.items():
        if sku not in products:
            yield Violation(Kind.STOCK, f"{sku} is gone")
            continue
        product = products[sku]
        parts = [product[where] for where in ("available", "reserved", "shipped")]
        if min(parts) < 0:
            yield Violation(Kind.STOCK, f"{sku} is negative: {parts}")
        if sum(parts) != put_in:
            yield Violation(Kind.STOCK, f"{sku}: {parts} are not the {put_in} units put in")
        for state, of_orders in units.items():
            if product[state] != of_orders[sku]:
                # More than the orders' own units is an order's units, taken again.
                yield Violation(
                    Kind.TWICE if product[state] > of_orders[sku] else Kind.STOCK,
                    f"{sku}: {product[state]} units are {state}, {of_orders[sku]} for orders",
                )


def queues(evidence: Evidence) -> Iterator[Violation]:
    """Nothing waits and nothing stays unacked; nor is a dead letter on its way."""
    counted = {
        queue["name"] for queue in evidence.queues if all(count in queue for count in COUNTS)
    }
    for name in sorted({*SERVICES} - counted):
        yield Violation(Kind.QUEUE, f"nobody knows what waits in {name}")
    for queue in evidence.queues:
        found = {count: queue[count] for count in (*COUNTS, "messages_dlx") if queue.get(count)}
        if found:
            yield Violation(Kind.QUEUE, f"{queue['name']} is not empty: {found}")


def conservation(evidence: Evidence) -> Iterator[Violation]:
    """The pipeline's own account says the same; that of a service that came later adds up."""
    if not evidence.conservation.get("conserved"):
        yield Violation(Kind.CONSERVATION, f"not conserved: {evidence.conservation}")
    of_services = evidence.conservation.get("lines", [])
    if not RECORDS.keys() <= {line["service"] for line in of_services}:
        yield Violation(Kind.CONSERVATION, f"not an account of each service: {of_services}")
    for line in of_services:
        settled = line["done"] + line["failed"] + line["discarded"]
        accepted = evidence.accepted if line["service"] in RECORDS else line["accepted"]
        if not line["accepted"] == settled == accepted:
            yield Violation(Kind.CONSERVATION, f"{line['service']}: {accepted} orders, but {line}")
