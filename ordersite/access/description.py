"""How a key is shown; never with its secret, which is not stored."""

from __future__ import annotations

from datetime import datetime

from ordersite.access import models
from ordersite.access.answers import ApiKey
from runtime.moment import for_programs
from runtime.requests.number import text_if_large


def key_json(record: models.ApiKey) -> ApiKey:
    shown: ApiKey = {
        "id": record.pk,
        "client": record.client,
        "name": record.name,
        "userId": record.user_id,
        "scopes": list(record.scopes),
        "requestsPerSecond": record.rate,
        "state": record.state,
        "createdAt": moment(record.created_at),
        "createdBy": record.created_by,
        "expiresAt": moment(record.expires_at),
        "revokedAt": moment(record.revoked_at),
        "lastUsedAt": moment(record.last_used_at),
    }
    if text := text_if_large(record.user_id):
        shown["userIdText"] = text
    return shown


def moment(value: datetime | None) -> str | None:
    return for_programs(value) if value else None
