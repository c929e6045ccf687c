"""The collection of erasures, for conditional writes."""

from __future__ import annotations

from typing import Any

from django.db import connection
from pymongo.collection import Collection

from ordersite.personal_data.models import Erasure
from runtime.stored_documents import AWARE


def erasures() -> Collection[dict[str, Any]]:
    collection: Collection[dict[str, Any]] = connection.database.get_collection(
        Erasure._meta.db_table, codec_options=AWARE
    )
    return collection
