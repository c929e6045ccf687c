"""What the others have to say before an order's goods leave.

Inventory imports no other app: the site hands it these functions at start-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pymongo.client_session import ClientSession


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an order should not be shipped yet."""

    cause: str
    #: What to do first.
    step: str
    #: Nothing failed; an answer is only not there yet. People are asked then, programs are not.
    is_only_late: bool = False


#: Why the order should not be shipped yet; None where it may be.
Ask = Callable[[str], Obstacle | None]
#: Notes, in the transaction of the shipment, that the order is shipped; False where it must not be,
#: as it was cancelled.
Note = Callable[[str, ClientSession], bool]
#: Audits, in the transaction of the shipment: the order, who ships it past an obstacle, and why.
Audit = Callable[[str, str, str, ClientSession], None]

_asked: list[Ask] = []
_notes: list[Note] = []
_audits: list[Audit] = []


def register(ask: Ask, note: Note, audit: Audit) -> None:
    """Let these be asked and told at each shipment, in place of those before."""
    _asked[:], _notes[:], _audits[:] = [ask], [note], [audit]


def obstacle(order_id: str) -> Obstacle | None:
    """The first reason not to ship the order yet; None where there is none."""
    return next((why for each in _asked if (why := each(order_id))), None)


def note(order_id: str, session: ClientSession) -> bool:
    """Whether everybody has noted that the order is shipped."""
    return all(each(order_id, session) for each in _notes)


def audit_anyway(order_id: str, by: str, why: str, session: ClientSession) -> None:
    """Tell that the order is shipped past an obstacle."""
    for each in _audits:
        each(order_id, by, why, session)
