"""The indexes that models and migrations declare, and those that MongoDB has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import bson
from django.apps import apps
from django.db import connection
from pymongo import IndexModel

from messaging.handling import retry_notes
from orders import unanswered
from ordersite.keyed_requests import models
from ordersite.patches import django_mongodb_backend


class DeclaredIndex(NamedTuple):
    collection: str
    model: IndexModel

    @property
    def name(self) -> str:
        return str(self.model.document["name"])


#: What no model can express, so that a migration makes it.
OF_MIGRATIONS = (
    DeclaredIndex("orders", unanswered.index()),
    DeclaredIndex("orders", unanswered.index_of_earlier_release()),
    DeclaredIndex("keyed_requests", models.expiry()),
    DeclaredIndex(retry_notes.COLLECTION, retry_notes.index()),
)


def of_services() -> list[DeclaredIndex]:
    """What the declarations of services ask for; `migrate` makes it each time."""
    return [DeclaredIndex("orders", each) for each in unanswered.indexes_of_services()]


def declared() -> list[DeclaredIndex]:
    """Every index that a migrated database has, beside those of `_id`."""
    migrated = [each for each in apps.get_models() if each._meta.can_migrate(connection)]
    of_models = django_mongodb_backend.indexes_of(migrated)
    return [*(DeclaredIndex(*each) for each in of_models), *OF_MIGRATIONS, *of_services()]


def missing() -> list[DeclaredIndex]:
    """Those that MongoDB lacks, or has otherwise: other columns, not unique, another condition."""
    wanted = declared()
    there = {name: set(_existing(name)) for name in {index.collection for index in wanted}}
    return [
        index for index in wanted if _meaning(index.model.document) not in there[index.collection]
    ]


def create(index: DeclaredIndex) -> None:
    """Raises pymongo.errors.OperationFailure: it cannot be made of what the collection holds."""
    connection.database[index.collection].create_indexes([index.model])


def _existing(collection: str) -> Iterator[bytes]:
    for index in connection.database[collection].list_indexes():
        yield _meaning(index)


def _meaning(index: Any) -> bytes:
    """What makes two indexes the same; as BSON, in which MongoDB keeps it."""
    return bson.encode(
        {
            "key": dict(index["key"]),
            "unique": bool(index.get("unique")),
            "condition": index.get("partialFilterExpression", {}),
        }
    )
