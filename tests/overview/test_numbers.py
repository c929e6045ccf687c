"""Each number of the front page leads to the list behind it; in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from messaging.handling.retry_notes import Due
from ordersite.overview import page
from ordersite.overview.durations import age
from ordersite.overview.numbers import line_rows, processes, queue_rows, service_rows, tiles
from ordersite.overview.snapshot import (
    Deliverer,
    Doctor,
    Outbox,
    Snapshot,
    StockDifference,
    loaded,
    stored,
)
from ordersite.overview.verdict import judge
from ordersite.pipeline import health
from tests.overview.snapshots import (
    NOW,
    SERVICES,
    ago,
    but,
    failed,
    line,
    queue,
    well,
    with_queues,
)


def told(snapshot: Snapshot) -> dict[str, tuple[str, str, bool]]:
    """The tiles and processes by name: text, address, whether it is bad."""
    return told_of(snapshot, SERVICES)


def told_of(snapshot: Snapshot, services: tuple[str, ...]) -> dict[str, tuple[str, str, bool]]:
    numbers = tiles(snapshot, NOW, services) + processes(snapshot, NOW, services)
    return {each.name: (each.text, each.link.url, each.is_bad) for each in numbers}


def test_a_pipeline_that_is_well_shows_no_bad_number() -> None:
    rows = [*service_rows(well(), NOW, SERVICES), *queue_rows(well(), NOW), *line_rows(well())]

    assert [name for name, (_, _, is_bad) in told(well()).items() if is_bad] == []
    assert [each for row in rows for each in row.numbers if each.is_bad] == []


def test_what_an_archiver_would_have_stored_is_told_beside_what_is_seen() -> None:
    down = but(queues=with_queues(queue("billing.dlq", 9, consumers=0)), failed=failed(3))

    assert told(down)["failed messages"][::2] == ("3, 9 more unread", True)


def test_what_is_not_known_does_not_look_healthy() -> None:
    blind = but(failed=None, stock=None, doctor=None, relay=None)
    shown = [*tiles(blind, NOW, SERVICES), *processes(blind, NOW, SERVICES)]

    assert [each.name for each in shown if each.is_unknown] == [
        "failed messages",
        "orders that failed",
        "new causes in 24 h",
        "stock",
        "doctor",
        "relay",
    ]


def test_a_service_that_answers_no_order_tells_since_when_its_queue_is_not_empty() -> None:
    filled = {"orders": ago(minutes=3), "billing": ago(minutes=4)}

    def shown(messages: int, **changes: Any) -> tuple[str, bool]:
        snapshot = but(**{"queues": with_queues(queue("orders", messages)), **changes})
        rows = {row.name: row.numbers for row in service_rows(snapshot, NOW, SERVICES)}
        assert rows["billing"][2].text == "none"
        return rows["orders"][2].text, rows["orders"][2].is_bad

    assert shown(9_000, filled_since=filled) == ("3 min", False)
    # As the verdict has it.
    assert shown(10_000, filled_since=filled) == ("3 min", True)
    assert shown(0) == ("none", False)
    # No scheduler runs, or no RabbitMQ answers.
    assert shown(40) == shown(0, queues=None) == ("?", False)


def test_failures_tell_count_orders_money_and_age() -> None:
    shown = told(but(failed=failed()))

    assert shown["failed messages"][0] == "12"
    assert shown["failed messages"][1].endswith("/failedmessage/?status=failed")
    assert shown["orders that failed"][:2] == ("12", "/admin/orders/order/?needs=failed")
    assert shown["worth"][0] == "4,210.00 EUR"
    assert shown["oldest failed"][0] == "2 h 0 min ago"
    assert shown["new causes in 24 h"][0] == "1"


def test_what_is_being_replayed_is_another_number_as_it_is_another_list() -> None:
    shown = told(but(failed=failed(12, replaying=5)))

    assert shown["failed messages"][0] == "7"
    assert shown["being replayed"][0] == "5"
    assert shown["being replayed"][1].endswith("/failedmessage/?status=replaying")


def test_new_causes_are_counted_and_listed_since_the_same_moment() -> None:
    shown = told(but(failed=failed(new_since=ago(days=1))))

    query = "status__exact=new&first_failed_at__gte=2026-11-27T03:00:00.000Z"
    assert shown["new causes in 24 h"][1].endswith(f"/failuregroup/?{query}")


def test_retries_tell_when_the_next_is_due() -> None:
    waiting = but(
        queues=with_queues(queue("billing.retry.5s", 2, consumers=0)),
        retries_due={"billing": Due(2, NOW + timedelta(seconds=4))},
    )

    text, url, _ = told(waiting)["retries waiting"]
    assert (text, url) == ("2, next in 4 s", "/admin/failed_messages/failedmessage/retries/")
    billing = service_rows(waiting, NOW, SERVICES)[2]
    assert billing.numbers[3].link.url.endswith("/failedmessage/retries/?service=billing")
    assert [each.text for each in billing.numbers] == ["0", "1", "none", "2, next in 4 s", "0"]


def test_the_numbers_of_a_retry_storm_say_what_the_verdict_says() -> None:
    """Most of it is in the service's own queue, as it is due faster than it is run."""
    storm = but(
        queues=with_queues(queue("billing.retry.5s", 3, consumers=0)),
        lines=(line("inventory"), line("billing", retrying=436)),
        retries_due={"billing": Due(872)},
    )
    (concern,) = judge(storm, NOW, SERVICES).concerns
    billing = service_rows(storm, NOW, SERVICES)[2].numbers[3]

    assert "872 messages wait for a retry" in concern.what
    assert told(storm)["retries waiting"][::2] == ("872", True)
    assert (billing.text, billing.is_bad) == ("872", True)
    assert concern.click.url == billing.link.url


def test_some_retries_of_each_service_are_no_storm() -> None:
    some = but(retries_due=dict.fromkeys(SERVICES, Due(6)))

    assert told(some)["retries waiting"][::2] == ("18", False)
    assert not judge(some, NOW, SERVICES).concerns


def test_a_service_without_a_worker_tells_when_it_was_last_seen() -> None:
    dead = but(
        queues=with_queues(queue("billing", 5, consumers=0)),
        consumers_seen={"billing": ago(minutes=5)},
    )

    workers = service_rows(dead, NOW, SERVICES)[2].numbers[1]
    assert (workers.text, workers.is_bad) == ("none, last 5 min ago", True)


def test_queues_of_no_worker_tell_how_many_wait_and_since_when() -> None:
    filled = but(
        queues=with_queues(
            queue("billing.dlq", 9),
            queue("replay_outcomes", 3, consumers=0),
            queue("undeliverable"),
        ),
        filled_since={"billing.dlq": ago(minutes=5), "replay_outcomes": ago(seconds=4)},
    )

    rows = {row.name: row.numbers for row in queue_rows(filled, NOW)}

    told = {name: [each.text for each in numbers] for name, numbers in rows.items()}
    assert told["inventory.dlq"] == ["0", "1", "empty"]
    assert told["billing.dlq"] == ["9", "1", "5 min"]
    assert told["replay_outcomes"] == ["3", "0", "4 s"]
    assert [each.is_bad for each in rows["billing.dlq"]] == [True, False, True]
    assert [each.is_bad for each in rows["replay_outcomes"]] == [False, True, False]


def test_what_can_be_delivered_to_nobody_is_bad_at_once() -> None:
    kept = but(queues=with_queues(queue("undeliverable", 1, consumers=0)))

    assert [each.is_bad for each in queue_rows(kept, NOW)[-1].numbers] == [True, False, True]


def test_a_line_leads_to_each_of_its_places() -> None:
    (row,) = line_rows(but(lines=(line("billing", failed=2, in_flight=1),)))

    assert [each.text for each in row.numbers] == ["100", "97", "1", "0", "2", "0", "0"]
    urls = {each.name: each.link.url for each in row.numbers}
    assert all(url.startswith("/admin/") for url in urls.values())
    # It counts orders, of this service.
    assert urls["failed"].endswith("orders/order/?needs=failed&waits=billing")
    assert urls["in flight"].endswith("orders/order/?needs=flight_billing")
    assert urls["discarded"].endswith("orders/order/?needs=discarded_billing&waits=billing")
    assert urls["retrying"].endswith("orders/order/?needs=retrying&waits=billing")


def test_what_cannot_be_read_is_not_shown_as_nothing() -> None:
    shown = told(Snapshot(at=NOW, mongodb="No answer.", rabbitmq="No answer."))

    assert {shown[name][0] for name in ("failed messages", "retries waiting", "relay")} == {"?"}
    assert shown["MongoDB"][0] == shown["RabbitMQ"][0] == "down"


def test_a_process_that_does_not_get_on_does_not_simply_run() -> None:
    stuck = but(outboxes=(Outbox("orders", ago(minutes=3)), Outbox("inventory", None)))

    assert told(stuck)["relay"][::2] == ("behind or stuck", True)


def test_checks_that_could_not_be_made_are_not_passed_over() -> None:
    begun = but(doctor=Doctor(ago(seconds=20), unchecked=8))
    silent = but(doctor=Doctor(ago(seconds=20), unchecked=8, unchecked_since=ago(minutes=4)))

    # Beside a verdict that is good, as at a start, no tile says that something is wrong.
    assert told(begun)["doctor"][::2] == ("0 findings, 8 not checked, 20 s ago", False)
    assert told(silent)["doctor"][::2] == ("0 findings, 8 not checked, 20 s ago", True)


def test_how_mongodb_is_down_is_said_in_the_tile_too() -> None:
    def tile(why: str) -> tuple[str, bool]:
        return told(but(mongodb=why))["MongoDB"][::2]

    assert tile(health.NO_PRIMARY) == ("no primary", True)
    assert tile(health.REFUSED) == ("refuses", True)
    assert tile("") == ("up", False)
    assert told(but(rabbitmq=health.SLOW))["RabbitMQ"][::2] == ("no answer", True)
    assert told(but(rabbitmq=health.CLOSED))["RabbitMQ"][::2] == ("down", True)


def test_a_snapshot_is_stored_and_loaded_as_it_was() -> None:
    full = but(
        failed=failed(),
        waiting_since={"billing": ago(minutes=1)},
        filled_since={"billing.dlq": NOW},
    )

    assert loaded({"_id": "now", **stored(full)}) == full
    assert loaded({"at": "of another release"}) is None


def test_of_many_lost_orders_the_page_names_some() -> None:
    orders = tuple(f"{number:024x}" for number in range(1_000))
    lost = but(lines=(line("billing", 2_000, unaccounted=1_500, orders=orders),))

    [(service, named)] = page.shown(lost, is_for_staff=True)["unaccounted"]

    assert (service, named) == ("billing", orders[:20])


def test_ages_are_short() -> None:
    said = [age(seconds) for seconds in (0, 8.4, 119, 125, 7_300, 400_000)]

    assert said == ["0 s", "8 s", "119 s", "2 min", "2 h 1 min", "4 days"]


def test_processes_lead_to_their_list() -> None:
    shown = told(but(web=2))

    assert shown["web"] == ("2 running", "/admin/processes/?kind=web", False)
    assert shown["relay"][1] == "/admin/processes/?kind=relay"
    assert told(but(web=0, web_seen=ago(minutes=5)))["web"][::2] == ("none, last 5 min ago", True)
    assert told(but(web=None))["web"][0] == "?"
    workers = service_rows(well(), NOW, SERVICES)[2].numbers[1]
    assert workers.link.url == "/admin/processes/?queue=billing"


def test_the_oldest_failed_message_is_the_first_of_its_list() -> None:
    url = told(but(failed=failed()))["oldest failed"][1]

    assert url.endswith("/failedmessage/?status=failed&sort=longest")


def test_the_oldest_event_of_another_service_is_in_no_list_of_orders() -> None:
    shipped = but(outboxes=(Outbox("orders", NOW), Outbox("inventory", ago(seconds=9))))
    placed = but(outboxes=(Outbox("orders", ago(seconds=9)), Outbox("inventory", NOW)))

    assert told(shipped)["oldest in the outbox"][:2] == ("9 s", "/admin/processes/?kind=scheduler")
    assert told(placed)["oldest in the outbox"][1].endswith("/orders/order/?needs=outbox")


def test_dead_letters_lead_to_who_is_to_store_them() -> None:
    letters = service_rows(well(), NOW, SERVICES)[2].numbers[4]

    assert letters.link.url == "/admin/processes/?kind=archiver"


def test_the_deliverer_has_a_tile_where_webhooks_run() -> None:
    def tile(**changes: Any) -> tuple[str, str, bool]:
        return told_of(but(**changes), (*SERVICES, "webhooks"))["deliverer"]

    assert tile(deliverer=Deliverer(2))[::2] == ("2 running", False)
    assert tile(deliverer=Deliverer(0), deliverer_seen=ago(seconds=40))[2] is False
    assert tile(deliverer=Deliverer(0), deliverer_seen=ago(minutes=2)) == (
        "none, last 2 min ago",
        "/admin/processes/?kind=deliverer",
        True,
    )
    assert tile(deliverer=Deliverer(1, late_endpoints=3))[::2] == ("behind or stuck", True)
    assert tile()[::2] == ("?", False)
    assert "deliverer" not in told(well())


def test_an_order_that_two_services_miss_is_one_order() -> None:
    both, other = ("a" * 24,), ("a" * 24, "b" * 24)
    missed = but(
        lines=(
            line("inventory", unaccounted=1, orders=both),
            line("billing", unaccounted=2, orders=other),
        )
    )

    assert told(missed)["unaccounted"][0] == "2"
    of_billing = line_rows(missed)[1].numbers[-1]
    assert (of_billing.text, of_billing.link.query) == ("2", "needs=unaccounted_billing")


def test_a_queue_leads_to_who_takes_its_messages_and_not_to_orders() -> None:
    full = service_rows(but(queues=with_queues(queue("billing", 37))), NOW, SERVICES)[2].numbers[0]

    assert (full.text, full.link.url) == ("37", "/admin/processes/?queue=billing")


def test_a_scheduler_that_could_not_be_looked_for_is_not_said_to_be_gone() -> None:
    unread = but(scheduler=None, scheduler_is_unread=True)

    assert told(unread)["scheduler"][::2] == ("?", False)
    assert told(but(scheduler=None))["scheduler"][::2] == ("none", True)


def test_the_stock_tells_when_it_was_last_as_its_movements_say() -> None:
    right, wrong = StockDifference(ago(seconds=20)), StockDifference(ago(hours=3), ("pen", "book"))

    assert told(but(stock=right))["stock"][::2] == ("right, 20 s ago", False)
    assert told(but(stock=wrong))["stock"][::2] == ("2 products wrong, 3 h 0 min ago", True)
    assert told(but(stock=None))["stock"][::2] == ("not checked yet", False)
