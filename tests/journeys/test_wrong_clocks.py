"""What a clock that was wrong has dated holds up nothing, and nothing of it is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import Decimal128
from django.conf import settings
from django.db import connection
from django.test import override_settings
from msgspec.structs import replace

from failed_messages.acting import job_control
from failed_messages.acting.alerts import send_alerts
from failed_messages.acting.job_runner import advance_jobs
from failed_messages.acting.policies import apply_policies, set_policy
from failed_messages.acting.replay import publish_claimed, replay
from failed_messages.archiving import certificate as certificate_of_archive
from failed_messages.reading.filters import Filter
from failed_messages.records.collection import failed_messages, failure_groups, replay_jobs
from messaging.service import services
from orders import placing, unanswered
from orders.requests.order_request import OrderRequest
from ordersite.pipeline.reconciling import reconcile
from runtime.lease import Lease, is_taken, leases
from tests import broker
from tests.failed_messages.copies import copies
from tests.failed_messages.letters import certificate, failed
from tests.failed_messages.staff import staff
from tests.failed_messages.test_scheduled import webhook  # noqa: F401
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BILLING = Filter(service="billing", status="failed")


def from_now(distance: timedelta) -> datetime:
    return datetime.now(UTC) + distance


def died(distance: timedelta) -> dict[str, Any]:
    """The certificate of a worker whose clock is so far ahead, or behind."""
    return certificate(at=from_now(distance).isoformat())


def test_a_lease_of_a_clock_that_was_set_back_does_not_last_until_it_is_there_again() -> None:
    dead = Lease("job")
    assert dead.is_held()
    other = Lease("job")
    assert not other.is_held()
    leases().update_one({"_id": "job"}, {"$set": {"expires_at": from_now(HOUR)}})

    assert not is_taken("job")
    assert other.is_held()


@pytest.mark.parametrize("distance", [HOUR, DAY])
def test_a_bulk_replay_goes_on(distance: timedelta) -> None:
    copies(3)
    job = job_control.start(BILLING, "me")
    ahead = {"sent_at": from_now(distance)}
    replay_jobs().update_one({"_id": job}, {"$set": ahead})

    advance_jobs()

    assert replay_jobs().find_one({"_id": job})["sent"] == 1


@pytest.mark.parametrize("distance", [HOUR, 2 * DAY, 40 * DAY])
def test_a_death_that_is_dated_in_the_future_is_archived_whole_and_replayed(
    distance: timedelta,
) -> None:
    stored = failed(death=died(distance))

    assert (stored.reason, stored.exception) == ("attempts_used_up", "TimeoutError")
    assert stored.last_failed_at <= from_now(timedelta(seconds=1))
    job = job_control.start(BILLING, "me")
    advance_jobs()
    assert replay_jobs().find_one({"_id": job})["sent"] == 1


def test_a_machine_without_a_clock_believes_it_is_1970() -> None:
    stored = failed(death=certificate(at="1970-01-01T00:05:00+00:00"))

    assert stored.reason == "attempts_used_up"
    assert abs(stored.last_failed_at - from_now(timedelta())) < timedelta(minutes=1)


def test_the_page_of_a_death_that_is_dated_after_the_readers_clock() -> None:
    """Whoever reads has the wrong clock."""
    stored = failed()
    death = certificate_of_archive.decode(stored.certificates[0])
    later = replace(death, at=from_now(2 * DAY).isoformat())
    text = certificate_of_archive.encode(later)
    failed_messages().update_one({"_id": stored.pk}, {"$set": {"certificates": [text]}})

    page = f"/admin/failed_messages/failedmessage/{stored.pk}/change/"
    assert staff().get(page).status_code == 200


@pytest.mark.parametrize("distance", [-3 * HOUR, -2 * DAY, 3 * HOUR])
def test_a_new_failure_is_told(webhook: list[dict[str, Any]], distance: timedelta) -> None:  # noqa: F811
    failed(death=died(distance))

    assert send_alerts() == 1
    assert send_alerts() == 0


def test_an_alert_of_the_future_holds_back_no_other(webhook: list[dict[str, Any]]) -> None:  # noqa: F811
    failed()
    failure_groups().update_many({}, {"$set": {"alerted_at": from_now(3 * HOUR)}})

    assert send_alerts() == 1


def test_a_policy_waits_as_long_as_it_says_whatever_a_workers_clock_says() -> None:
    failed(death=died(-HOUR))
    set_policy("operator", service="billing", delays=[timedelta(minutes=15)])
    assert apply_policies() == 0

    past = {"archived_at": from_now(-timedelta(minutes=16))}
    failed_messages().update_many({}, {"$set": past})
    assert apply_policies() == 1


def test_replays_of_the_future_are_published_and_may_be_repeated() -> None:
    stored = failed()
    replay([stored.pk], "me")
    assert len(broker.take_all("billing")) == 1
    ahead = {"replay.at": from_now(2 * HOUR), "replay.published_at": None}
    failed_messages().update_one({"_id": stored.pk}, {"$set": ahead})
    assert publish_claimed() == 1
    assert len(broker.take_all("billing")) == 1

    failed_messages().update_one(
        {"_id": stored.pk}, {"$set": {"replay.published_at": from_now(2 * HOUR)}}
    )
    assert replay([stored.pk], "me")[0].done


def test_an_order_of_the_future_is_sent_again_as_soon_as_any_other() -> None:
    connection.database["products"].insert_one(
        {"sku": "book", "price": Decimal128("1.00"), "currency": "EUR"}
    )
    order_id = placing.place(OrderRequest(user_id=1, items=["book"]))["_id"]
    lost = {"pending_events": [], "awaited_since": from_now(HOUR)}
    orders = connection.database["orders"]
    orders.update_one({"_id": order_id}, {"$set": lost, "$unset": {"pending_since": ""}})

    assert reconcile() == 0
    with override_settings(RECONCILE_AFTER_SECONDS=0.2):
        for service in ("billing", "inventory"):
            eventually(lambda service=service: is_overdue(service))
        assert reconcile() == 2
    broker.take_all("billing")
    broker.take_all("inventory")


def is_overdue(service: str) -> bool:
    after = settings.RECONCILE_AFTER_SECONDS
    return any(unanswered.overdue(services()[service], "order.placed", after))


def test_an_orders_id_and_its_time_are_of_one_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else `createdFrom` would pass over an order that is placed as the clock is set."""
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    monkeypatch.setattr(placing, "now_in_milliseconds", lambda: at)
    price = placing.Price(placing.Decimal(1), "EUR")

    document = placing.compose(1, {"book": 1}, {"book": price})

    assert document["_id"].generation_time == document["created_at"] == at
    assert document["_id"] != placing.compose(1, {"book": 1}, {"book": price})["_id"]
