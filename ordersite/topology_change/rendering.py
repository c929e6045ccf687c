"""A plan in plain words, and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ordersite.broker.shadow_queues import shadow_of
from ordersite.topology_change.plan import Plan, QueueMove


def as_text(plan: Plan) -> str:
    if plan.is_empty:
        return "RabbitMQ is as declared: nothing to do."
    return "\n".join([*_lines(plan), "", "To do this: python manage.py topology apply"])


def as_json(plan: Plan) -> dict[str, Any]:
    return {
        "nothingToDo": plan.is_empty,
        "interrupted": plan.is_interrupted,
        "missing": plan.missing,
        "moves": [
            {
                "queue": move.queue,
                "changed": [asdict(change) for change in move.changed],
                "messages": move.messages,
                "consumers": move.consumers,
                "isBegun": move.is_begun,
                "steps": steps(move),
            }
            for move in plan.moves
        ],
        "oldBindings": [
            {
                "source": each.source,
                "queue": each.queue,
                "routingKey": each.routing_key,
                "keptBecause": each.kept_because,
            }
            for each in plan.old_bindings
        ],
        "leftovers": [
            {"queue": each.queue, "messages": each.messages, "keptBecause": each.kept_because}
            for each in plan.leftovers
        ],
        "differingExchanges": plan.differing_exchanges,
    }


def _lines(plan: Plan) -> Iterator[str]:
    if plan.is_interrupted:
        yield "An earlier `topology apply` has not finished, or is running: it will be completed."
    for name in plan.missing:
        yield f"Declare the {name}."
    for move in plan.moves:
        yield from _move(move)
    for binding in plan.old_bindings:
        words = f"the binding of {binding.source} to {binding.queue}, which is not declared"
        yield _kept(words, binding.kept_because) or f"Remove {words}."
    for leftover in plan.leftovers:
        words = f"the queue {leftover.queue}, which is not declared any more"
        yield _kept(words, leftover.kept_because) or f"Delete {words}; it is empty."
    for name in plan.differing_exchanges:
        yield _kept(
            f"the exchange {name}, which differs", "external subscribers may have bound to it"
        )


def _kept(words: str, reason: str) -> str:
    return f"Leave {words}: {reason}." if reason else ""


def _move(move: QueueMove) -> Iterator[str]:
    verb = "Complete the move of" if move.is_begun else "Move"
    yield f"{verb} the queue {move.queue} ({move.messages} messages, {move.consumers} consumers):"
    for change in move.changed:
        yield f"  {change.argument}: {_value(change.old)} -> {_value(change.new)}"
    for number, step in enumerate(steps(move), 1):
        yield f"  {number}. {step}"


def _value(value: Any) -> str:
    return "none" if value is None else str(value)


def steps(move: QueueMove) -> list[str]:
    """What is done, in this order; what an earlier run has done is found done."""
    shadow = shadow_of(move.queue)
    aside = [
        f"Declare {shadow}, bind it where {move.queue} is bound, then unbind {move.queue}.",
        f"Move what {move.queue} holds to {shadow}, each message confirmed there before it is "
        "acked here, and wait until its consumers have finished what they hold.",
        f"Delete {move.queue}. Its consumers pause.",
    ]
    back = [
        f"Declare {move.queue} with the new arguments. Its consumers go on.",
        f"Move everything back, bind {move.queue} again, and delete {shadow}.",
    ]
    return [*aside, *back] if move.changed else back
