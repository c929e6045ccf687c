"""Emptying the tests' MongoDB and RabbitMQ."""

from __future__ import annotations

import os
from typing import Any

from django.db import connection
from kombu import Connection
from pymongo.collection import Collection

#: What `migrate` fills, and no test changes.
KEPT_COLLECTIONS = {"django_migrations", "django_content_type", "auth_permission"}


def empty_everything() -> None:
    """Empty every collection and every queue.

    Processes that outlive a test begin with this: what a worker has taken before `clean` comes, it
    works on after it.
    """
    empty_collections()
    empty_queues()


def empty_collections() -> None:
    """Delete all documents and keep the indexes."""
    database = connection.database
    for name in set(database.list_collection_names()) - KEPT_COLLECTIONS:
        database[name].delete_many({})
        if database[name].estimated_document_count():
            correct_quick_count(database[name])


def correct_quick_count(collection: Collection[Any]) -> None:
    """Make MongoDB count anew what it counted wrongly since it was killed.

    `validate` does that, though not in an empty collection.
    https://www.mongodb.com/docs/manual/reference/method/db.collection.estimatedDocumentCount/
    """
    collection.insert_one({})
    collection.database.command("validate", collection.name)
    collection.delete_many({})


def empty_queues() -> None:
    """Purge every queue of the topology; what a consumer holds unacked stays with it."""
    from messaging import topology

    with Connection(os.environ["AMQP_URL"]) as broker, broker.channel() as channel:
        for queue in topology.queues():
            queue(channel).purge()
