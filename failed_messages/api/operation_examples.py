"""Examples of the desk's answers."""

from __future__ import annotations

from typing import Any

AT = "2026-11-28T12:00:00.000Z"
FINGERPRINT = "0123456789abcdef"

BODY = (
    '{"orderId": "674300000000000000000001", "userId": 500, '
    '"items": [{"sku": "pen", "quantity": 2, "unitPrice": "12.50"}], "total": "25.00", '
    '"currency": "EUR"}'
)

MESSAGE: dict[str, Any] = {
    "id": "674300000000000000000001",
    "service": "billing",
    "type": "order.placed",
    "orderId": "674300000000000000000001",
    "userId": "500",
    "messageId": "674300000000000000000001:1",
    "reason": "attempts_used_up",
    "exception": "TimeoutError",
    "message": "the card service timed out",
    "attempts": 5,
    "group": FINGERPRINT,
    "status": "failed",
    "firstFailedAt": AT,
    "lastFailedAt": AT,
}
MESSAGE_DETAILS: dict[str, Any] = {
    **MESSAGE,
    "body": BODY,
    "bodyBytes": len(BODY),
    "bodyCut": False,
    "contentType": "application/json",
    "correlationId": "674300000000000000000001",
    "properties": {"type": "order.placed"},
    "headers": {},
    "certificates": [{"reason": "attempts_used_up", "exception": "TimeoutError"}],
    "replay": None,
    "resolvedAt": None,
    "resolvedBy": "",
    "discardedAt": None,
    "discardedBy": "",
    "discardReason": "",
    "parent": None,
    "editedAs": [],
    "expiresAt": None,
    "history": [],
}
GROUP: dict[str, Any] = {
    "fingerprint": FINGERPRINT,
    "service": "billing",
    "exception": "TimeoutError",
    "reason": "attempts_used_up",
    "frame": "billing/tasks.py:invoice",
    "pattern": "the card service timed out",
    "example": "the card service timed out",
    "release": "0.2.0",
    "failedNow": 1,
    "deaths": 1,
    "orders": 1,
    "ordersAreAtLeast": False,
    "value": "14.90 EUR",
    "deathsByHour": [*[0] * 23, 1],
    "firstFailedAt": AT,
    "lastFailedAt": AT,
    "status": "new",
    "fixedIn": "",
    "regressedAt": None,
    "owner": "",
    "note": "",
    "link": "",
}
STATES = ("waiting", "sent", "resolved", "recurred", "died", "left_out", "refused")
JOB: dict[str, Any] = {
    "id": "674300000000000000000003",
    "by": "ada",
    "at": AT,
    "reason": "the price was missing",
    "filter": "service=billing&newerThan=24h",
    "ratePerSecond": 20,
    "state": "gathering",
    "why": "",
    "finishedAt": None,
    "messages": dict.fromkeys(STATES, 0),
}
PREVIEW: dict[str, Any] = {
    "messages": 1,
    "services": {"billing": 1},
    "orders": 1,
    "value": "14.90 EUR",
    "leftOut": {"cancelled": 0, "stale": 0, "cut": 0},
    "isAtLeast": False,
    "sentences": ["1 message to billing only."],
}
POLICY_SET: dict[str, Any] = {
    "scope": "service billing",
    "service": "billing",
    "group": "",
    "reason": "",
    "afterSeconds": [900, 3600, 21600],
    "enabled": True,
    "by": "ada",
    "at": AT,
}
PENDING: dict[str, Any] = {
    "id": "674300000000000000000005",
    "act": "discard",
    "messages": 200,
    "by": "ada",
    "at": AT,
    "reason": "ordered twice",
    "arguments": {"ids": ["674300000000000000000001"], "reason": "ordered twice"},
    "state": "waiting",
    "decidedBy": "",
    "outcome": "",
}
