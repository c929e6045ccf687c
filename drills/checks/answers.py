"""What clients were told over HTTP, beside what is stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from drills.checks.evidence import Evidence, lines
from drills.cluster.replica_set import Document
from drills.traffic.history import Exchange
from drills.violation import Kind, Violation


def answers(evidence: Evidence) -> Iterator[Violation]:
    """A refusal left nothing; repeats got the order that the first request placed."""
    stored: dict[int, dict[str, Document]] = defaultdict(dict)
    for order in evidence.orders:
        stored[order["user_id"]][str(order["_id"])] = order
    asked: dict[int, list[Exchange]] = defaultdict(list)
    for exchange in evidence.exchanges:
        asked[exchange.user_id].append(exchange)
    for user_id in asked.keys() - {*evidence.lacking.values()}:
        exchanges = asked[user_id]
        yield from answers_to(user_id, exchanges, stored[user_id])
    yield from others_orders(evidence)


def answers_to(
    user_id: int, exchanges: list[Exchange], stored: dict[str, Document]
) -> Iterator[Violation]:
    """One client's answers; each client wants one order."""
    told = {each.order_id for each in exchanges if each.order_id}
    if len(told) > 1:
        yield Violation(Kind.ANSWER, f"user {user_id} was told of {len(told)} orders: {told}")
    wanted = [asked_for(each.body) for each in exchanges if each.kind == "order"]
    for order_id, order in stored.items():
        if wanted and lines(order) != wanted[0]:
            yield Violation(Kind.ANSWER, f"{order_id} is not what user {user_id} asked for")
    placing = [each for each in exchanges if each.kind in ("order", "invalid")]
    is_refused = all(each.status is not None and 400 <= each.status < 500 for each in placing)
    if placing and is_refused and stored:
        yield Violation(Kind.ANSWER, f"user {user_id} was refused, and has an order")
    for each in exchanges:
        yield from wrong_answer(each)


def others_orders(evidence: Evidence) -> Iterator[Violation]:
    """Nobody is told of an order that is stored as another client's."""
    users = {str(order["_id"]): order["user_id"] for order in evidence.orders}
    for each in evidence.exchanges:
        if each.order_id and users.get(each.order_id, each.user_id) != each.user_id:
            yield Violation(
                Kind.ANSWER, f"user {each.user_id} was told of {each.order_id}, which is not theirs"
            )


def asked_for(body: Document) -> dict[str, int]:
    """Units by SKU; a SKU alone is one unit of it."""
    units: Counter[str] = Counter()
    for item in body["items"]:
        units.update({item: 1} if isinstance(item, str) else {item["sku"]: item["quantity"]})
    return dict(units)


def wrong_answer(exchange: Exchange) -> Iterator[Violation]:
    """An answer that such a request must not have; silence and 503 it may."""
    status = exchange.status
    if status is None or status == 503:
        return
    expected = {"order": 201, "again": 201, "other": 422, "cancel": 200}.get(exchange.kind)
    is_right = 400 <= status < 500 if exchange.kind == "invalid" else status == expected
    if not is_right:
        what = f"{exchange.kind} of user {exchange.user_id} was answered {status}"
        yield Violation(Kind.ANSWER, f"{what}: {exchange.answer}")
