"""The routes of webhooks, for their clients."""

from __future__ import annotations

from typing import Any

from runtime.requests import idempotency_key
from runtime.requests.operation import Answer, Header, Link, Operation
from runtime.requests.problem_types import KEY_REUSED, NOT_FOUND, OTHER_CUSTOMER
from webhooks import answers
from webhooks.bodies import (
    CHANGE,
    MISSED,
    NEW,
    NOTHING,
    NOTHING_TO_SEND,
    ROTATE,
    DeliveryFilters,
    EndpointFilters,
)
from webhooks.problem_types import ENDPOINT_DISABLED, TOO_MANY_ENDPOINTS, WEBHOOKS_OFF

ENDPOINT_PATH = {"endpoint_id": answers.EndpointId}
DELIVERY_PATH = {"delivery_id": answers.DeliveryId}
OF_AN_ENDPOINT = (
    *("getWebhookEndpoint", "changeWebhookEndpoint", "deleteWebhookEndpoint"),
    *("enableWebhookEndpoint", "disableWebhookEndpoint", "rotateWebhookSecret"),
    *("testWebhookEndpoint", "sendWebhooksAgain", "listWebhookDeliveries"),
)
OF_A_DELIVERY = (Link("deliveryId", "/deliveryId", ("getWebhookDelivery", "sendWebhookAgain")),)
NO_STORE = Header("Cache-Control", "A secret is kept by nobody on its way.", "no-store")

AT = "2026-11-28T12:00:00.000Z"
SECRET = "whsec_…"  # noqa: S105
ENDPOINT: dict[str, Any] = {
    "endpointId": "5f0c8a1e2f0b4a57",
    "url": "https://shop.example.com/webhooks",
    "description": "",
    "userId": 101,
    "types": ["order.confirmed"],
    "state": "enabled",
    "reason": "",
    "disabledAt": None,
    "secrets": 1,
    "createdAt": AT,
    "createdBy": "key k7d2m4q9x1 of the app of user 101",
    "lastSuccessAt": None,
    "failures": 0,
    "failingSince": None,
    "nextAttemptAt": None,
}
DELIVERY: dict[str, Any] = {
    "deliveryId": "9d0e0a4b9f2f6c114c0f8a1e2f0b4a57",
    "endpointId": "5f0c8a1e2f0b4a57",
    "webhookId": "msg_2f6c114c0f8a1e2f0b4a579d0e0a4b9f",
    "type": "order.confirmed",
    "orderId": "674300000000000000000001",
    "state": "delivered",
    "tries": 1,
    "createdAt": AT,
    "settledAt": AT,
    "nextAttemptAt": None,
}
WAITING = {**DELIVERY, "state": "pending", "tries": 0, "settledAt": None, "nextAttemptAt": AT}
SHOWN = Answer("The endpoint as it now is.", answers.Endpoint, ENDPOINT)
MADE_WITH_SECRET = (NO_STORE,)

LIST_ENDPOINTS = Operation(
    id="listWebhookEndpoints",
    summary="List the endpoints, without their secrets, the newest first",
    query=EndpointFilters,
    answers={200: Answer("A page.", answers.EndpointPage, {"endpoints": [ENDPOINT], "next": None})},
    problems=(NOT_FOUND,),
)
CREATE_ENDPOINT = Operation(
    id="createWebhookEndpoint",
    summary="Have a URL hear of events",
    description="It hears of what happens from now on. What is sent is signed with the `secret`, "
    "which is shown this once (Standard Webhooks); a repeat with the same Idempotency-Key shows "
    "it for 10 minutes, and where it was not rotated since.",
    body=NEW,
    headers=(idempotency_key.field("4c0f8a1e-2f0b-4a57-9d0e-0a4b9f2f6c11"),),
    example={"url": "https://shop.example.com/webhooks", "types": ["order.confirmed"]},
    answers={
        201: Answer(
            "The endpoint, with its secret.",
            answers.MadeEndpoint,
            {**ENDPOINT, "secret": SECRET},
            headers=(
                NO_STORE,
                Header("Location", "Where it is.", "/webhooks/endpoints/5f0c8a1e2f0b4a57"),
                idempotency_key.REPLAYED_FIELD,
            ),
            links=(Link("endpointId", "/endpointId", OF_AN_ENDPOINT),),
        )
    },
    problems=(WEBHOOKS_OFF, OTHER_CUSTOMER, TOO_MANY_ENDPOINTS, KEY_REUSED),
)
SHOW_ENDPOINT = Operation(
    id="getWebhookEndpoint",
    summary="One endpoint, without its secret",
    path=ENDPOINT_PATH,
    answers={200: Answer("The endpoint.", answers.Endpoint, ENDPOINT)},
)
CHANGE_ENDPOINT = Operation(
    id="changeWebhookEndpoint",
    summary="Change an endpoint's URL, types or description",
    description="What is not given stays as it is. What waits to be sent goes to the new URL.",
    path=ENDPOINT_PATH,
    body=CHANGE,
    example={"types": ["order.confirmed"]},
    answers={200: SHOWN},
)
DELETE_ENDPOINT = Operation(
    id="deleteWebhookEndpoint",
    summary="Delete an endpoint and the log of its deliveries",
    path=ENDPOINT_PATH,
    body=NOTHING,
    answers={200: Answer("The endpoint as it was.", answers.Endpoint, ENDPOINT)},
)
ROTATE_SECRET = Operation(
    id="rotateWebhookSecret",
    summary="Give an endpoint another secret; both sign for a while",
    path=ENDPOINT_PATH,
    body=ROTATE,
    example={"overlapHours": 24},
    answers={
        200: Answer(
            "The endpoint, with its new secret.",
            answers.EndpointWithSecret,
            {**ENDPOINT, "secrets": 2, "secret": SECRET},
            headers=MADE_WITH_SECRET,
        )
    },
)
ENABLE_ENDPOINT = Operation(
    id="enableWebhookEndpoint",
    summary="Have a disabled endpoint hear of events again",
    description="Of those from now on; what has failed can be sent again.",
    path=ENDPOINT_PATH,
    body=NOTHING,
    answers={200: SHOWN},
    problems=(WEBHOOKS_OFF,),
)
DISABLE_ENDPOINT = Operation(
    id="disableWebhookEndpoint",
    summary="Have an endpoint hear of nothing until it is enabled",
    path=ENDPOINT_PATH,
    body=NOTHING,
    answers={
        200: Answer(
            "The endpoint as it now is.",
            answers.Endpoint,
            {**ENDPOINT, "state": "disabled", "reason": "Its owner disabled it.", "disabledAt": AT},
        )
    },
)
TEST_ENDPOINT = Operation(
    id="testWebhookEndpoint",
    summary="Send an endpoint a test",
    description="An event of the type `webhook.test`; what came of it is in its delivery.",
    path=ENDPOINT_PATH,
    body=NOTHING_TO_SEND,
    answers={
        202: Answer(
            "The test is about to be sent.",
            answers.Delivery,
            {**WAITING, "type": "webhook.test", "orderId": None},
            links=OF_A_DELIVERY,
        )
    },
    problems=(WEBHOOKS_OFF, ENDPOINT_DISABLED),
)
LIST_DELIVERIES = Operation(
    id="listWebhookDeliveries",
    summary="List what was sent to an endpoint and what waits, the newest first",
    path=ENDPOINT_PATH,
    query=DeliveryFilters,
    answers={
        200: Answer("A page.", answers.DeliveryPage, {"deliveries": [DELIVERY], "next": None})
    },
)
SHOW_DELIVERY = Operation(
    id="getWebhookDelivery",
    summary="One delivery, with what is sent and every attempt",
    path=DELIVERY_PATH,
    answers={
        200: Answer(
            "The delivery.",
            answers.DeliveryWithLog,
            {
                **DELIVERY,
                "body": {"type": "order.confirmed", "timestamp": AT, "orderId": "6743…"},
                "attempts": [
                    {
                        "at": AT,
                        "milliseconds": 84,
                        "requestHeaders": {"webhook-id": DELIVERY["webhookId"]},
                        "status": 204,
                        "answer": "",
                        "error": "",
                    }
                ],
            },
        )
    },
)
SEND_AGAIN = Operation(
    id="sendWebhookAgain",
    summary="Send a delivery again, with the same webhook-id",
    path=DELIVERY_PATH,
    body=NOTHING_TO_SEND,
    answers={
        202: Answer("It is about to be sent.", answers.Delivery, WAITING, links=OF_A_DELIVERY)
    },
    problems=(WEBHOOKS_OFF, ENDPOINT_DISABLED),
)
SEND_ALL_AGAIN = Operation(
    id="sendWebhooksAgain",
    summary="Send an endpoint again what has failed since a time",
    description="Every delivery that was noted since then and has failed, the oldest first, each "
    "with its own `webhook-id`. The first 1,000 are sent at once, and the others follow by "
    "themselves. To ask again is safe: what waits already is not sent twice.",
    path=ENDPOINT_PATH,
    body=MISSED,
    example={"since": "2026-01-31T12:00:00Z"},
    answers={
        202: Answer(
            "They are about to be sent.",
            answers.SentAgain,
            {
                "endpointId": ENDPOINT["endpointId"],
                "since": "2026-01-31T12:00:00.000Z",
                "deliveries": 1,
            },
        )
    },
    problems=(WEBHOOKS_OFF, ENDPOINT_DISABLED),
)
