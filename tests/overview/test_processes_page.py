"""The list of processes, behind the front page's numbers of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.failed_messages.staff import staff
from tests.runtime.test_presence import said, store

pytestmark = pytest.mark.usefixtures("clean")


def told(query: str = "") -> str:
    return staff("view_order").get(f"/admin/processes/{query}").content.decode()


def test_each_process_tells_where_it_is_and_what_it_does() -> None:
    store(said(), said(kind="worker", queues=["billing"], host="box2", pid=11, doing="", did=""))

    page = told()

    for part in ("relay", "works", "elsewhere", "process 7", "Publishing events.", "60 min", "UTC"):
        assert part in page
    assert re.search(r"published 3 events, \d+ s ago", page)
    assert "box2" in page


def test_what_is_wrong_with_one_is_said() -> None:
    killed = said(at=datetime.now(UTC) - timedelta(minutes=3))
    store(killed, said(stuck_seconds=90.0), said(trouble="measure does not end; start it again."))

    page = told()

    assert "silent: killed, frozen, or without MongoDB" in page
    assert "hangs: end it, and start it again" in page
    assert "measure does not end" in page
    assert page.count('<tr class="is-bad">') == 3


def test_a_kind_and_a_queue_have_lists_of_their_own() -> None:
    store(said(), said(kind="worker", queues=["billing"], host="box2"))

    assert "box2" not in told("?kind=relay")
    of_billing = told("?queue=billing")
    assert "box2" in of_billing
    assert "elsewhere" not in of_billing
    # Nothing consumes from the tests' RabbitMQ.
    assert "RabbitMQ knows 0 workers of billing." in of_billing
    assert "0 messages wait in the queue billing." in of_billing
    assert "None has given a sign of life" in told("?kind=archiver")


@pytest.mark.parametrize(
    "query", ["?kind=nothing", "?queue=nothing", "?queue=$where", "?kind=", "?service=billing"]
)
def test_a_wrong_filter_lists_nothing_and_says_so(query: str) -> None:
    store(said())

    page = told(query)

    assert "Nothing is listed: of the filters in the address" in page
    assert "elsewhere" not in page


def test_who_may_not_see_orders_may_not_see_this() -> None:
    assert staff("view_failedmessage").get("/admin/processes/").status_code == 403
