"""The verdict, for each incident that an operator is woken for; in memory."""

from __future__ import annotations

import re

import pytest

from messaging.handling.retry_notes import Due
from ordersite.overview import numbers
from ordersite.overview.concern import Concern, Level, Verdict
from ordersite.overview.snapshot import (
    Deliverer,
    Doctor,
    Failed,
    Finding,
    Group,
    Heartbeat,
    Outbox,
    Snapshot,
    StockDifference,
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


def verdict(snapshot: Snapshot) -> Verdict:
    return judge(snapshot, NOW, SERVICES)


def only(snapshot: Snapshot) -> Concern:
    """The one thing that is wrong."""
    (concern,) = verdict(snapshot).concerns
    return concern


def test_all_is_well() -> None:
    assert verdict(well()) == Verdict(Level.GOOD, ())
    assert verdict(well()).sentence == "Every order is where it should be."
    assert {(each.word, each.icon) for each in Level} == {
        ("Good", "✓"),
        ("Degraded", "!"),
        ("Broken", "✕"),
    }


DEAD_BILLING = but(
    queues=with_queues(queue("billing", 37, consumers=0)),
    lines=(line("inventory"), line("billing", in_flight=40)),
    consumers_seen={"billing": ago(minutes=4)},
)
DISK_ALARM = Finding("error", "RabbitMQ node a", "Disk alarm.", "c", "df -h", "Make room:")
INCIDENTS = [
    (
        "no worker of billing",
        DEAD_BILLING,
        Level.BROKEN,
        [
            "No billing worker runs",
            "4 min ago",
            "40 orders wait for it; 37 messages in its queue",
            "celery",
        ],
        "/admin/processes/?queue=billing",
    ),
    (
        "billing frozen",
        but(
            queues=with_queues(queue("billing", 37)),
            lines=(line("inventory"), line("billing", in_flight=40)),
            waiting_since={"billing": ago(minutes=3)},
        ),
        Level.DEGRADED,
        ["billing is behind or stuck", "3 min", "40 orders", "it hangs: end it", "-Q billing"],
        "/admin/processes/?queue=billing",
    ),
    (
        "billing frozen with all in its hands",
        but(
            lines=(line("inventory"), line("billing", in_flight=40)),
            waiting_since={"billing": ago(minutes=3)},
        ),
        Level.DEGRADED,
        [
            "billing is behind or stuck",
            "seems to hang with what it took",
            "on which machine. End it, and its messages are handled again, nothing twice",
            "Then start one: celery",
        ],
        "/admin/processes/?queue=billing",
    ),
    (
        "orders frozen",
        but(
            queues=with_queues(queue("orders", 500)),
            lines=(line("inventory", in_flight=250), line("billing", in_flight=250)),
            waiting_since={"inventory": ago(minutes=3), "billing": ago(minutes=2)},
            unheard=("inventory", "billing"),
        ),
        Level.DEGRADED,
        [
            "orders is behind or stuck",
            "500 messages in",
            "3 min",
            "it hangs: end it",
            "-Q orders",
        ],
        "/admin/processes/?queue=orders",
    ),
    (
        "orders frozen with all answers in its hands",
        but(
            lines=(line("inventory", in_flight=5), line("billing", in_flight=5)),
            waiting_since={"inventory": ago(minutes=30), "billing": ago(minutes=30)},
            unheard=("inventory", "billing"),
        ),
        Level.BROKEN,
        ["orders is behind or stuck", "30 min", "Then start one: celery", "-Q orders"],
        "/admin/processes/?queue=orders",
    ),
    (
        "no worker of orders",
        but(
            queues=with_queues(queue("orders", 500, consumers=0)),
            lines=(line("inventory", in_flight=250), line("billing", in_flight=250)),
            waiting_since={"inventory": ago(minutes=30), "billing": ago(minutes=30)},
            unheard=("inventory", "billing"),
        ),
        Level.BROKEN,
        ["No orders worker runs", "-Q orders"],
        "/admin/processes/?queue=orders",
    ),
    (
        "orders far behind",
        but(queues=with_queues(queue("orders", 50_000))),
        Level.DEGRADED,
        [
            "orders is behind or stuck",
            "50,000 messages in",
            "the statuses of orders are out of date",
            "-Q orders",
        ],
        "/admin/processes/?queue=orders",
    ),
    (
        "billing frozen while orders notes what inventory does",
        but(
            queues=with_queues(queue("orders", 5), queue("billing", 37)),
            waiting_since={"inventory": ago(seconds=1), "billing": ago(minutes=3)},
        ),
        Level.DEGRADED,
        ["billing is behind or stuck"],
        "/admin/processes/?queue=billing",
    ),
    (
        "no web process",
        but(web=0, web_seen=ago(minutes=2)),
        Level.BROKEN,
        ["No web process runs", "2 min ago", "No order can be taken", "manage.py serve"],
        "/admin/processes/?kind=web",
    ),
    (
        "relay dead",
        but(relay=False, outboxes=(Outbox("orders", ago(seconds=50)),)),
        Level.BROKEN,
        ["No relay runs", "50 s", "Start one: python manage.py relay"],
        "/admin/processes/?kind=relay",
    ),
    (
        "one group of 2,000",
        but(failed=failed(2_000)),
        Level.DEGRADED,
        [
            "2,000 failed messages not settled, the oldest for 2 h",
            "card service timed out",
            "2,000 orders of 3 customers",
            "what to do about the cause",
        ],
        "failuregroup/abc123/change/",
    ),
    (
        "retry storm",
        but(queues=with_queues(queue("billing.retry.5s", 480, consumers=0))),
        Level.DEGRADED,
        ["billing keeps failing: 480 messages wait for a retry.", "The list has the error of each"],
        "failedmessage/retries/?service=billing",
    ),
    (
        "retry storm that is faster than its worker",
        but(
            queues=with_queues(queue("billing.retry.5s", 3, consumers=0)),
            retries_due={"billing": Due(872, None, "TimeoutError: card service")},
        ),
        Level.DEGRADED,
        [
            "billing keeps failing: 872 messages wait for a retry, or for a worker",
            "One of them: TimeoutError: card service",
        ],
        "failedmessage/retries/?service=billing",
    ),
    (
        "outbox growing",
        but(outboxes=(Outbox("orders", ago(minutes=3)),)),
        Level.DEGRADED,
        [
            "The outbox grows",
            "3 min",
            "Nothing is lost",
            "end it, then start one: python manage.py relay",
        ],
        "/admin/processes/?kind=relay",
    ),
    (
        "outbox stuck",
        but(outboxes=(Outbox("orders", ago(minutes=20)),)),
        Level.BROKEN,
        ["The outbox grows", "20 min"],
        "/admin/processes/?kind=relay",
    ),
    (
        "archiver down",
        but(queues=with_queues(queue("billing.dlq", 9, consumers=0))),
        Level.DEGRADED,
        ["No archiver runs", "9 messages about", "Start one: python manage.py archiver"],
        "/admin/processes/?kind=archiver",
    ),
    (
        "nobody takes the outcomes of replays",
        but(queues=with_queues(queue("replay_outcomes", 50_000, consumers=0))),
        Level.DEGRADED,
        [
            "No archiver runs",
            "50,000 messages about",
            "failures and replays wait",
            "manage.py archiver",
        ],
        "/admin/processes/?kind=archiver",
    ),
    (
        "archiver frozen",
        but(
            queues=with_queues(queue("billing.dlq", 9), queue("replay_outcomes", 1)),
            filled_since={"billing.dlq": ago(minutes=3), "replay_outcomes": ago(minutes=4)},
        ),
        Level.DEGRADED,
        [
            "The archiver is behind or stuck: 9 messages in billing.dlq, 1 message in replay",
            "end the archiver, then start one: python manage.py archiver",
        ],
        "/admin/processes/?kind=archiver",
    ),
    (
        "archiver far behind",
        but(queues=with_queues(queue("billing.dlq", 50_000))),
        Level.DEGRADED,
        ["The archiver is behind or stuck: 50,000 messages in billing.dlq"],
        "/admin/processes/?kind=archiver",
    ),
    (
        "deliverer down",
        but(deliverer=Deliverer(0), deliverer_seen=ago(minutes=3)),
        Level.DEGRADED,
        ["No deliverer runs", "3 min ago", "Customers are not told", "manage.py deliverer"],
        "/admin/processes/?kind=deliverer",
    ),
    (
        "deliverer frozen",
        but(deliverer=Deliverer(1, late_endpoints=1)),
        Level.DEGRADED,
        ["The deliverer is behind or stuck", "1 endpoint waits for what", "end it", "start more"],
        "/admin/processes/?kind=deliverer",
    ),
    (
        "never a deliverer",
        but(deliverer=Deliverer(0, late_endpoints=2)),
        Level.DEGRADED,
        ["No deliverer runs", "2 endpoints wait for what", "Start one: python manage.py deliv"],
        "/admin/processes/?kind=deliverer",
    ),
    (
        "scheduler down",
        but(scheduler=None),
        Level.DEGRADED,
        ["No scheduler runs", "manage.py scheduler"],
        "/admin/processes/?kind=scheduler",
    ),
    (
        "scheduler hangs",
        but(scheduler=Heartbeat(2.0, True, ("x.reconcile",))),
        Level.DEGRADED,
        ["The scheduler hangs", "x.reconcile"],
        "/admin/processes/?kind=scheduler",
    ),
    (
        "MongoDB without a primary",
        Snapshot(at=NOW, mongodb=health.NO_PRIMARY, queues=well().queues),
        Level.BROKEN,
        [
            "MongoDB cannot be used",
            "is primary",
            "No order can be taken",
            "The doctor says why",
        ],
        "/doctor/",
    ),
    (
        "RabbitMQ down",
        but(rabbitmq="No answer (OSError).", queues=None, lines=None),
        Level.BROKEN,
        ["RabbitMQ cannot be used", "still taken"],
        "/doctor/",
    ),
    (
        "RabbitMQ too slow for a page",
        but(rabbitmq=health.SLOW, queues=None, lines=None),
        Level.BROKEN,
        ["cannot be used: It does not answer in time", "too much to do", "they move on, late"],
        "/doctor/",
    ),
    (
        "disk alarm",
        but(doctor=Doctor(NOW, (DISK_ALARM,))),
        Level.BROKEN,
        ["Disk alarm", "Make room: df -h"],
        "/doctor/",
    ),
    (
        "stock recount differs",
        but(stock=StockDifference(ago(minutes=2), ("pen",), "6 are stored.")),
        Level.DEGRADED,
        [
            "The stock of pen",
            "6 are stored. Seen 2 min ago",
            "No order waits for this",
            "Count the goods",
            "recount_stock --correct pen",
        ],
        "inventory/movement/?q=pen",
    ),
    (
        "two unaccounted orders",
        but(lines=(line("billing", unaccounted=2, orders=("a" * 24, "b" * 24)),)),
        Level.DEGRADED,
        ["2 orders unaccounted for: billing never answered", "They wait for billing"],
        "orders/order/?needs=unaccounted_billing",
    ),
    (
        "an unaccounted order",
        but(lines=(line("inventory"), line("billing", unaccounted=1, orders=("a" * 24,)))),
        Level.DEGRADED,
        [
            "1 order unaccounted for: billing never answered",
            "It waits for billing",
            "sends the message again within a minute",
            "Nothing is to be done if it is gone within 5 min",
        ],
        f"orders/order/{'a' * 24}/change/",
    ),
    (
        "an unaccounted order that stays",
        but(
            lines=(line("billing", unaccounted=1, orders=("a" * 24,)),),
            unaccounted_since={"billing": ago(minutes=6)},
        ),
        Level.BROKEN,
        ["For 5 min there was always one", "the log of the scheduler says why"],
        f"orders/order/{'a' * 24}/change/",
    ),
    (
        "a queue is missing",
        but(missing_queues=("billing.dlq",)),
        Level.BROKEN,
        ["does not have: billing.dlq", "declare_topology"],
        "/doctor/",
    ),
]


@pytest.mark.parametrize(
    ("snapshot", "level", "words", "click"),
    [each[1:] for each in INCIDENTS],
    ids=[each[0] for each in INCIDENTS],
)
def test_each_incident_says_what_it_costs_and_what_to_click(
    snapshot: Snapshot, level: Level, words: list[str], click: str
) -> None:
    concern = only(snapshot)

    assert (verdict(snapshot).level, concern.level) == (level, level)
    said = f"{concern.what} {concern.cost} {concern.step} {concern.command}"
    assert [each for each in words if each not in said] == []
    assert concern.cost
    assert concern.step
    assert concern.click.url.endswith(click)


def test_an_unaccounted_order_that_nobody_sends_again_is_as_bad_as_can_be() -> None:
    lost = but(lines=(line("billing", unaccounted=1, orders=("a" * 24,)),), relay=False)

    concern = next(each for each in verdict(lost).concerns if "unaccounted" in each.what)
    assert concern.level is Level.BROKEN
    assert "sent again once a scheduler and a relay run" in concern.cost
    assert concern.step == "To count again now:"


def test_what_services_have_yet_to_tell_is_not_said_of_orders() -> None:
    late = but(outboxes=(Outbox("billing", ago(seconds=50)),))

    assert "What billing did is not told to the others yet." in only(late).cost


@pytest.mark.parametrize(
    ("largest", "says"),
    [(12, "The cause: billing"), (7, "Most of them: billing"), (6, "6 of them: billing")],
)
def test_the_largest_cause_is_not_called_most_where_it_is_not(largest: int, says: str) -> None:
    groups = (Group("abc123", "billing: slow", largest),)

    assert says in only(but(failed=failed(12, groups=groups))).cost


def test_what_the_archiver_has_just_been_given_is_no_trouble() -> None:
    given = but(queues=with_queues(queue("billing.dlq", 9)), filled_since={"billing.dlq": NOW})

    assert verdict(given).level is Level.GOOD


def test_a_service_that_hangs_beside_orders_is_named_too() -> None:
    both = but(
        queues=with_queues(queue("orders", 500), queue("billing", 37)),
        waiting_since={"inventory": ago(minutes=3), "billing": ago(minutes=3)},
        unheard=("inventory",),
    )

    told = [each.what.partition(" is ")[0] for each in verdict(both).concerns]
    assert told == ["Service orders", "Service billing"]


def test_the_worst_comes_first() -> None:
    both = but(failed=failed(), relay=False)

    assert [each.level for each in verdict(both).concerns] == [Level.BROKEN, Level.DEGRADED]
    assert verdict(both).sentence.startswith("No relay runs")
    assert verdict(both).sentence.endswith("And 1 more.")


def test_a_page_that_lists_what_is_wrong_does_not_say_it_twice() -> None:
    one, two = verdict(but(relay=False)), verdict(but(relay=False, failed=failed()))

    assert one.summary == one.concerns[0].what
    assert two.summary == "2 things are wrong, the worst first."
    assert verdict(well()).summary == verdict(well()).sentence


def test_a_new_order_is_not_what_is_late_in_the_outbox() -> None:
    """The relay has a second for it; the shipment's event is the scheduler's."""
    late = but(outboxes=(Outbox("orders", ago(seconds=1)), Outbox("inventory", ago(minutes=3))))

    assert only(late).command == "python manage.py scheduler"


def test_a_few_retries_and_a_short_wait_are_no_trouble() -> None:
    calm = but(
        queues=with_queues(queue("billing.retry.5s", 3, consumers=0), queue("billing", 40)),
        waiting_since={"billing": ago(seconds=20)},
        outboxes=(Outbox("orders", ago(seconds=2)),),
    )

    assert verdict(calm).level is Level.GOOD


def test_several_causes_lead_to_the_list_of_causes() -> None:
    groups = (Group("a", "one", 4), Group("b", "two", 4))

    assert only(but(failed=failed(8, groups=groups))).click.url.endswith("/failuregroup/")


def test_failed_messages_of_no_order_cost_nobody_anything() -> None:
    concern = only(but(failed=Failed(1)))

    assert "no order waits for it" in concern.cost
    assert "or discard them" in concern.step


def test_what_was_not_read_in_full_is_said_to_be_at_least_so_much() -> None:
    assert only(but(failed=failed(9_000, at_least=True))).cost.startswith("At least 9,000 orders")


def test_what_the_snapshot_knows_the_doctor_does_not_repeat() -> None:
    """The doctor is asked once a minute, and so says longer what is over already."""
    old = Doctor(ago(seconds=50), (Finding("error", "Relay", "No relay runs.", "c", "f"),))

    assert verdict(but(doctor=old)).level is Level.GOOD


def test_a_warning_of_the_doctor_degrades() -> None:
    warned = Doctor(NOW, (Finding("warning", "Clock of MongoDB", "p", "c", "f"),))

    assert only(but(doctor=warned)).level is Level.DEGRADED


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("failed", "failed messages"),
        ("outboxes", "the outbox"),
        ("relay", "whether a relay runs"),
        ("waiting_since", "which orders wait"),
        ("retries_due", "when retries are due"),
        ("lines", "where every order is"),
    ],
)
def test_a_part_that_nobody_could_read_is_not_taken_for_good(part: str, words: str) -> None:
    concern = only(but(**{part: None}))

    assert concern.level is Level.DEGRADED
    assert concern.what == f"MongoDB could not be read for: {words}."
    assert "the log of the scheduler" in concern.step


def test_whether_a_deliverer_runs_is_asked_only_where_webhooks_run() -> None:
    (concern,) = judge(well(), NOW, (*SERVICES, "webhooks")).concerns

    assert concern.what == "MongoDB could not be read for: whether a deliverer runs."


def test_parts_that_a_slow_mongodb_does_not_tell_are_one_concern() -> None:
    assert "failed messages, the outbox, " in only(but(failed=None, outboxes=None, lines=None)).what


RUNS_FOR_LONG = Heartbeat(3.0, True, (), 3_600.0)


@pytest.mark.parametrize(
    ("doctor", "words"),
    [
        (Doctor(NOW, unchecked=7, unchecked_since=ago(minutes=5)), "7 checks of the doctor"),
        (Doctor(ago(hours=9)), "The doctor was last asked 9 h 0 min ago."),
        (None, "The doctor was never asked."),
    ],
)
def test_a_doctor_who_could_not_check_does_not_say_that_all_is_well(
    doctor: Doctor | None, words: str
) -> None:
    concern = only(but(doctor=doctor, scheduler=RUNS_FOR_LONG))

    assert concern.level is Level.DEGRADED
    assert words in concern.what


@pytest.mark.parametrize(
    "doctor", [None, Doctor(ago(hours=9)), Doctor(NOW, unchecked=7, unchecked_since=NOW)]
)
def test_a_start_alarms_nobody(doctor: Doctor | None) -> None:
    """The scheduler is about to ask; of the first time something may not answer yet."""
    begun = but(doctor=doctor, scheduler=Heartbeat(1.0, True, (), 2.0))

    assert verdict(begun).level is Level.GOOD


def test_what_is_down_is_not_also_what_could_not_be_checked() -> None:
    silent = Doctor(NOW, unchecked=7, unchecked_since=ago(minutes=5))
    down = but(rabbitmq="No answer.", queues=None, lines=None, doctor=silent)

    assert "RabbitMQ cannot be used" in only(down).what


#: As `durations.age` writes it.
RELATIVE = re.compile(r"\b\d+ (s|min|h|days)\b")


@pytest.mark.parametrize(
    "snapshot", [each[1] for each in INCIDENTS], ids=[each[0] for each in INCIDENTS]
)
def test_each_relative_time_has_the_exact_one_at_hand(snapshot: Snapshot) -> None:
    rows = numbers.service_rows(snapshot, NOW, SERVICES)
    shown = [
        *numbers.tiles(snapshot, NOW, SERVICES),
        *numbers.processes(snapshot, NOW, SERVICES),
        *(each for row in rows for each in row.numbers),
    ]
    concerns = verdict(snapshot).concerns

    assert [each.name for each in shown if RELATIVE.search(each.text) and not each.at] == []
    relative = [each for each in concerns if RELATIVE.search(f"{each.what} {each.cost}")]
    assert [each.what for each in relative if not each.since] == []


def test_a_scheduler_that_could_not_be_looked_for_is_unknown_and_not_gone() -> None:
    concern = only(but(scheduler=None, scheduler_is_unread=True))

    assert concern.what == "MongoDB could not be read for: whether a scheduler runs."


def test_any_sku_is_whole_in_the_address_of_its_movements() -> None:
    concern = only(but(stock=StockDifference(NOW, ("pen & ink #2",), "1 is stored.")))

    assert concern.click.url.endswith("/movement/?q=pen+%26+ink+%232")


def test_a_stock_that_is_not_recounted_any_more_is_not_taken_for_right() -> None:
    old = StockDifference(ago(days=3))

    concern = only(but(stock=old, scheduler=Heartbeat(3.0, True, running_seconds=300_000)))

    assert concern.what == "The stock was last recounted 3 days ago."
    assert concern.command == "python manage.py recount_stock"
    # A scheduler that has just begun is about to.
    assert verdict(but(stock=old)).level is Level.GOOD
