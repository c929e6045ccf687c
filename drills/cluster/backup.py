"""A copy of the site's database as it was at one moment, and its way back.

Where `mongodump --oplog` is installed it does the same; a drill needs nothing but PyMongo.
https://www.mongodb.com/docs/manual/reference/read-concern-snapshot/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bson import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import WriteConcern

from drills.cluster.site import Site

INSERTED_AT_ONCE = 1_000
RAW = CodecOptions(document_class=RawBSONDocument)


@dataclass(frozen=True, slots=True)
class Backup:
    """Every document, by collection."""

    documents: dict[str, list[RawBSONDocument]]

    def order_ids(self) -> set[str]:
        return {str(each["_id"]) for each in self.documents["orders"]}


def take(site: Site) -> Backup:
    """Copy everything while the pipeline goes on."""
    database = site.database
    names = sorted(database.list_collection_names())
    with database.client.start_session(snapshot=True) as moment:
        documents: Any = {
            name: list(database.get_collection(name, RAW).find({}, session=moment))
            for name in names
        }
        return Backup(documents)


def restore(site: Site, backup: Backup) -> None:
    """Make the database what it was; its indexes stay."""
    for name in {*site.database.list_collection_names(), *backup.documents}:
        collection = site.database.get_collection(name, RAW, write_concern=WriteConcern("majority"))
        collection.delete_many({})
        documents = backup.documents.get(name, [])
        for start in range(0, len(documents), INSERTED_AT_ONCE):
            collection.insert_many(documents[start : start + INSERTED_AT_ONCE])
