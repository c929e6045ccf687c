"""Deliveries over HTTP: the log, a test, sending again."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

import msgspec
import pymongo
from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.readable_records import listed
from runtime.moment import for_programs
from runtime.requests import query_string
from runtime.requests.caller import caller_of
from runtime.requests.deadline import ANSWER_SECONDS
from runtime.requests.refusal import Fault, Refusal
from webhooks import managing, operations
from webhooks.answers import DeliveryPage, SentAgain
from webhooks.bodies import (
    MISSED,
    NOTHING_TO_SEND,
    TITLE_OF_LIST,
    TITLE_OF_SENDING,
    DeliveryFilters,
    in_utc,
    read,
)
from webhooks.listing import page
from webhooks.problem_types import ENDPOINT_DISABLED
from webhooks.representation import delivery_json, with_log
from webhooks.sending_again import send_again, send_all_again
from webhooks.store import Document, deliveries
from webhooks.views import SCOPES, answered, check_on, find

_ID = re.compile(r"[0-9a-fA-F]{32}")


class DeliveriesView(APIView):
    """What was sent to an endpoint, and what waits."""

    scopes = SCOPES
    operations = {"GET": operations.LIST_DELIVERIES}

    def get(self, request: Request, endpoint_id: str) -> HttpResponse:
        parameters = query_string.parameters(request, TITLE_OF_LIST)
        filters = read(parameters, DeliveryFilters)
        with pymongo.timeout(ANSWER_SECONDS):
            query: dict[str, Any] = {"endpoint": find(request, endpoint_id)["_id"]}
            if filters.state is not UNSET:
                query["state"] = filters.state
            found = page(deliveries, query, parameters, filters.limit, filters.cursor)
        body: DeliveryPage = {
            "deliveries": listed(
                found.documents,
                delivery_json,
                lambda each: f"webhook delivery {each['_id']}",
                msgspec.json.encode,
            ),
            "next": f"{request.path}?{found.next_query}" if found.next_query else None,
        }
        return answered(body)


class DeliveryView(APIView):
    """One delivery with its log."""

    scopes = SCOPES
    operations = {"GET": operations.SHOW_DELIVERY}

    def get(self, request: Request, delivery_id: str) -> HttpResponse:
        with pymongo.timeout(ANSWER_SECONDS):
            return answered(with_log(find_delivery(request, delivery_id)[0]))


class TestView(APIView):
    """Send a test."""

    scopes = SCOPES
    operations = {"POST": operations.TEST_ENDPOINT}

    def post(self, request: Request, endpoint_id: str) -> HttpResponse:
        NOTHING_TO_SEND.of(request)
        check_on()
        with pymongo.timeout(ANSWER_SECONDS):
            endpoint = find(request, endpoint_id)
            check_enabled(endpoint)
            test = managing.send_test(endpoint).delivery
        return answered(delivery_json(test), HTTPStatus.ACCEPTED)


class SendAgainView(APIView):
    """Begin a delivery's attempts anew."""

    scopes = SCOPES
    operations = {"POST": operations.SEND_AGAIN}

    def post(self, request: Request, delivery_id: str) -> HttpResponse:
        NOTHING_TO_SEND.of(request)
        check_on()
        with pymongo.timeout(ANSWER_SECONDS):
            known, endpoint = find_delivery(request, delivery_id)
            check_enabled(endpoint)
            again = send_again(known)
        if again is None:
            raise no_delivery(delivery_id)
        return answered(delivery_json(again), HTTPStatus.ACCEPTED)


class SendAllAgainView(APIView):
    """Begin the attempts of what has failed since a time anew."""

    scopes = SCOPES
    operations = {"POST": operations.SEND_ALL_AGAIN}

    def post(self, request: Request, endpoint_id: str) -> HttpResponse:
        since = in_utc(MISSED.of(request).since)
        check_on()
        with pymongo.timeout(ANSWER_SECONDS):
            endpoint = find(request, endpoint_id)
            check_enabled(endpoint)
            count = send_all_again(endpoint["_id"], since, caller_of(request).name)
        sent: SentAgain = {
            "endpointId": endpoint["_id"],
            "since": for_programs(since),
            "deliveries": count,
        }
        return answered(sent, HTTPStatus.ACCEPTED)


def find_delivery(request: Request, delivery_id: str) -> tuple[Document, Document]:
    """The delivery with this id, and its endpoint.

    Raises:
        NotFound: there is none that the caller sees.
    """
    is_id = _ID.fullmatch(delivery_id)
    found = deliveries().find_one({"_id": delivery_id.lower()}) if is_id else None
    if found is None:
        raise no_delivery(delivery_id)
    try:
        return found, find(request, found["endpoint"])
    except NotFound as error:
        raise no_delivery(delivery_id) from error


def no_delivery(delivery_id: str) -> NotFound:
    return NotFound(
        f"There is no delivery {delivery_id[:40]!r}. "
        "GET /webhooks/endpoints/{endpointId}/deliveries lists them."
    )


def check_enabled(endpoint: Document) -> None:
    """Raises Refusal: it is disabled, so that nothing would be sent (409)."""
    if endpoint["state"] != "enabled":
        fix = "Enable it first: POST /webhooks/endpoints/{endpointId}/enable."
        fault = Fault(field="endpoint", detail="is disabled", fix=fix)
        raise Refusal(TITLE_OF_SENDING, [fault], ENDPOINT_DISABLED)
