"""API keys over HTTP. A client can only give scopes that it has."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from django.http import Http404
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ordersite.access import keys
from ordersite.access.description import key_json
from ordersite.access.keys import InvalidKey, NewKey
from ordersite.access.models import ApiKey
from ordersite.access.problem_types import KEY_ENDED
from ordersite.access.scopes import UnknownScope, expanded
from runtime.requests.caller import Caller, OutOfScope, caller_of
from runtime.requests.faults import body_fault
from runtime.requests.json_body import JsonBody
from runtime.requests.number import UserId
from runtime.requests.refusal import Refusal
from runtime.requests.text import fault_in

TITLE = "The key was not made"
MOST_DAYS = 3_650
MOST_HOURS = 24 * 90


class CreateKey(Struct, forbid_unknown_fields=True, rename="camel"):
    """`{"name": "the app of user 101", "userId": 101, "scopes": ["orders:place"]}`."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    #: Null for a shop, which acts for all.
    user_id: UserId | None
    scopes: Annotated[list[str], Meta(min_length=1, max_length=50)]
    #: Null for a key that never expires.
    expires_in_days: Annotated[int, Meta(ge=1, le=MOST_DAYS)] | UnsetType | None = UNSET
    requests_per_second: Annotated[int, Meta(ge=1, le=keys.MOST_REQUESTS_A_SECOND)] | None = None


class RotateKey(Struct, forbid_unknown_fields=True, rename="camel"):
    #: How long both keys work.
    overlap_hours: Annotated[int, Meta(ge=0, le=MOST_HOURS)] = 24


class Nothing(Struct, forbid_unknown_fields=True):
    """The address says it all."""


EXAMPLE = '{"name": "the app of user 101", "userId": 101, "scopes": ["orders:place"]}'
CREATE = JsonBody(
    CreateKey,
    TITLE,
    {
        "body": f"Send a JSON object like {EXAMPLE}.",
        "name": "Send 1 to 100 characters that say who holds the key.",
        "userId": "Send the customer's userId, or null for a shop that acts for all.",
        "scopes": 'Send an array of scopes, for example ["orders:place", "orders:read"].',
        "expiresInDays": f"Send a whole number from 1 to {MOST_DAYS}, or null for never.",
        "requestsPerSecond": f"Send a whole number from 1 to {keys.MOST_REQUESTS_A_SECOND}.",
    },
)
ROTATE = JsonBody(
    RotateKey,
    TITLE,
    {"body": f'Send {{"overlapHours": n}}, with a whole number from 0 to {MOST_HOURS}.'},
    empty=RotateKey(),
)
NOTHING = JsonBody(
    Nothing, TITLE, {"body": "Send no body, or an empty JSON object."}, empty=Nothing()
)


class ApiKeysView(APIView):
    """GET and POST /api-keys."""

    scopes = {"GET": "api-keys:read", "POST": "api-keys:write"}

    def get(self, request: Request) -> Response:
        return Response({"items": [key_json(each) for each in ApiKey.objects.all()]})

    def post(self, request: Request) -> Response:
        asked, caller = CREATE.of(request), caller_of(request)
        lifetime: timedelta | None = keys.LIFETIME
        if asked.expires_in_days is not UNSET:
            days = asked.expires_in_days
            lifetime = timedelta(days=days) if days else None
        try:
            check_own(caller, expanded(asked.scopes))
            made = keys.create(
                asked.name,
                asked.scopes,
                by=caller.name,
                user_id=asked.user_id,
                lifetime=lifetime,
                rate=asked.requests_per_second,
            )
        except (UnknownScope, InvalidKey) as error:
            raise refused(getattr(error, "field", "scopes"), str(error)) from error
        return shown_once(made)


class ApiKeyView(APIView):
    """GET /api-keys/ID."""

    scopes = {"GET": "api-keys:read"}

    def get(self, request: Request, id_: str) -> Response:
        return Response(key_json(find(id_)))


class RotateView(APIView):
    """POST /api-keys/ID/rotate: the key that follows, shown once."""

    scopes = {"POST": "api-keys:write"}

    def post(self, request: Request, id_: str) -> Response:
        asked, caller = ROTATE.of(request), caller_of(request)
        known = find(id_)
        check_own(caller, known.scopes)
        try:
            made = keys.rotate(
                known.pk, by=caller.name, overlap=timedelta(hours=asked.overlap_hours)
            )
        except InvalidKey as error:
            fault = body_fault((error.field,), str(error), "Send POST /api-keys.")
            raise Refusal(TITLE, [fault], KEY_ENDED) from error
        return shown_once(made)


class RevokeView(APIView):
    """POST /api-keys/ID/revoke."""

    scopes = {"POST": "api-keys:write"}

    def post(self, request: Request, id_: str) -> Response:
        NOTHING.of(request)
        known = find(id_)
        return Response(key_json(keys.revoke(known.pk, by=caller_of(request).name)))


def find(id_: str) -> ApiKey:
    """The key with this id, in capitals or not. Raises Http404: there is none."""
    record = None if fault_in(id_) else ApiKey.objects.filter(pk=id_.lower()).first()
    if record is None:
        raise Http404
    return record


def check_own(caller: Caller, scopes: list[str]) -> None:
    """Raises OutOfScope: the caller would give what they do not have."""
    for scope in scopes:
        if not caller.may(scope):
            raise OutOfScope(scope, f"You cannot give the scope {scope}, as you do not have it.")


def shown_once(made: NewKey) -> Response:
    body = {**key_json(made.record), "key": made.secret}
    return Response(body, status=201, headers={"Cache-Control": "no-store"})


def refused(field: str, detail: str) -> Refusal:
    fault = body_fault((field,), detail, f"A good request is {EXAMPLE}.")
    return Refusal(TITLE, [fault])
