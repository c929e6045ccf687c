"""How a key is shown; never with its secret, which is not stored."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

from messaging.isolation import isolated
from ordersite.access import models
from ordersite.access.answers import ApiKey
from runtime.moment import or_null
from runtime.requests.number import text_if_large

logger = logging.getLogger(__name__)

UNREADABLE = (
    "The document of the API key %s is not as this release stores one, so lists leave it out; the "
    "others are listed. Correct the document, or revoke the key."
)


def readable(records: Iterable[models.ApiKey]) -> list[models.ApiKey]:
    """Those that can be shown; one that another program wrote otherwise hides no other."""
    found = []
    for record in records:
        with isolated(logger, UNREADABLE, record.pk):
            json.dumps(key_json(record))
            found.append(record)
    return found


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
