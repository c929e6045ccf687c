"""The collections, their dates aware."""

from __future__ import annotations

from typing import Any

from django.db import connection
from pymongo.collection import Collection

from runtime.stored_documents import AWARE

Document = dict[str, Any]


def endpoints() -> Collection[Document]:
    return connection.database.get_collection("webhook_endpoints", codec_options=AWARE)


def deliveries() -> Collection[Document]:
    return connection.database.get_collection("webhook_deliveries", codec_options=AWARE)


def noted_orders() -> Collection[Document]:
    return connection.database.get_collection("webhook_noted_orders", codec_options=AWARE)
