"""How many requests a second a client may send: one with a key by its name, others by address.

Asked before anything else is done about a request, on both ways. The caller that was found by a
key or token lately counts for itself alone, so that a shop may come back from a pause with many
requests at once. Who says nothing, or something that is not known, counts for its address, so that
guesses at keys have a bound as well.

The header fields are those of draft-ietf-httpapi-ratelimit-headers-10. A process counts its own.
"""

from __future__ import annotations

import math
from functools import lru_cache

from django.http import HttpResponse

from ordersite.access import bearer
from ordersite.web import problems
from ordersite.web.body import Event
from ordersite.web.request_scope import ANSWER_FIELDS, CALLER, Fields, address_of, answer_fields
from runtime.requests import client_address
from runtime.requests.problem_types import TOO_MANY_REQUESTS
from runtime.requests.token_buckets import Buckets

#: Probes of the site's operator; they have few places of their own, and readiness is kept for a
#: second.
UNCOUNTED = "/health/"
#: From nothing left to all, so a client may send at once what it did not send in this time.
WINDOW_SECONDS = 10
#: What of its quota a client has left, and in how many seconds it has all of it again.
LEFT = {"address": b'"address";r=%d;t=%d', "client": b'"client";r=%d;t=%d'}


class TooSoon(Exception):
    """The client has sent more than it may."""

    def __init__(self, policy: str, per_second: float, wait: float) -> None:
        super().__init__(policy)
        self.policy = policy
        self.per_second = per_second
        #: Seconds until it may send one more.
        self.wait = wait


class Rates:
    """The buckets of all clients."""

    def __init__(self, of_an_address: float, of_a_client: float) -> None:
        """
        Args:
            of_an_address: requests a second of all who come from it without a key; 0: any number.
            of_a_client: the same for a shop whose key has no rate of its own. One of a customer has
                as many as an address.
        """
        self._of_an_address = of_an_address
        self._of_a_client = of_a_client
        self._buckets = Buckets(WINDOW_SECONDS)

    def take(self, scope: Event) -> None:
        """Count the request; note its caller, and what its answer says of the rate.

        Raises:
            TooSoon: see there.
        """
        header = authorization(scope)
        caller = scope[CALLER] = bearer.known_caller(header)
        if caller is None:
            caller = bearer.last_caller(header)
        if caller is not None:
            # No address begins so.
            policy, client = "client", f"client {caller.id}"
            # A customer is one person, a shop is all of its customers.
            usual = self._of_a_client if caller.user_id is None else self._of_an_address
            per_second = caller.rate or usual
        else:
            policy, client, per_second = "address", "", self._of_an_address
        if not per_second or scope["path"].startswith(UNCOUNTED):
            return
        client = client or client_address.bounded(address_of(scope))
        left = self._buckets.take(client, per_second)
        scope[ANSWER_FIELDS] = (*answer_fields(scope), *fields(policy, per_second, left))
        if left < 0:
            raise TooSoon(policy, per_second, -left)


def fields(policy: str, per_second: float, seconds: float) -> Fields:
    """The header fields of an answer; `seconds` is what `Buckets.take` said."""
    full_in = WINDOW_SECONDS if seconds < 0 else seconds
    # What floats lose must not be a whole request.
    remaining = (WINDOW_SECONDS - full_in) * per_second + 1e-6
    return (
        policy_field(policy, per_second),
        (b"ratelimit", LEFT[policy] % (remaining, full_in + 1)),
    )


@lru_cache(maxsize=1_000)
def policy_field(policy: str, per_second: float) -> tuple[bytes, bytes]:
    quota = b'"%b";q=%d;w=%d' % (policy.encode(), per_second * WINDOW_SECONDS, WINDOW_SECONDS)
    return (b"ratelimit-policy", quota)


def authorization(scope: Event) -> bytes:
    for name, value in scope["headers"]:
        if name == b"authorization":
            header: bytes = value
            return header
    return b""


def refused(too_soon: TooSoon) -> HttpResponse:
    """The answer to a request that came too soon."""
    wait = max(1, math.ceil(too_soon.wait))
    whose = "your address" if too_soon.policy == "address" else "you"
    return problems.problem(
        TOO_MANY_REQUESTS,
        f"More than {too_soon.per_second:g} requests a second came from {whose}, so nothing was "
        f"done about this one. Send it again in {wait} s.",
        retry_after_seconds=wait,
    )
