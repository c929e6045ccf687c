"""Buckets of time, their percentiles, and the charts that are drawn of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from bson import ObjectId
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from orders.collection import orders
from ordersite.overview import measuring
from ordersite.overview.charts import charts, seconds, span_named
from ordersite.overview.time_buckets import (
    BARS,
    DAY,
    HOUR,
    SPANS,
    WEEK,
    Bucket,
    loaded,
    stored,
    took,
    total,
)
from runtime.mongodb_clock import mongodb_now
from tests.failed_messages.letters import failed
from tests.failed_messages.stored_orders import place

NOW = datetime(2026, 11, 28, 3, 7, 31, tzinfo=UTC)


@given(st.lists(st.floats(0.011, 30_000), min_size=1, max_size=50))
def test_a_percentile_is_right_to_a_bar(durations: list[float]) -> None:
    histogram = took(durations)

    assert histogram.count == len(durations)
    slowest, found = max(durations), histogram.percentile(1.0)
    assert found is not None
    assert slowest <= found * 1.0001
    assert found <= slowest * 1.4143


def test_half_are_quick_and_one_in_a_hundred_is_not() -> None:
    histogram = took([0.02] * 98 + [40.0] * 2)

    assert (seconds(histogram.percentile(0.5)), seconds(histogram.percentile(0.99))) == (
        "20 ms",
        "41.0 s",
    )
    assert took([]).percentile(0.5) is None


def test_buckets_add_up_to_a_longer_one() -> None:
    first = Bucket(NOW, 3, 1, {"billing": took([0.02, 0.02, 5.0])})
    second = Bucket(NOW, 2, 0, {"billing": took([5.0]), "inventory": took([1.0])})

    both = total(NOW, [first, second])

    assert (both.placed, both.failures) == (5, 1)
    assert both.took["billing"] == took([0.02, 0.02, 5.0, 5.0])
    assert both.took["inventory"].count == 1
    assert total(NOW, []) == Bucket(NOW)
    assert loaded({"_id": "x", **stored(both)}) == both


@pytest.mark.parametrize("span", SPANS, ids=lambda span: span.name)
def test_a_span_has_a_bounded_number_of_buckets_up_to_now(span: Any) -> None:
    starts = span.starts(NOW)

    assert len(starts) == span.buckets <= 100
    assert starts[-1] <= NOW < starts[-1] + span.bucket
    assert starts[-1] - starts[0] == span.length - span.bucket
    assert span_named(span.name) is span


def test_an_unknown_span_is_the_hour() -> None:
    assert span_named("century") is span_named(None) is HOUR


def test_a_minute_is_measured_at_once_and_again_when_orders_were_answered() -> None:
    kept = set(HOUR.starts(NOW))
    this = HOUR.start_of(NOW)

    assert measuring.due(NOW, kept) == [this - timedelta(minutes=each) for each in (0, 1, 2, 5, 30)]


def test_minutes_that_no_scheduler_saw_are_measured_some_at_a_time() -> None:
    found = measuring.due(NOW, set())

    assert len(found) == len(set(found)) <= 15


def order(age_seconds: float, **answered_after: float) -> dict[str, Any]:
    at = NOW - timedelta(seconds=age_seconds)
    steps = [
        {"service": service, "at": at + timedelta(seconds=after)}
        for service, after in answered_after.items()
    ]
    return {"created_at": at, "steps": steps, "ledger": {"inventory": {}, "billing": {}}}


def test_an_order_that_waits_took_as_long_as_it_has_waited() -> None:
    sample = [order(90, inventory=0.2), order(90, inventory=0.2, billing=3)]

    assert measuring.durations("inventory", sample, NOW) == took([0.2, 0.2])
    assert measuring.durations("billing", sample, NOW) == took([90, 3])
    # Shipping does not hear of orders that were not confirmed.
    assert measuring.durations("shipping", sample, NOW).count == 0


def test_some_orders_stand_for_all() -> None:
    assert measuring.durations("inventory", [order(9, inventory=1)], NOW, 50.0).count == 50


@pytest.mark.parametrize("busy", [False, True])
def test_charts_are_drawn_of_nothing_and_of_much(busy: bool) -> None:
    full = Bucket(NOW, 60_000, 7, {"billing": took([0.02] * 99 + [300])})
    buckets = [full if busy else Bucket(NOW) for _ in range(HOUR.buckets)]

    drawn = charts(HOUR, buckets, ["billing"])

    assert [each.title for each in drawn] == [
        "Orders accepted",
        "Accepted → answered by billing",
        "Messages failed",
    ]
    said = [figure.text for each in drawn for figure in each.figures]
    assert ("3,600,000" in said) is busy
    assert ("p50 -" in said) is not busy
    for each in drawn:
        svg = ElementTree.fromstring(each.svg)
        assert svg.attrib["role"] == "img"
        assert svg.attrib["aria-label"]
        assert each.link.url.startswith("/admin/")


class TestInMongoDB:
    pytestmark = pytest.mark.usefixtures("clean")

    def test_what_was_placed_and_failed_is_in_each_span_and_on_the_page(self) -> None:
        now = mongodb_now()
        placed = place()
        minute = HOUR.start_of(now) - timedelta(minutes=1)
        orders().delete_one({"_id": placed["_id"]})
        earlier = {**placed, "_id": ObjectId.from_datetime(minute), "created_at": minute}
        orders().insert_one(earlier)
        failed()

        measuring.measure()
        measuring.measure()

        for span in SPANS:
            buckets = measuring.of(span, now)
            assert len(buckets) == span.buckets
            assert sum(each.placed for each in buckets) == 1
            whole = total(now, buckets)
            assert whole.took["billing"].count == 1
            assert (whole.took["billing"].percentile(0.5) or 0) >= 60
        client = Client(SERVER_NAME="localhost")
        client.force_login(User.objects.create_superuser("operator"))
        for span in SPANS:
            page = client.get(f"/admin/overview/?span={span.name}").content.decode()
            assert f"1 order in the last {span.name}" in page

    def test_old_buckets_are_deleted(self) -> None:
        old = Bucket(mongodb_now() - timedelta(days=9), 1)
        for span in (HOUR, DAY, WEEK):
            measuring._keep(span, [old])

        measuring.measure()

        assert measuring.buckets().count_documents({"start": old.start}) == 0


def test_a_histogram_reaches_from_milliseconds_to_hours() -> None:
    assert took([0.001, 1e9]).bars[0] == took([0.001, 1e9]).bars[BARS - 1] == 1
