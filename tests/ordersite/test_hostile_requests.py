"""Whatever staff send to any address, the site's answer is never an error of its own.

The addresses are those of the URL resolver and the fields those of the admin's registry, so that a
new route, list or form is tried without a line here. To try others: --seed, and for more of them
HOSTILE_REQUESTS.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client, override_settings
from django.urls import URLPattern, get_resolver

from billing.invoicing import issue
from billing.order_in_message import read_placed
from failed_messages.acting.job_control import start
from failed_messages.acting.policies import set_policy
from failed_messages.reading.filters import FIELDS, Filter
from inventory.reserving import reserve
from orders.requests.order_filters import OrderFilters
from tests.asgi_client import AsgiClient
from tests.billing.orders import placed
from tests.failed_messages.letters import ORDER_ID, failed
from tests.failed_messages.stored_orders import place
from tests.inventory.catalogue import order as reserved
from tests.inventory.catalogue import stocked

#: Of each route, with GET and with POST.
REQUESTS = int(os.environ.get("HOSTILE_REQUESTS", 2))

OTHER_METHODS = ("PATCH", "DELETE", "PUT", "HEAD", "OPTIONS")
#: Ends the session; is open for a minute; may say 503; checks everything for a second.
LEFT_OUT = ("admin/logout/", "orders/<str:order_id>/events", "health/ready", "admin/doctor/")

#: As they stand in an address; `%00` is a NUL, `%ED%A0%80` a lone surrogate in UTF-8.
TEXTS = (
    *("%00", "a%00b", "9" * 5000, "-1", "0", "1e999", "NaN", "9" * 20, "%ED%A0%80", "%FF"),
    *("$gt", "%7B%22%24gt%22%3A%22%22%7D", "%5B" * 3000, "..", "%2E%2E%2F", "%27%22%3C%3E", "_00"),
    *("_5F_00", "%D9%A3", "%C2%B2", "999999d", "999999s", "15m", "a" * 3000, "%F0%9F%98%80", ""),
    *("%0A", "%C2%85", "true", "2026-13-45", "9999-12-31", "0001-01-01T00:00:00%2B14:00", "%zz"),
    *("o=99999", "_changelist_filters", "-99.1.x", "%FF%FE", "failed", "billing", "%20"),
)
JSON_BODIES = (
    *(b"", b"[" * 3000, b'{"a":' * 3000, b"[]", b"null", b'"x"', b"5", b"NaN", b"{", b"\xff\xfe"),
    *(b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b"9" * 5000, b'{"reason": "\\ud800"}', b"1e999"),
    *(b'{"reason": 1, "reason": "x"}', b"[" * 500_000, b'{"\\u0000": 1}', b" " * 2**21),
)
JSON_VALUES = (
    *(None, True, 0, -1, 1.5, 10**30, 2**63, "", "\0", "x", "9" * 5000, [], [1], ["x"], {}),
    *({"$gt": ""}, ["\0"], ["15m"], ["999999d"], [None], {"$where": "1"}, "\ud800", ["\ud800"]),
    *("service=billing&newerThan=999999d", "error=%00", "q=%ED%A0%80", "&" * 2000, "=", "%"),
)
JSON_NAMES = (
    *("reason", "ids", "group", "filter", "ratePerSecond", "dryRun", "body", "service", "after"),
    *(
        "owner",
        "note",
        "link",
        "status",
        "fixedIn",
        "fixed_in",
        "quantity",
        "userId",
        "items",
        "$gt",
    ),
)
CONTENT_TYPES = (
    *("application/json", "application/json", "application/json", "text/csv", "text/plain", ""),
    *("application/x-ndjson", "application/json; charset=utf-16", "application/json; charset=hex"),
    *(
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/json, text/csv",
        ";;;",
    ),
)
HEADERS = (
    *(
        {},
        {},
        {},
        {"idempotency-key": "a,b"},
        {"idempotency-key": " "},
        {"accept": ";q=x,*/*;q=nan"},
    ),
    *({"content-encoding": "gzip"}, {"x-http-method-override": "DELETE"}, {"range": "bytes=9-1"}),
    *({"last-event-id": "\xff"}, {"accept-language": "x" * 600}, {"if-modified-since": "soon"}),
    *({"x-forwarded-host": "a,b"}, {"cookie": "sessionid=\xff; csrftoken=x"}, {"referer": "\xff"}),
    *({"content-length": "-1"}, {"transfer-encoding": "chunked"}, {"if-none-match": "x"}),
    *({}, {}, {}, {}, {}, {}, {}, {}),
)

LOOKUPS = ("exact", "gt", "lte", "in", "isnull", "range", "regex", "search", "iexact", "contains")

TOKEN = "t" * 32


@dataclass(frozen=True, slots=True)
class Case:
    """One request, as it can be sent again."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"{self.method} {self.path[:200]} {self.content_type} {self.headers} "
            f"{self.body[:200]!r}"
        )


def routes() -> list[str]:
    """Each address of the site, like `orders/<str:order_id>`."""
    found = [route for route in patterns(get_resolver().url_patterns) if route not in LEFT_OUT]
    assert len(found) > 80
    return found


def patterns(entries: Any, before: str = "") -> Iterator[str]:
    for each in entries:
        route = before + str(each.pattern).removeprefix("^")
        if isinstance(each, URLPattern):
            yield route
        else:
            yield from patterns(each.url_patterns, route)


class Sender:
    """A member of the staff who tries everything; knows what is there."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.known = a_bit_of_everything()
        self.names = names()
        self.log_in()

    def log_in(self) -> None:
        """Have a session of somebody who may do everything; a form may have ended the last."""
        user, _ = User.objects.update_or_create(
            username="operator", defaults={"is_staff": True, "is_superuser": True}
        )
        browser = Client()
        browser.force_login(user)
        cookie = f"sessionid={browser.cookies['sessionid'].value}; csrftoken={TOKEN}"
        self.login = {"cookie": cookie, "x-csrftoken": TOKEN}

    def cases(self) -> Iterator[Case]:
        for route in routes():
            others = self.chance.sample(OTHER_METHODS, 1)
            for method in [*("GET", "POST") * REQUESTS, *others]:
                yield self.case(route, method)

    def case(self, route: str, method: str) -> Case:
        path = "/" + re.sub(r"<(?:\w+:)?(\w+)>|\(.*\)\$?", self.part, route)
        query = "&".join(self.pair() for _ in range(self.chance.choice((0, 0, 1, 1, 2, 4))))
        path = f"{path}?{query}" if query else path
        if method in ("GET", "HEAD", "OPTIONS"):
            return Case(method, path, headers=self.chance.choice(HEADERS))
        body, content_type = self.form() if "admin/" in route else self.json()
        return Case(method, path, body, content_type, self.chance.choice(HEADERS))

    def part(self, match: re.Match[str]) -> str:
        good = self.known.get(match[1] or "", ["x"])
        return self.chance.choice(good if self.chance.random() < 0.7 else TEXTS)

    def pair(self) -> str:
        return f"{self.chance.choice(self.names)}={self.chance.choice(TEXTS)}"

    def json(self) -> tuple[bytes, str]:
        content_type = self.chance.choice(CONTENT_TYPES)
        if self.chance.random() < 0.4:
            return self.chance.choice(JSON_BODIES), content_type
        chosen = self.chance.sample(JSON_NAMES, self.chance.randrange(4))
        return json.dumps(
            {n: self.chance.choice(JSON_VALUES) for n in chosen}
        ).encode(), content_type

    def form(self) -> tuple[bytes, str]:
        if self.chance.random() < 0.1:
            return self.json()
        pairs = [self.pair() for _ in range(self.chance.randrange(8))]
        return "&".join(pairs).encode(), "application/x-www-form-urlencoded"

    def send(self, case: Case) -> Any:
        response = AsgiClient().request(
            case.method, case.path, case.body, case.content_type, self.login | case.headers
        )
        if response.status_code in (302, 401, 403):
            self.log_in()
        return response


def names() -> list[str]:
    """What a query string or a form of the site may have, and most often what pages read."""
    asked = [
        *FIELDS,
        *OrderFilters.__struct_encode_fields__,
        "after",
        "hours",
        "by",
        "id",
        "reason",
    ]
    asked += ["o", "p", "e", "all", "q", "q", "q", "_popup", "_to_field", "_changelist_filters"]
    asked += ["action", "_selected_action", "index", "select_across", "_save", "_continue", "post"]
    asked += ["rate", "selection", "what", "body", "restock", "delivery", "next", "_facets", "term"]
    asked += ["app_label", "model_name", "field_name", "form-TOTAL_FORMS", "form-INITIAL_FORMS"]
    fields = {f.name for model in admin.site._registry for f in model._meta.get_fields()}
    lookups = [f"{name}__{how}" for name in sorted(fields) for how in LOOKUPS]
    return asked * 10 + sorted(fields) * 2 + lookups


def a_bit_of_everything() -> dict[str, list[str]]:
    """Stores one of each, and returns what names it, by the parameter of the routes."""
    record = failed()
    stocked(pen=10, book=10)
    job = start(Filter(service="billing"), "operator")
    scope = set_policy("operator", delays=[timedelta(hours=1)], service="billing")
    order = str(place()["_id"])
    reserve(reserved(order, pen=1))
    issue(read_placed(placed(order)))
    message, group = str(record.pk), str(record.fingerprint)
    some_user = User.objects.create_user("clerk")
    some_group = Group.objects.create(name="packers")
    ids = [message, group, str(job), scope, order, str(some_user.pk), str(some_group.pk)]
    return {
        "order_id": [order, ORDER_ID],
        "sku": ["pen"],
        "id_": [message, str(job)],
        "fingerprint": [group],
        "scope": [scope],
        "verb": ["replay", "edit", "discard", "restore"],
        "what": ["pause", "resume", "cancel"],
        "object_id": [quote(each) for each in ids],
        "id": [quote(each) for each in ids],
        "app_label": [model._meta.app_label for model in admin.site._registry],
        "content_type_id": ["1"],
        "address": ["x"],
        "url": ["x/"],
    }


@pytest.mark.usefixtures("clean")
def test_whatever_staff_send_the_answer_is_not_an_error_of_the_site(
    caplog: pytest.LogCaptureFixture, chance: random.Random
):
    with override_settings(DEBUG=False):
        wrong = errors(Sender(chance), caplog)

    assert not wrong, "\n".join([str(len(wrong)), *wrong])


def errors(sender: Sender, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The requests that the site answered with an error of its own."""
    wrong = []
    for case in sender.cases():
        caplog.clear()
        response = sender.send(case)
        if response.status_code >= 500:
            error = next((r.exc_info for r in caplog.records if r.exc_info), (None, "", None))
            wrong.append(f"{response.status_code} {case}: {error[0]} {str(error[1])[:200]}")
    return wrong
