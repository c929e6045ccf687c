"""API keys over HTTP. No client makes a key that may do more, faster or longer than its own.

A login, and an access token, which is short on purpose, give any rate and lifetime.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import Http404
from msgspec import UNSET
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ordersite.access import keys, operations
from ordersite.access.answers import ApiKeys, NewApiKey
from ordersite.access.bearer import caller_of_key
from ordersite.access.bodies import (
    CREATE,
    EXAMPLE,
    KEY_EXAMPLE,
    NOTHING,
    ROTATE,
    TITLE,
    CreateKey,
)
from ordersite.access.keys import InvalidKey, MadeBefore, NewKey
from ordersite.access.models import ApiKey
from ordersite.access.problem_types import ABOVE_OWN_KEY, KEY_ENDED, KEY_MADE_BEFORE
from ordersite.access.refused import refused
from ordersite.access.representation import key_json, keys_json
from ordersite.access.scopes import THERE_ARE, expanded, matching, no_scope
from runtime.mongodb_clock import about_now
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


OF_ITSELF = "Rotate it with itself, or with a key that has more."


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
        asked, caller = CREATE.checked(request, faults_in), caller_of(request)
        ends_at = end_of(caller)
        check_own(caller, expanded(asked.scopes))
        try:
            made = keys.create(
                asked.name,
                asked.scopes,
                by=caller.name,
                user_id=asked.user_id,
                lifetime=lifetime_of(asked, ends_at),
                rate=rate_of(asked, caller),
                request=request_of(request, caller),
                latest=ends_at,
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
        known, ends_at = find(id_), end_of(caller)
        check_own(caller, known.scopes)
        is_same_client = caller.id == caller_of_key(known).id
        if not is_same_client and own_rate(caller) < rate_or_default(known.rate, known.user_id):
            raise Refusal(TITLE, [fault_of_rate(caller, "key", OF_ITSELF)], ABOVE_OWN_KEY)
        try:
            made = keys.rotate(
                known.pk,
                by=caller.name,
                overlap=timedelta(hours=asked.overlap_hours),
                # One that was rotated, and ends soon, is not to live on in what follows it.
                latest=None if caller.name == keys.name_of(known) else ends_at,
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
    key = idempotency_key.read(header, TITLE, KEY_EXAMPLE)
    return f"{caller.id}:{key}"


def check_own(caller: Caller, scopes: list[str]) -> None:
    """Raises OutOfScope: the caller would give what they do not have."""
    for scope in scopes:
        if not caller.may(scope):
            raise OutOfScope(scope, f"You cannot give the scope {scope}, as you do not have it.")


def end_of(caller: Caller) -> datetime | None:
    """When the caller's own key ends; None for never, and where the caller has none.

    As it is stored now: a key that was rotated a moment ago is remembered with its longer life.

    Raises:
        Unauthenticated: it has ended, or is gone.
    """
    if not (id_ := keys.id_in(caller.name)) or not caller.id.startswith("key:"):
        return caller.ends_at
    record = ApiKey.objects.filter(pk=id_).first()
    if record is None or record.state != "active":
        raise refused(f"the key is {record.state if record else 'unknown'}")
    return keys.earlier(caller.ends_at, record.expires_at)


def lifetime_of(asked: CreateKey, ends_at: datetime | None) -> timedelta | None:
    """How long the new key is to live, if the caller's own does until `ends_at`; None for ever.

    Raises:
        Refusal: it would outlive the caller's own key.
    """
    if asked.expires_in_days is UNSET:
        return keys.LIFETIME
    own = ends_at - about_now() if ends_at else None
    wanted = timedelta(days=asked.expires_in_days) if asked.expires_in_days else None
    if own is None or (wanted is not None and wanted <= own):
        return wanted
    detail = f"must end no later than your own key, in {own.days} days"
    fix = "Send fewer days or none, or use a key that lives longer."
    raise Refusal(TITLE, [body_fault(("expiresInDays",), detail, fix)], ABOVE_OWN_KEY)


def rate_of(asked: CreateKey, caller: Caller) -> int | None:
    """The new key's requests a second; None for the default.

    Raises:
        Refusal: they are more than the caller's own.
    """
    own = own_rate(caller)
    if rate_or_default(asked.requests_per_second, asked.user_id) <= own:
        return asked.requests_per_second
    if asked.requests_per_second is None:
        # The default is more than the caller has.
        return max(1, int(own))
    fix = "Send fewer, or use a key that has more."
    raise Refusal(TITLE, [fault_of_rate(caller, "requestsPerSecond", fix)], ABOVE_OWN_KEY)


def own_rate(caller: Caller) -> float:
    """Requests a second that the caller may send; infinite for staff, and who has no limit."""
    if not caller.id.startswith("key:"):
        return math.inf
    return rate_or_default(caller.rate, caller.user_id)


def rate_or_default(rate: int | None, user_id: int | None) -> float:
    """What `ordersite.web.rates` lets through of such a key's requests."""
    is_shop = user_id is None
    usual: float = (
        settings.CLIENT_REQUESTS_PER_SECOND if is_shop else settings.ADDRESS_REQUESTS_PER_SECOND
    )
    return rate or usual or math.inf


def fault_of_rate(caller: Caller, field: str, fix: str) -> Fault:
    detail = f"must not have more requests a second than your own key, {own_rate(caller):g}"
    return body_fault((field,), detail, fix)


def shown_once(made: NewKey) -> Response:
    body: NewApiKey = {**key_json(made.record), "key": made.secret}
    return Response(body, status=201, headers={"Cache-Control": "no-store"})


def faults_in(fields: Mapping[str, Any]) -> list[Fault]:
    """What is wrong in the body beside its types; what is None is known to be wrong."""
    name, scopes = fields.get("name"), fields.get("scopes") or []
    faults = []
    if name is not None and not keys.is_name(name):
        faults.append(fault(("name",), keys.NAME))
    for index, scope in enumerate(scopes):
        if scope is None:
            continue
        if not (found := matching(scope)):
            faults.append(fault(("scopes", index), f"{no_scope(scope)} {THERE_ARE}"))
        elif fields.get("userId") is not None and (denied := keys.not_a_customers(found)):
            faults.append(fault(("scopes", index), denied))
    return faults


def fault(path: Path, detail: str) -> Fault:
    return body_fault(path, detail, f"A good request is {EXAMPLE}.")
