"""Pages of a list in the admin whose length is known without counting."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db import connection
from django.utils.functional import cached_property

#: More than these many documents are not counted one by one.
COUNTED = 10_000


class CollectionPaginator(Paginator):
    """Counts what is filtered from its index, and very many from the collection's metadata.

    Which is quick, and wrong after MongoDB was killed; too few would hide the last pages.
    https://www.mongodb.com/docs/manual/reference/method/db.collection.estimatedDocumentCount/
    """

    @cached_property
    def count(self) -> int:
        if self.object_list.query.where:
            return int(self.object_list.count())
        collection = connection.database[self.object_list.model._meta.db_table]
        counted = collection.count_documents({}, limit=COUNTED, hint="_id_")
        if counted < COUNTED:
            return counted
        return max(counted, collection.estimated_document_count())
