"""What the others have to say before an order's goods leave.

Inventory imports no other app: the site hands it these functions at start-up.
"""

from __future__ import annotations

from collections.abc import Callable

from pymongo.client_session import ClientSession

#: Why the order should not be shipped yet; empty where it may be.
Obstacle = Callable[[str], str]
#: Notes, in the transaction of the shipment, that the order is shipped; False where it must not be,
#: as it was cancelled.
Note = Callable[[str, ClientSession], bool]

_obstacles: list[Obstacle] = []
_notes: list[Note] = []


def register(obstacle: Obstacle, note: Note) -> None:
    """Let these be asked at each shipment, in place of those before."""
    _obstacles[:], _notes[:] = [obstacle], [note]


def obstacle(order_id: str) -> str:
    """The first reason not to ship the order yet; empty where there is none."""
    return next((why for each in _obstacles if (why := each(order_id))), "")


def note(order_id: str, session: ClientSession) -> bool:
    """Whether everybody has noted that the order is shipped."""
    return all(each(order_id, session) for each in _notes)
