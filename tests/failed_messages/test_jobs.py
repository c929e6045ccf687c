"""Bulk replays: a few at first, watched, stoppable, and none lost or run twice."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from failed_messages.acting import job_control, job_runner
from failed_messages.acting.job_runner import advance_jobs, allowance, lease_name
from failed_messages.acting.replay import replay
from failed_messages.archiving.outcomes import record_outcome
from failed_messages.models import AuditEntry, FailedMessage, ReplayJob
from failed_messages.reading.filters import Filter
from failed_messages.reading.preview import preview
from failed_messages.records.collection import failed_messages, replay_jobs
from runtime.lease import Lease, leases
from tests import broker
from tests.failed_messages.copies import copies
from tests.failed_messages.letters import certificate, failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place, placed_body
from tests.failed_messages.test_replay import order, orders_now  # noqa: F401
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")

BILLING = Filter(service="billing", status="failed")
BULK = "/admin/failed_messages/replayjob/"

#: BULK_MESSAGES=5000 proves the same in minutes; a suite has to be short.
BULK_MESSAGES = int(os.environ.get("BULK_MESSAGES", "120"))


def started(**changes) -> ReplayJob:
    return ReplayJob.objects.get(
        pk=job_control.start(changes.pop("selection", BILLING), "me", **changes)
    )


def step(job: ReplayJob) -> ReplayJob:
    """The job after one more step, a second later."""
    replay_jobs().update_one(
        {"_id": job.pk, "sent_at": {"$ne": None}},
        {"$set": {"sent_at": datetime.now(UTC) - timedelta(seconds=1)}},
    )
    advance_jobs()
    job.refresh_from_db()
    return job


def answer(messages) -> None:
    """What billing says when it has handled them."""
    for message in messages:
        told = {
            "replayId": message.headers["replay"],
            "service": "billing",
            "messageId": message.properties["message_id"],
        }
        record_outcome(json.dumps(told).encode())


def test_one_that_mongodb_refuses_holds_up_no_others():
    for number in range(3):
        failed(message_id=f"m{number}")
    first = FailedMessage.objects.order_by("id").first()
    # Nothing can be pushed there.
    failed_messages().update_one({"_id": first.pk}, {"$set": {"history": None}})
    job = started()

    # One at a time goes first: it is this one, and then the next.
    job = step(step(job))

    assert (job.refused, job.sent, job.waiting) == (1, 1, 1)
    assert "could not be claimed" in record_of(first.pk)["job_detail"]
    assert broker.depth("billing") == 1


def record_of(id_) -> dict:
    return failed_messages().find_one({"_id": id_})


def die_again(sent, **changes) -> None:
    failed(death=certificate(**changes), message_id=sent.properties["message_id"])


@pytest.mark.parametrize(
    ("answered", "sent", "allowed"),
    [
        (0, 0, 1),
        (0, 1, 0),
        (1, 0, 5),
        (3, 3, 0),
        (6, 0, 50),
        (55, 1, 0),
        (56, 0, 500),
        (80, 9, 500),
    ],
)
def test_a_few_go_first_and_wait_for_the_answers(answered, sent, allowed):
    assert allowance(answered, sent) == allowed


def test_one_then_five_then_fifty_then_the_rest():
    copies(80)
    job = started(rate=500)
    sent = []
    for _ in range(4):
        step(job)
        step(job)
        messages = broker.take_all("billing")
        sent.append(len(messages))
        answer(messages)
    step(job)

    assert sent == [1, 5, 50, 24]
    assert (job.state, job.resolved, job.waiting, job.sent) == ("done", 80, 0, 0)
    assert FailedMessage.objects.filter(status="resolved").count() == 80
    acts = list(AuditEntry.objects.filter(subject="job").values_list("act", flat=True))
    assert acts == ["done", "bulk replay"]
    assert AuditEntry.objects.filter(act="replay", by="me").count() == 80


def test_it_stops_when_the_same_failure_comes_back():
    stored = failed(message_id="m0")
    for number in range(1, 10):
        failed(message_id=f"m{number}")
    job = started()
    step(job)
    [canary] = broker.take_all("billing")
    die_again(canary)
    step(job)
    step(job)

    assert (job.state, job.recurred, job.waiting, job.sent) == ("stopped", 1, 9, 0)
    assert job.why.startswith("The same failure came back: Billing gave up after 2 attempts")
    assert broker.depth("billing") == 0
    assert replay([stored.pk], "me")[0].done, "what is left can be replayed again"


def test_one_that_dies_of_something_else_is_counted_and_no_success_at_all_stops_it():
    for number in range(10):
        failed(message_id=f"m{number}")
    job = step(started())
    die_again(broker.take("billing"), message="something else")
    step(job)

    assert (job.state, job.died) == ("stopped", 1)
    assert "another cause" in job.why
    page = staff().get(f"{BULK}{job.pk}/change/").content.decode()
    cause = FailedMessage.objects.exclude(job_state="left_out").get(message="something else")
    link = f'/admin/failed_messages/failuregroup/{cause.fingerprint}/change/">billing: something'
    assert link in page


def test_the_counts_of_what_is_not_resolved_lead_to_it():
    for number in range(3):
        failed(message_id=f"m{number}")
    job = step(started())
    die_again(broker.take("billing"))
    step(job)
    step(job)

    page = staff().get(f"{BULK}{job.pk}/change/").content.decode()

    assert '<dd id="recurred"><a href="#troubled">1</a></dd>' in page
    assert 'id="troubled"' in page
    # No list has these.
    assert '<dd id="resolved">0</dd>' in page
    assert '<dd id="waiting">2</dd>' in page


def test_very_many_are_gathered_in_several_steps(monkeypatch):
    copies(30)
    monkeypatch.setattr(job_runner, "GATHERED_AT_ONCE", 20)
    monkeypatch.setattr(job_runner, "GATHERING_SECONDS", 1e-9)
    job = step(started())
    assert (job.state, job.waiting) == ("gathering", 0), "no time at all"
    monkeypatch.setattr(job_runner, "GATHERING_SECONDS", 5)
    step(job)
    assert (job.state, job.waiting, job.sent) == ("running", 29, 1)


def test_the_rate_is_kept():
    copies(80)
    job = started(rate=7)
    sent = []
    for _ in range(6):
        messages = broker.take_all("billing")
        sent.append(len(messages))
        answer(messages)
        step(job)
    assert sent == [0, 1, 5, 7, 7, 7]


def test_pause_resume_and_cancel():
    copies(20)
    job = step(started())
    assert job_control.control(job.pk, "pause", "me")
    answer(broker.take_all("billing"))
    step(job)
    assert (job.state, job.resolved, broker.depth("billing")) == ("paused", 1, 0)
    assert not job_control.control(job.pk, "pause", "me")

    assert job_control.control(job.pk, "resume", "me")
    step(job)
    assert broker.depth("billing") == 5
    assert job_control.control(job.pk, "cancel", "me", "enough")
    answer(broker.take_all("billing"))
    step(job)
    assert (job.state, job.resolved, job.waiting) == ("cancelled", 6, 14)
    assert not job_control.control(job.pk, "resume", "me")
    assert step(started()).sent == 1, "what it left can be part of another"


def test_a_message_is_part_of_one_running_job():
    copies(10)
    first, second = started(), started()
    step(first)
    second.refresh_from_db()

    assert (first.waiting + first.sent, second.state) == (10, "done")
    assert broker.depth("billing") == 1


def test_a_scheduler_that_died_hands_its_job_over():
    copies(3)
    job = started()
    assert Lease(lease_name(job.pk)).is_held()
    assert step(job).sent == 0, "another scheduler may be at work"

    end_the_lease(job)
    assert step(job).sent == 1


def test_what_somebody_else_does_meanwhile_is_respected():
    ids = copies(3)
    job = started()
    step(job)
    replay(ids[1:2], "somebody else")
    for _ in range(3):
        answer(broker.take_all("billing"))
        step(job)

    assert (job.state, job.resolved, job.refused) == ("done", 2, 1)


def test_cancelled_orders_are_left_out_and_stale_ones_need_a_reason(orders_now):  # noqa: F811
    copies(4)
    orders_now.update(o0=order(), o1=order("cancelled"), o2=order("confirmed"), o3=order())
    known = preview(BILLING)
    assert known.sentences() == [
        "4 messages to billing only.",
        "What other services have done is not affected.",
        "4 orders, worth 40.00 EUR.",
        "1 order cancelled since: left out.",
        "1 message whose order has changed since: left out, unless you give a reason.",
    ]
    job = started()
    for _ in range(5):
        step(job)
        answer(broker.take_all("billing"))
    assert (job.state, job.resolved, job.left_out) == ("done", 2, 2)

    job = started(reason="they want their invoices")
    for _ in range(3):
        step(job)
        answer(broker.take_all("billing"))
    assert (job.state, job.resolved, job.left_out) == ("done", 1, 1)


def test_a_job_has_to_say_which_messages():
    with pytest.raises(job_control.InvalidJob, match="filter"):
        job_control.start(Filter(), "me")
    with pytest.raises(job_control.InvalidJob, match="rate"):
        job_control.start(BILLING, "me", rate=0)


def test_in_the_admin_from_the_list_to_the_end():
    copies(3)
    other = failed(death=certificate(message="something else"), message_id="other")
    client = staff()
    group = FailedMessage.objects.exclude(pk=other.pk).first().fingerprint
    page = client.get(f"/admin/failed_messages/failedmessage/?group={group}").content.decode()
    assert f"{BULK}new/?group={group}&amp;status=failed" in page
    preview_page = client.get(f"{BULK}new/?group={group}&status=failed").content.decode()
    assert "3 messages to billing only." in preview_page
    assert "Invoices are issued once for each order" in preview_page
    form = {"selection": f"group={group}&status=failed", "rate": "50"}
    watched = client.post(f"{BULK}new/", form)["Location"]
    to_group = f'group <a href="/admin/failed_messages/failuregroup/{group}/change/">{group}</a>'
    assert to_group in client.get(BULK).content.decode()
    for address in (watched, f"{BULK}new/?group={group}"):
        told = client.get(address).content.decode().replace("<code>", "").replace("</code>", "")
        assert to_group in told

    advance_jobs()
    content = client.get(watched).content.decode()
    assert 'http-equiv="refresh"' in content
    assert "Waiting for 1 answers" in content
    client.post(watched, {"what": "pause"})
    assert ReplayJob.objects.get().state == "paused"
    client.post(watched, {"what": "cancel"})
    assert 'http-equiv="refresh"' not in client.get(watched).content.decode()
    assert client.get(BULK).status_code == 200
    assert client.get(f"{BULK}new/?nonsense=1").status_code == 404


def test_who_may_not_replay_may_watch():
    copies(1)
    job = started()
    viewer = staff("view_failedmessage")

    content = viewer.get(f"{BULK}{job.pk}/change/").content.decode()
    assert "You lack the permission failed_messages.replay_failedmessage" in content
    assert viewer.post(f"{BULK}{job.pk}/change/", {"what": "cancel"}).status_code == 403
    assert viewer.get(f"{BULK}new/?service=billing").status_code == 403
    assert viewer.post(f"{BULK}new/", {"selection": "service=billing"}).status_code == 403


WORKED_ON_BY = ("archiver", "scheduler", "billing")


def test_none_is_lost_and_none_runs_twice_while_all_are_killed(processes, mongodb, rabbitmq):
    """
    Given a bulk replay at work
    When its workers are killed (-9), later MongoDB and RabbitMQ with them, and all start again
    Then every message is resolved, and every order has one invoice.
    """
    orders = [place() for _ in range(BULK_MESSAGES)]
    copies(
        BULK_MESSAGES,
        lambda n: {
            "order_id": str(orders[n]["_id"]),
            "correlation_id": str(orders[n]["_id"]),
            "message_id": f"order.placed:{orders[n]['_id']}",
            "body": placed_body(orders[n]),
        },
    )
    # Slow enough to be met at work by each kill.
    job = started(rate=min(100, BULK_MESSAGES // 6))
    running = processes.start(*WORKED_ON_BY)
    kills = [("workers", 0.25), ("everything", 0.5), ("workers", 0.75)]

    def finished() -> bool:
        nonlocal running
        job.refresh_from_db()
        if kills and job.resolved > BULK_MESSAGES * kills[0][1]:
            what, _ = kills.pop(0)
            kill(*running, *((mongodb, rabbitmq) if what == "everything" else ()))
            for service in (mongodb, rabbitmq):
                service.start()
            end_the_lease(job)
            running = processes.start(*WORKED_ON_BY)
        return job.state == "done"

    eventually(finished)
    assert (job.resolved, kills) == (BULK_MESSAGES, [])
    assert failed_messages().count_documents({"status": "resolved"}) == BULK_MESSAGES
    assert AuditEntry.objects.filter(act="replay").count() == BULK_MESSAGES
    invoices = connection.database["invoices"]
    assert invoices.count_documents({}) == BULK_MESSAGES
    assert len(invoices.distinct("number")) == BULK_MESSAGES


def kill(*victims) -> None:
    for each in victims:
        each.kill()


def end_the_lease(job: ReplayJob) -> None:
    """The scheduler that had it is dead; waiting would only cost time."""
    ended = {"$set": {"expires_at": datetime.now(UTC)}}
    leases().update_one({"_id": lease_name(job.pk)}, ended)
