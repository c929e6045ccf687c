"""What is kept of a person here: faults that were planted for their orders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from pymongo.collection import Collection

from ordersite.simulated_faults.models import SimulatedFault
from runtime.admin_history import forget_names
from runtime.personal_data import Erased, Holding, Person, hold


def export(user_id: int) -> Iterator[dict[str, Any]]:
    yield from _faults().find({"user_id": user_id})


def erase(person: Person) -> Erased:
    """Remove them; their orders are handled like all others."""
    theirs = {"user_id": person.user_id}
    forget_names(SimulatedFault, [str(each["_id"]) for each in _faults().find(theirs, {})])
    return Erased(erased=_faults().delete_many(theirs).deleted_count)


def _faults() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database[SimulatedFault._meta.db_table]
    return collection


hold(Holding("simulated faults", "Faults that were planted for their orders", export, erase))
