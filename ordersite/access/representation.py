"""How a key is shown; never with its secret, which is not stored."""

from __future__ import annotations

from collections.abc import Iterable

from messaging.readable_records import listed
from ordersite.access import models
from ordersite.access.answers import ApiKey
from runtime.moment import or_null
from runtime.requests.number import text_if_large


def keys_json(records: Iterable[models.ApiKey]) -> list[ApiKey]:
    return listed(records, key_json, lambda each: f"API key {each.pk}")


def key_json(record: models.ApiKey) -> ApiKey:
    shown: ApiKey = {
        "id": record.pk,
        "client": record.client,
        "name": record.name,
        "userId": record.user_id,
        "scopes": list(record.scopes),
        "requestsPerSecond": record.rate,
        "state": record.state,
        "createdAt": or_null(record.created_at),
        "createdBy": record.created_by,
        "expiresAt": or_null(record.expires_at),
        "revokedAt": or_null(record.revoked_at),
        "lastUsedAt": or_null(record.last_used_at),
    }
    if text := text_if_large(record.user_id):
        shown["userIdText"] = text
    return shown
