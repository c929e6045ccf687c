"""How a key is shown; never with its secret, which is not stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ordersite.access.models import ApiKey
from runtime.requests.number import exact


def key_json(record: ApiKey) -> dict[str, Any]:
    return {
        "id": record.pk,
        "client": record.client,
        "name": record.name,
        **exact("userId", record.user_id),
        "scopes": list(record.scopes),
        "requestsPerSecond": record.rate,
        "state": record.state,
        "createdAt": moment(record.created_at),
        "createdBy": record.created_by,
        "expiresAt": moment(record.expires_at),
        "revokedAt": moment(record.revoked_at),
        "lastUsedAt": moment(record.last_used_at),
    }


def moment(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds") if value else None
