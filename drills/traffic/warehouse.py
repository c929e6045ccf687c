"""Goods go out after everything was fixed, so that shipped units are part of each sum."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, HTTPException

from drills.cluster.site import Site
from drills.traffic.desk import PASSWORD, hire
from drills.traffic.placed import order_ids
from drills.violation import Kind, Violation
from drills.waiting import TookTooLong, wait_until

WAREHOUSE = "warehouse"
LOGIN = base64.b64encode(f"{WAREHOUSE}:{PASSWORD}".encode()).decode()
SHIPPED_ORDERS = 5
ANSWER_SECONDS = 10
#: What is still recovering answers with 503, or not at all.
RECOVERY_SECONDS = 60


class Refused(Exception):
    """It is answered so, however often it is asked."""


def ship_some(site: Site, users: range, chance: random.Random) -> Iterator[Violation]:
    """Ship a few of these users' confirmed orders over HTTP; that one can't be is a violation."""
    if site.database["auth_user"].find_one({"username": WAREHOUSE}) is None:
        hire(site, WAREHOUSE)
    ids = order_ids(site.database, users, status="confirmed")
    for order_id in chance.sample(ids, min(SHIPPED_ORDERS, len(ids))):
        try:
            wait_until(partial(is_shipped, site, order_id), RECOVERY_SECONDS, "Shipping")
        except (TookTooLong, Refused) as error:
            yield Violation(Kind.ANSWER, f"{order_id} could not be shipped: {error}")


def is_shipped(site: Site, order_id: str) -> bool:
    """Ask for it; False where there is an outage.

    Raises:
        Refused: the answer is neither a success nor a 503.
    """
    connection = HTTPConnection("127.0.0.1", site.web_port, timeout=ANSWER_SECONDS)
    path, headers = f"/inventory/reservations/{order_id}/ship", {"Authorization": f"Basic {LOGIN}"}
    with closing(connection):
        try:
            connection.request("POST", path, headers=headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            return False
    if response.status not in (200, 503):
        raise Refused(f"{response.status} {content[:200]!r}")
    return response.status == 200
