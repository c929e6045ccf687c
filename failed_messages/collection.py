"""The collection itself, for writes that have to be conditional and atomic."""

from __future__ import annotations

from typing import Any

from bson.codec_options import CodecOptions
from django.db import connection
from pymongo.collection import Collection

from failed_messages.models import FailedMessage


def failed_messages() -> Collection[dict[str, Any]]:
    """The collection, with aware datetimes.

    Past Django's query log, which in development would keep thousands of bodies in memory.
    """
    return connection.database.get_collection(
        FailedMessage._meta.db_table, codec_options=CodecOptions(tz_aware=True)
    )
