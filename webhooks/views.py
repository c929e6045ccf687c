"""Endpoints over HTTP. A customer's key reaches its own alone; any other one is not found."""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus
from typing import Any

import msgspec
import pymongo
from django.conf import settings
from django.http import HttpResponse
from msgspec import UNSET
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from messaging.readable_records import listed as listed_documents
from runtime.mongodb_clock import mongodb_now
from runtime.requests import idempotency_key, query_string
from runtime.requests.caller import Caller, caller_of, check_user
from runtime.requests.deadline import ANSWER_SECONDS
from runtime.requests.faults import body_fault
from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import KEY_REUSED
from runtime.requests.refusal import Fault, Refusal
from webhooks import managing, operations
from webhooks.answers import EndpointPage
from webhooks.bodies import (
    CHANGE,
    KEY_EXAMPLE,
    NEW,
    NOTHING,
    TITLE,
    TITLE_OF_LIST,
    EndpointFilters,
    NewEndpoint,
    faults_in,
    read,
)
from webhooks.listing import page
from webhooks.problem_types import TOO_MANY_ENDPOINTS, WEBHOOKS_OFF
from webhooks.representation import endpoint_json, made_json
from webhooks.store import Document, endpoints

READ, MANAGE = "webhooks:read", "webhooks:manage"
SCOPES = {"GET": READ, "POST": MANAGE, "PATCH": MANAGE, "DELETE": MANAGE}
_ID = re.compile(r"[0-9a-fA-F]{16}")
OTHER_REQUEST = Fault(
    field=idempotency_key.HEADER,
    detail="was used for another request",
    fix="Send the first request again unchanged, or a new key for a new request.",
)


class Off(Problem):
    """The operator has not turned webhooks on (409)."""

    problem_type = WEBHOOKS_OFF
    default_detail = "This site sends no webhooks. Its operator turns them on with WEBHOOKS=true."


class EndpointsView(APIView):
    """List the endpoints, or make one."""

    scopes = SCOPES
    operations = {"GET": operations.LIST_ENDPOINTS, "POST": operations.CREATE_ENDPOINT}
    #: With the endpoint, so that no answer with a secret is kept.
    has_keys_of_its_own = True

    def get(self, request: Request) -> HttpResponse:
        parameters = query_string.parameters(request, TITLE_OF_LIST)
        filters = read(parameters, EndpointFilters)
        query = listed(filters, caller_of(request))
        with pymongo.timeout(ANSWER_SECONDS):
            found = page(endpoints, query, parameters, filters.limit, filters.cursor)
            now = mongodb_now()
        shown: EndpointPage = {
            "endpoints": listed_documents(
                found.documents,
                lambda each: endpoint_json(each, now),
                lambda each: f"webhook endpoint {each['_id']}",
                msgspec.json.encode,
            ),
            "next": f"{request.path}?{found.next_query}" if found.next_query else None,
        }
        return answered(shown)

    def post(self, request: Request) -> HttpResponse:
        check_on()
        asked, caller = NEW.checked(request, faults_in), caller_of(request)
        user_id = owner(asked, caller)
        try:
            with pymongo.timeout(ANSWER_SECONDS):
                made = managing.create(
                    asked.url,
                    asked.types,
                    user_id=user_id,
                    description=asked.description,
                    by=caller.name,
                    key=key_of(request, caller),
                )
                now = mongodb_now()
        except managing.TooMany as error:
            raise too_many() from error
        except managing.OtherRequest as error:
            raise Refusal(TITLE, [OTHER_REQUEST], KEY_REUSED) from error
        response = answered(made_json(made.endpoint, now), HTTPStatus.CREATED)
        response["Location"] = f"{request.path}/{made.endpoint['_id']}"
        response["Cache-Control"] = "no-store"
        if made.was_there:
            response[idempotency_key.REPLAYED] = "true"
        return response


class EndpointView(APIView):
    """One endpoint."""

    scopes = SCOPES
    operations = {
        "GET": operations.SHOW_ENDPOINT,
        "PATCH": operations.CHANGE_ENDPOINT,
        "DELETE": operations.DELETE_ENDPOINT,
    }

    def get(self, request: Request, endpoint_id: str) -> HttpResponse:
        with pymongo.timeout(ANSWER_SECONDS):
            return shown(find(request, endpoint_id))

    def patch(self, request: Request, endpoint_id: str) -> HttpResponse:
        asked = CHANGE.checked(request, faults_in)
        with pymongo.timeout(ANSWER_SECONDS):
            known = find(request, endpoint_id)
            return shown(managing.change(known["_id"], msgspec.to_builtins(asked)))

    def delete(self, request: Request, endpoint_id: str) -> HttpResponse:
        NOTHING.of(request)
        with pymongo.timeout(ANSWER_SECONDS):
            known = find(request, endpoint_id)
            managing.delete(known["_id"])
            return shown(known)


def listed(filters: EndpointFilters, caller: Caller) -> dict[str, Any]:
    """The query of the endpoints that are asked for, as far as the caller may see them."""
    query: dict[str, Any] = {}
    if caller.user_id is not None:
        query["user_id"] = caller.user_id
    if filters.user_id is not UNSET:
        if not caller.sees(filters.user_id):
            raise NotFound("You have no endpoints of another customer.")
        query["user_id"] = filters.user_id
    if filters.state is not UNSET:
        query["state"] = filters.state
    return query


def owner(asked: NewEndpoint, caller: Caller) -> int | None:
    """Whose orders the endpoint is to hear of; None for all.

    Raises:
        Refusal: the caller may not have it (403).
    """
    if asked.user_id is UNSET or asked.user_id is None:
        return caller.user_id
    check_user(caller, asked.user_id, TITLE)
    return asked.user_id


def find(request: Request, endpoint_id: str) -> Document:
    """The endpoint with this id, in capitals or not.

    Raises:
        NotFound: there is none that the caller sees.
    """
    is_id = _ID.fullmatch(endpoint_id)
    found = endpoints().find_one({"_id": endpoint_id.lower()}) if is_id else None
    if found is None or not caller_of(request).sees(found["user_id"]):
        raise not_found(endpoint_id)
    return found


def not_found(endpoint_id: str) -> NotFound:
    return NotFound(
        f"There is no endpoint {endpoint_id[:40]!r}. GET /webhooks/endpoints lists them."
    )


def key_of(request: Request, caller: Caller) -> str:
    """What identifies the request over all clients; empty where it has no Idempotency-Key.

    Raises:
        Refusal: the key is empty or too long.
    """
    header = request.headers.get(idempotency_key.HEADER)
    if header is None:
        return ""
    key = idempotency_key.read(header, TITLE, KEY_EXAMPLE)
    return f"{caller.owner_of_keys}:{key}"


def check_on() -> None:
    """Raises Off: this site sends no webhooks."""
    if not settings.WEBHOOKS:
        raise Off


def too_many() -> Refusal:
    fault = body_fault(
        ("userId",),
        f"has {managing.MOST_OF_A_CUSTOMER} endpoints, as many as a customer may have",
        "Delete one of them first: DELETE /webhooks/endpoints/{endpointId}.",
    )
    return Refusal(TITLE, [fault], TOO_MANY_ENDPOINTS)


def shown(stored: Document | None) -> HttpResponse:
    """Raises NotFound: it was deleted at the same moment."""
    if stored is None:
        raise NotFound("The endpoint was deleted at the same moment.")
    return answered(endpoint_json(stored, now_of(stored)))


def now_of(stored: Document) -> datetime:
    """MongoDB's time, where it decides which secrets count."""
    return mongodb_now() if len(stored["secrets"]) > 1 else stored["created_at"]


def answered(body: Any, status: int = HTTPStatus.OK) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", status=status)
