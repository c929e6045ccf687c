"""Which route answers a request, as a template."""

from __future__ import annotations

import re
from functools import lru_cache

from django.http import HttpRequest

#: Where the WSGI environment of an answered request says it.
ROUTE = "ordersite.route"
#: A part of a path in Django's words, such as `<str:order_id>`.
_PART = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
#: The last of all patterns, which answers that there is nothing.
_NOWHERE = "/{address}"


def route_of(request: HttpRequest) -> str:
    """`/orders/{order_id}`; empty where the request met none."""
    match = request.resolver_match
    route = as_template(match.route) if match else ""
    return "" if route == _NOWHERE else route


@lru_cache(maxsize=1_000)
def as_template(route: str) -> str:
    return "/" + _PART.sub(r"{\1}", route)
