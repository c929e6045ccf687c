"""Requests that came with a key, and their first answers."""

from __future__ import annotations

from django.db import models
from pymongo import IndexModel


class KeyedRequest(models.Model):
    """One request; without a status it is not answered yet."""

    #: The client and its key: `user:…:k1`.
    key = models.CharField(primary_key=True, db_column="_id", max_length=600)
    #: Of what was asked: method, address and body.
    fingerprint = models.CharField(max_length=64)
    claimed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    status = models.IntegerField(null=True)
    #: The header fields of the answer, as JSON.
    head = models.TextField(null=True)
    body = models.TextField(null=True)

    class Meta:
        db_table = "keyed_requests"

    def __str__(self) -> str:
        return self.key


def expiry() -> IndexModel:
    """The index by which MongoDB deletes what has expired."""
    return IndexModel([("expires_at", 1)], name="keyed_requests_expiry", expireAfterSeconds=0)
