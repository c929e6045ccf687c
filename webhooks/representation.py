"""Endpoints and deliveries as they travel; never with a secret, but for the one that is new."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from runtime.moment import for_programs, or_null
from runtime.requests.number import text_if_large
from webhooks.answers import (
    Attempt,
    Delivery,
    DeliveryWithLog,
    Endpoint,
    EndpointWithSecret,
    MadeEndpoint,
)
from webhooks.rotation import is_shown, is_valid, newest
from webhooks.store import Document


def endpoint_json(stored: Document, now: datetime) -> Endpoint:
    user_id = None if stored["user_id"] is None else int(stored["user_id"])
    shown: Endpoint = {
        "endpointId": stored["_id"],
        "url": stored["url"],
        "description": stored["description"],
        "userId": user_id,
        "types": list(stored["types"]),
        "state": stored["state"],
        "reason": stored["reason"],
        "disabledAt": or_null(stored["disabled_at"]),
        "secrets": sum(is_valid(each, now) for each in stored["secrets"]),
        "createdAt": for_programs(stored["created_at"]),
        "createdBy": stored["created_by"],
        "lastSuccessAt": or_null(stored["last_success_at"]),
        "failures": stored["failures"],
        "failingSince": or_null(stored["failing_since"]),
        "nextAttemptAt": or_null(stored["next_at"]),
    }
    if text := text_if_large(user_id):
        shown["userIdText"] = text
    return shown


def with_secret(stored: Document, now: datetime) -> EndpointWithSecret:
    """The endpoint with the secret that was just made."""
    return {**endpoint_json(stored, now), "secret": newest(stored["secrets"])}


def made_json(stored: Document, now: datetime) -> MadeEndpoint:
    """The endpoint for whoever asked for it; with its secret at first."""
    made: MadeEndpoint = {**endpoint_json(stored, now)}
    if is_shown(stored, now):
        made["secret"] = newest(stored["secrets"])
    return made


def delivery_json(stored: Document) -> Delivery:
    is_pending = stored["state"] == "pending"
    return {
        "deliveryId": stored["_id"],
        "endpointId": stored["endpoint"],
        "webhookId": stored["message_id"],
        "type": stored["type"],
        "orderId": stored["order_id"] or None,
        "state": stored["state"],
        "tries": stored["tries"],
        "createdAt": for_programs(stored["created_at"]),
        "settledAt": or_null(stored["settled_at"]),
        "nextAttemptAt": or_null(stored["due_at"] if is_pending else None),
    }


def with_log(stored: Document) -> DeliveryWithLog:
    return {
        **delivery_json(stored),
        "body": json.loads(stored["body"]),
        "attempts": [attempt_json(each) for each in stored["attempts"]],
    }


def attempt_json(stored: Mapping[str, Any]) -> Attempt:
    return {
        "at": for_programs(stored["at"]),
        "milliseconds": stored["milliseconds"],
        "requestHeaders": json.loads(stored["headers"]),
        "status": stored["status"],
        "answer": stored["answer"],
        "error": stored["error"],
    }
