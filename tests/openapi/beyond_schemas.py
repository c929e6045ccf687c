"""What no schema can say: right requests are refused all the same, for these reasons alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

#: Kinds of problems of any operation.
KINDS: Mapping[str, str] = {
    "precondition-failed": "If-Match names a state that it may not be in",
    "idempotency-key-reused": "the Idempotency-Key came with another request before",
}

OF_A_PAGE = "a cursor is one of the page before"
OF_A_CURRENCY = "a price has the decimals of its currency"

#: By operation, the fields that are wrong beside what the schema wants of each.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "placeOrder": {"items": "only what the catalogue has is sold"},
    "importOrders": dict.fromkeys(("body", "line"), "a file is text, whose lines have a format"),
    "listOrders": {"cursor": OF_A_PAGE},
    "listProducts": {"cursor": OF_A_PAGE},
    "listWebhookEndpoints": {"cursor": OF_A_PAGE},
    "listWebhookDeliveries": {"cursor": OF_A_PAGE},
    "listFailureGroups": {"cursor": OF_A_PAGE},
    "listBulkReplays": {"cursor": OF_A_PAGE},
    "listPendingActs": {"cursor": OF_A_PAGE},
    "listReplayPolicies": {"cursor": OF_A_PAGE},
    "listApiKeys": {"cursor": OF_A_PAGE},
    "listFailedMessages": {"cursor": OF_A_PAGE, "olderThan": "10 years", "newerThan": "10 years"},
    "addProduct": {"price": OF_A_CURRENCY},
    "changeProduct": {"price": OF_A_CURRENCY, "currency": "it changes with a price alone"},
    "createWebhookEndpoint": {"url": "its host has to be one of the internet"},
    "changeWebhookEndpoint": {"url": "its host has to be one of the internet"},
    "createApiKey": {
        "scopes": "a customer's key has a customer's scopes",
        "name": "it can be printed",
    },
    "replayFailedMessages": {
        "group": "it names ids, a group or a filter",
        "filter": "it is the text of parameters",
    },
    "editFailedMessage": {"reason": "a dry run needs none"},
    "triageFailureGroup": {
        "owner": "one of the fields is given",
        "fixedIn": "what is fixed is so in a release",
    },
    "setReplayPolicy": {
        "service": "it is of a service or of a group",
        "after": "delays are from 1m to 7d",
    },
}


def is_beyond(operation: str, kind: str, answer: bytes) -> bool:
    """Whether the operation may refuse right requests with this problem."""
    if kind in KINDS or not kind:
        return bool(kind)
    fields = FIELDS.get(operation, {})
    wrong = {re.split(r"[.\[ ]", each["field"])[0] for each in json.loads(answer).get("errors", ())}
    return bool(wrong) and wrong <= fields.keys()


def with_whole_numbers(value: Any) -> Any:
    """JSON Schema takes 2.0 for an integer, and cannot say that the API does not."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: with_whole_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [with_whole_numbers(each) for each in value]
    return value
