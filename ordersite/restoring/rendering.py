"""The report of what was found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ordersite.restoring.findings import Findings

NAMED = 20

PLANS = {
    "lost": "lost order(s) with an invoice: restored, and their services answer again",
    "uninvoiced": "lost invoice(s) that a ledger or message has: issued again with the same number",
    "numbers": "series of numbers: no number up to this one is issued; each lost one is recorded",
    "taken_back": "order(s) that were cancelled after the backup: cancelled again",
    "unrejected": "order(s) that were rejected after the backup: recorded in their reservations",
    "unshipped": "order(s) that were shipped after the backup: recorded as shipped",
    "reserved_only": "reservation(s) whose order is lost: their stock is released",
    "unheard": "event(s) that a service never got, or never answered: sent to it again",
}
LEFT = {
    "told": "order(s) in failed messages only, which cannot be restored: inform their users",
    "external": "record(s) of external publishers' orders, or with nothing owed: left as they are",
}


def as_json(found: Findings, left: list[str], is_applied: bool) -> dict[str, Any]:
    """Names of orders and numbers, under each finding."""
    names = {name: list(_names(found, name)) for name in (*PLANS, *LEFT)}
    return {"applied": is_applied, "left": left, **names}


def as_text(found: Findings, left: list[str], is_applied: bool) -> str:
    """`Settled: 3 …`, with the first of each."""
    lines = []
    for name, words in {**PLANS, **LEFT}.items():
        names = list(_names(found, name))
        if names:
            state = "Left" if name in LEFT else "Settled" if is_applied else "To settle"
            lines += [f"{state}: {len(names)} {words}", *(f"  {each}" for each in names[:NAMED])]
            lines += [f"  … {len(names) - NAMED} more"] if len(names) > NAMED else []
    lines += [f"Left: {each}" for each in left]
    if not found.count:
        lines.append("MongoDB and RabbitMQ agree: there is nothing to do.")
    elif not is_applied:
        lines.append("Nothing was changed. To do this, run it with --apply.")
    return "\n".join(lines)


def _names(found: Findings, name: str) -> Iterator[str]:
    for each in getattr(found, name):
        match name:
            case "lost" | "reserved_only" | "taken_back" | "unrejected" | "unshipped":
                yield str(each["_id"])
            case "uninvoiced":
                yield f"{each[0]['_id']} {each[1]}"
            case "unheard":
                yield f"{each[1]['_id']} {each[2]} to {each[0]}"
            case "told":
                numbers = f", invoice {' '.join(each.numbers)}" if each.numbers else ""
                yield f"{each.order_id} of user {each.user_id}{numbers}"
            case _:
                yield str(each)
