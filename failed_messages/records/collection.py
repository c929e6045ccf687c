"""The collections themselves, for writes that have to be conditional and atomic."""

from __future__ import annotations

from typing import Any

from django.db import connection, models
from pymongo.collection import Collection

from failed_messages.models import (
    ActAlone,
    DiscardJob,
    FailedMessage,
    FailureCount,
    FailureGroup,
    PendingAct,
    ReplayJob,
    ReplayPolicy,
)
from runtime.stored_documents import AWARE


def failed_messages() -> Collection[dict[str, Any]]:
    return _collection(FailedMessage)


def failure_groups() -> Collection[dict[str, Any]]:
    return _collection(FailureGroup)


def failure_counts() -> Collection[dict[str, Any]]:
    return _collection(FailureCount)


def replay_jobs() -> Collection[dict[str, Any]]:
    return _collection(ReplayJob)


def discard_jobs() -> Collection[dict[str, Any]]:
    return _collection(DiscardJob)


def replay_policies() -> Collection[dict[str, Any]]:
    return _collection(ReplayPolicy)


def pending_acts() -> Collection[dict[str, Any]]:
    return _collection(PendingAct)


def acts_alone() -> Collection[dict[str, Any]]:
    return _collection(ActAlone)


def _collection(model: type[models.Model]) -> Collection[dict[str, Any]]:
    """The model's collection, with aware datetimes.

    Past Django's query log, which in development would keep thousands of bodies in memory.
    """
    return connection.database.get_collection(model._meta.db_table, codec_options=AWARE)
