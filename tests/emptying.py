"""Emptying the tests' MongoDB and RabbitMQ."""

from __future__ import annotations

import os
from typing import Any

from bson import ObjectId
from django.db import connection
from kombu import Connection
from pymongo.collection import Collection
from pymongo.database import Database

#: What `migrate` fills, and no test changes.
KEPT_COLLECTIONS = {"django_migrations", "django_content_type", "auth_permission"}

_seen_starts: set[ObjectId] = set()


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
    names = set(database.list_collection_names()) - KEPT_COLLECTIONS
    if is_another_start(database):
        for name in names:
            database.command("validate", name)
    for name in not_empty(database, sorted(names)):
        database[name].delete_many({})
        if database[name].estimated_document_count():
            correct_quick_count(database[name])


def not_empty(database: Database[Any], names: list[str]) -> set[str]:
    """The collections that have a document, or of which MongoDB says so; most tests use few.

    In one call.
    """
    unions: list[dict[str, Any]] = []
    for name in names:
        is_counted = [{"$collStats": {"count": {}}}, {"$match": {"count": {"$gt": 0}}}]
        for found in ([{"$limit": 1}], is_counted):
            pipeline = [*found, {"$project": {"_id": False, "name": {"$literal": name}}}]
            unions.append({"$unionWith": {"coll": name, "pipeline": pipeline}})
    nothing = {"$match": {"_id": {"$exists": False}}}
    return {each["name"] for each in database[names[0]].aggregate([nothing, *unions])}


def is_another_start(database: Database[Any]) -> bool:
    """Whether MongoDB was started since it was asked last.

    If it was killed before, it counts too few: then fewer than none once all are deleted, which it
    never shows, and what is stored next seems not to be there.
    """
    start = database.client.admin.command("hello")["topologyVersion"]["processId"]
    is_another = start not in _seen_starts
    _seen_starts.add(start)
    return is_another


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
            channel.queue_purge(queue.name, nowait=True)
        # RabbitMQ answers the last one when it has done all.
        queue(channel).purge()


def build_indexes_anew(collection: Collection[Any]) -> None:
    """An index in which there was an array once answers no query by itself again, for good.

    Tests of other programs' documents store arrays; this is for those that watch what is read.
    https://www.mongodb.com/docs/manual/core/indexes/index-types/index-multikey/
    """
    indexes = [each for each in collection.list_indexes() if each["name"] != "_id_"]
    collection.drop_indexes()
    collection.database.command("createIndexes", collection.name, indexes=indexes)
