"""API keys over HTTP. A client can only give scopes that it has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from django.http import Http404
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ordersite.access import keys, operations
from ordersite.access.answers import ApiKeys, NewApiKey
from ordersite.access.bodies import (
    CREATE,
    EXAMPLE,
    KEY_EXAMPLE,
    MAX_KEY_CHARACTERS,
    NOTHING,
    ROTATE,
    TITLE,
)
from ordersite.access.keys import InvalidKey, MadeBefore, NewKey
from ordersite.access.models import ApiKey
from ordersite.access.problem_types import KEY_ENDED, KEY_MADE_BEFORE
from ordersite.access.representation import key_json, keys_json
from ordersite.access.scopes import THERE_ARE, expanded, matching, no_scope
from runtime.requests import idempotency_key, newest_first
from runtime.requests.caller import Caller, OutOfScope, caller_of
from runtime.requests.faults import Path, body_fault
from runtime.requests.refusal import Fault, Refusal
from runtime.requests.text import fault_in

MADE_BEFORE = Fault(
    field=idempotency_key.HEADER,
    detail="has made a key before, whose secret was shown then",
    fix="Rotate that key if nobody has its secret (GET /api-keys lists it); send another "
    "Idempotency-Key for a further one.",
)


class ApiKeysView(APIView):
    """GET and POST /api-keys."""

    scopes = {"GET": "api-keys:read", "POST": "api-keys:write"}
    #: With the API key, so that no answer with a secret is kept.
    has_keys_of_its_own = True
    operations = {"GET": operations.LIST, "POST": operations.CREATE_KEY}

    def get(self, request: Request) -> Response:
        found = newest_first.page(request, ApiKey.objects.all(), "created_at")
        shown: ApiKeys = {"items": keys_json(found.records), "next": found.next}
        return Response(shown)

    def post(self, request: Request) -> Response:
        asked, caller = CREATE.of(request, faults_in), caller_of(request)
        if faults := faults_in(msgspec.to_builtins(asked)):
            raise Refusal(TITLE, faults)
        lifetime: timedelta | None = keys.LIFETIME
        if asked.expires_in_days is not UNSET:
            days = asked.expires_in_days
            lifetime = timedelta(days=days) if days else None
        check_own(caller, expanded(asked.scopes))
        try:
            made = keys.create(
                asked.name,
                asked.scopes,
                by=caller.name,
                user_id=asked.user_id,
                lifetime=lifetime,
                rate=asked.requests_per_second,
                request=request_of(request, caller),
            )
        except MadeBefore as error:
            raise Refusal(TITLE, [MADE_BEFORE], KEY_MADE_BEFORE) from error
        return shown_once(made)


class ApiKeyView(APIView):
    """GET /api-keys/ID."""

    scopes = {"GET": "api-keys:read"}
    operations = {"GET": operations.SHOW}

    def get(self, request: Request, id_: str) -> Response:
        return Response(key_json(find(id_)))


class RotateView(APIView):
    """POST /api-keys/ID/rotate: the key that follows, shown once."""

    scopes = {"POST": "api-keys:write"}
    #: None: an answer with a secret is not kept, and a key is rotated once anyway.
    has_keys_of_its_own = True
    operations = {"POST": operations.ROTATE_KEY}

    def post(self, request: Request, id_: str) -> Response:
        asked, caller = ROTATE.of(request), caller_of(request)
        known = find(id_)
        check_own(caller, known.scopes)
        try:
            made = keys.rotate(
                known.pk, by=caller.name, overlap=timedelta(hours=asked.overlap_hours)
            )
        except InvalidKey as error:
            fault = Fault(field=error.field, detail=str(error), fix="Send POST /api-keys.")
            raise Refusal(TITLE, [fault], KEY_ENDED) from error
        return shown_once(made)


class RevokeView(APIView):
    """POST /api-keys/ID/revoke."""

    scopes = {"POST": "api-keys:write"}
    operations = {"POST": operations.REVOKE}

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


def request_of(request: Request, caller: Caller) -> str:
    """What identifies the request over all callers; empty where it has no Idempotency-Key.

    Raises:
        Refusal: the key is empty or too long.
    """
    header = request.headers.get(idempotency_key.HEADER)
    if header is None:
        return ""
    key = idempotency_key.read(header, TITLE, MAX_KEY_CHARACTERS, KEY_EXAMPLE)
    return f"{caller.id}:{key}"


def check_own(caller: Caller, scopes: list[str]) -> None:
    """Raises OutOfScope: the caller would give what they do not have."""
    for scope in scopes:
        if not caller.may(scope):
            raise OutOfScope(scope, f"You cannot give the scope {scope}, as you do not have it.")


def shown_once(made: NewKey) -> Response:
    body: NewApiKey = {**key_json(made.record), "key": made.secret}
    return Response(body, status=201, headers={"Cache-Control": "no-store"})


def faults_in(fields: Mapping[str, Any]) -> list[Fault]:
    """What is wrong in the body beside its types; a field that is None is known to be wrong."""
    name, scopes = fields.get("name"), fields.get("scopes") or []
    faults = []
    if name is not None and not keys.is_name(name):
        faults.append(fault(("name",), keys.NAME))
    for index, scope in enumerate(scopes):
        if not (found := matching(scope)):
            faults.append(fault(("scopes", index), f"{no_scope(scope)} {THERE_ARE}"))
        elif fields.get("userId") is not None and (denied := keys.not_a_customers(found)):
            faults.append(fault(("scopes", index), denied))
    return faults


def fault(path: Path, detail: str) -> Fault:
    return body_fault(path, detail, f"A good request is {EXAMPLE}.")
