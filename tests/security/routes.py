"""Every route of the API with the scope that it needs, and an address that reaches it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

#: What nobody needs a key for: a probe, pages that lead to the admin's login, what the API is, and
#: the answer 404.
OPEN = {
    *("", "admin", "health/live", "health/serving", "health/ready", "<path:address>"),
    *("docs", "docs/events", "openapi.json", "asyncapi.yaml", "problems", "problems/<str:name>"),
}

READ, REPLAY, TRIAGE = (f"failed-messages:{each}" for each in ("read", "replay", "triage"))
EDIT, DISCARD = "failed-messages:edit", "failed-messages:discard"

#: By route: the scope of each method.
SCOPES = {
    "orders": {"GET": "orders:read", "POST": "orders:place"},
    "orders/import": {"POST": "orders:import"},
    "orders/<str:order_id>": {"GET": "orders:read"},
    "orders/<str:order_id>/timeline": {"GET": "orders:read"},
    "orders/<str:order_id>/events": {"GET": "orders:read"},
    "orders/<str:order_id>/cancel": {"POST": "orders:cancel"},
    "orders/<str:order_id>/invoice": {"GET": "invoices:read"},
    "orders/<str:order_id>/invoice.pdf": {"GET": "invoices:read"},
    "orders/<str:order_id>/credit-note": {"GET": "invoices:read"},
    "orders/<str:order_id>/credit-note.pdf": {"GET": "invoices:read"},
    "products": {"GET": "catalogue:read", "POST": "catalogue:write"},
    "products/<str:sku>": {"GET": "catalogue:read", "PATCH": "catalogue:write"},
    "products/<str:sku>/withdraw": {"POST": "catalogue:write"},
    "products/<str:sku>/offer": {"POST": "catalogue:write"},
    "inventory/products/<str:sku>/restock": {"POST": "stock:write"},
    "inventory/reservations/<str:order_id>/ship": {"POST": "orders:ship"},
    "webhooks/endpoints": {"GET": "webhooks:read", "POST": "webhooks:manage"},
    "webhooks/endpoints/<str:endpoint_id>": {
        "GET": "webhooks:read",
        "PATCH": "webhooks:manage",
        "DELETE": "webhooks:manage",
    },
    "webhooks/endpoints/<str:endpoint_id>/rotate-secret": {"POST": "webhooks:manage"},
    "webhooks/endpoints/<str:endpoint_id>/enable": {"POST": "webhooks:manage"},
    "webhooks/endpoints/<str:endpoint_id>/disable": {"POST": "webhooks:manage"},
    "webhooks/endpoints/<str:endpoint_id>/test": {"POST": "webhooks:manage"},
    "webhooks/endpoints/<str:endpoint_id>/send-again": {"POST": "webhooks:manage"},
    "webhooks/endpoints/<str:endpoint_id>/deliveries": {"GET": "webhooks:read"},
    "webhooks/deliveries/<str:delivery_id>": {"GET": "webhooks:read"},
    "webhooks/deliveries/<str:delivery_id>/send-again": {"POST": "webhooks:manage"},
    "pipeline/conservation": {"GET": "pipeline:read"},
    "metrics": {"GET": "pipeline:read"},
    "failed-messages": {"GET": READ},
    "failed-messages/replay": {"POST": REPLAY},
    "failed-messages/groups": {"GET": READ},
    "failed-messages/groups/<str:fingerprint>": {"GET": READ, "PATCH": TRIAGE},
    "failed-messages/jobs": {"GET": READ},
    "failed-messages/jobs/<str:id_>": {"GET": READ},
    "failed-messages/jobs/<str:id_>/<str:what>": {"POST": REPLAY},
    "failed-messages/policies": {"GET": READ, "POST": REPLAY},
    "failed-messages/policies/<str:scope>": {"DELETE": REPLAY},
    "failed-messages/pending": {"GET": READ},
    "failed-messages/pending/<str:id_>/<str:what>": {"POST": READ},
    "failed-messages/retries/<str:id_>/retry-now": {"POST": REPLAY},
    "failed-messages/retries/<str:id_>/stop-retrying": {"POST": DISCARD},
    "failed-messages/<str:id_>": {"GET": READ},
    "failed-messages/<str:id_>/replay": {"POST": REPLAY},
    "failed-messages/<str:id_>/edit": {"POST": EDIT},
    "failed-messages/<str:id_>/discard": {"POST": DISCARD},
    "failed-messages/<str:id_>/restore": {"POST": DISCARD},
    "api-keys": {"GET": "api-keys:read", "POST": "api-keys:write"},
    "api-keys/<str:id_>": {"GET": "api-keys:read"},
    "api-keys/<str:id_>/rotate": {"POST": "api-keys:write"},
    "api-keys/<str:id_>/revoke": {"POST": "api-keys:write"},
}

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Route(NamedTuple):
    """One method of one address, with any id in it."""

    method: str
    path: str
    scope: str


def routes() -> list[Route]:
    return [
        Route(method, address(route), scope)
        for route, scopes in SCOPES.items()
        for method, scope in scopes.items()
    ]


def address(route: str) -> str:
    parts = ("a" * 24 if part.startswith("<") else part for part in route.split("/"))
    return "/" + "/".join(parts)


def declared() -> Iterator[tuple[str, URLPattern]]:
    """Every route of the site but the admin's pages, which have a login and permissions."""
    yield from within(get_resolver().url_patterns, "")


def within(patterns: Sequence[Any], before: str) -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield route, each
        elif isinstance(each, URLResolver) and route != "admin/":
            yield from within(each.url_patterns, route)
