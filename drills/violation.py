"""What a drill reports when a promise was broken."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    LOST = "lost"
    TWICE = "done twice"
    CONTRADICTION = "contradiction"
    STOCK = "stock"
    ANSWER = "answer"
    QUEUE = "queue"
    CONSERVATION = "conservation"
    RECOVERY = "recovery"
    DEAD_LETTERED = "dead-lettered"


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be."""

    kind: Kind
    what: str
