"""More messages of a cause than one form takes are discarded in the background."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from bson import ObjectId
from django.test import Client

from failed_messages.acting import bulk_discard
from failed_messages.acting.approving import approve
from failed_messages.acting.bulk_discard import advance_discards, cancel, start
from failed_messages.acting.discard import discard, restore
from failed_messages.acting.second_person import Waits
from failed_messages.admin import confirmation
from failed_messages.models import AuditEntry, DiscardJob, FailedMessage
from failed_messages.reading.act_result import ReasonMissing
from failed_messages.reading.filters import Filter
from failed_messages.records import history
from failed_messages.records.collection import failed_messages, pending_acts
from tests.failed_messages.letters import certificate, failed
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place, placed_body

pytestmark = pytest.mark.usefixtures("clean")

NEW = "/admin/failed_messages/discardjob/new/"
ACT = "/admin/failed_messages/failedmessage/act/discard/"


def a_group(error: str, messages: int) -> str:
    """So many failed messages of one cause, each about an order of its own; its fingerprint."""
    for number in range(messages):
        order = place()
        made = failed(
            body=placed_body(order),
            death=certificate(message=error),
            correlation_id=str(order["_id"]),
            message_id=f"{error} {number}",
        )
    return made.fingerprint


def of(*groups: str) -> list[Filter]:
    return [Filter(group=each, status="failed") for each in groups]


def statuses() -> dict[str, int]:
    found = FailedMessage.objects.order_by().values_list("status", flat=True)
    return {status: list(found).count(status) for status in set(found)}


def test_all_that_match_are_discarded_each_with_its_own_record() -> None:
    group, other = a_group("timed out", 3), a_group("card refused", 1)

    job = DiscardJob.objects.get(pk=start(of(group), "anna", "test orders"))
    assert (job.found, job.discarded, job.state) == (3, 0, "running")
    assert advance_discards() == 3

    job.refresh_from_db()
    assert (job.discarded, job.state) == (3, "done")
    assert statuses() == {"discarded": 3, "failed": 1}
    told = FailedMessage.objects.filter(fingerprint=group)
    assert {(each.discarded_by, each.discard_reason) for each in told} == {("anna", "test orders")}
    acts = list(AuditEntry.objects.values_list("act", "by").order_by("id"))
    assert acts == [("bulk discard", "anna"), *[("discard", "anna")] * 3, ("done", "bulk discard")]
    assert FailedMessage.objects.get(fingerprint=other).status == "failed"
    assert advance_discards() == 0


def test_a_step_goes_on_where_the_last_one_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    group = a_group("timed out", 5)
    monkeypatch.setattr(bulk_discard, "CHUNK_MESSAGES", 2)
    monkeypatch.setattr(bulk_discard, "STEP_SECONDS", 0.0)
    job = start(of(group), "anna", "test orders")
    assert advance_discards() == 0

    monkeypatch.setattr(bulk_discard, "STEP_SECONDS", 60.0)
    assert advance_discards() == 5
    assert DiscardJob.objects.get(pk=job).state == "done"


def test_what_fails_after_the_start_and_what_is_replayed_stays() -> None:
    group = a_group("timed out", 3)
    job = start(of(group), "anna", "test orders")
    late, replayed, _ = FailedMessage.objects.filter(fingerprint=group).order_by("id")
    ahead = datetime.now(UTC) + timedelta(minutes=1)
    failed_messages().update_one(
        {"_id": late.pk}, {"$set": {"last_failed_at": ahead, "archived_at": ahead}}
    )
    failed_messages().update_one({"_id": replayed.pk}, {"$set": {"status": "replaying"}})

    advance_discards()

    assert statuses() == {"failed": 1, "replaying": 1, "discarded": 1}
    page = staff().get(f"/admin/failed_messages/discardjob/{job}/change/").content.decode()
    assert "1 of 3 messages discarded" in page
    assert "The others were replayed, discarded or restored by somebody else" in page


def test_one_that_mongodb_refuses_stays_failed_and_the_others_are_discarded(monkeypatch) -> None:
    group = a_group("timed out", 4)
    first = FailedMessage.objects.filter(fingerprint=group).order_by("id").first()
    # Nothing can be pushed there.
    failed_messages().update_one({"_id": first.pk}, {"$set": {"history": None}})
    monkeypatch.setattr(bulk_discard, "CHUNK_MESSAGES", 2)
    job = start(of(group), "anna", "test orders")

    assert advance_discards() == 3

    ended = DiscardJob.objects.get(pk=job)
    assert (ended.discarded, ended.state) == (3, "done")
    assert statuses() == {"failed": 1, "discarded": 3}
    page = staff().get(f"/admin/failed_messages/discardjob/{job}/change/").content.decode()
    assert f"1 message could not be discarded and stays failed: {first.pk}." in page


def test_many_that_mongodb_refuses_stop_it(monkeypatch) -> None:
    group = a_group("timed out", 3)
    failed_messages().update_many({}, {"$set": {"history": None}})
    monkeypatch.setattr(bulk_discard, "MOST_REFUSED", 3)
    job = start(of(group), "anna", "test orders")

    assert advance_discards() == 0

    ended = DiscardJob.objects.get(pk=job)
    assert (ended.discarded, ended.state) == (0, "stopped")
    assert "3 messages could not be discarded and stay failed" in ended.why


def test_what_somebody_restores_meanwhile_stays_failed(monkeypatch) -> None:
    group = a_group("timed out", 3)
    job = start(of(group), "anna", "test orders")
    monkeypatch.setattr(bulk_discard, "_end", lambda *_: None)
    assert advance_discards() == 3
    monkeypatch.undo()
    wanted = FailedMessage.objects.filter(fingerprint=group).first()
    [restored] = restore([wanted.pk], "ben", "not this one")

    assert restored.done
    assert advance_discards() == 0

    assert DiscardJob.objects.get(pk=job).state == "done"
    assert statuses() == {"failed": 1, "discarded": 2}


def test_what_is_restored_under_a_clock_that_is_behind_stays_failed(monkeypatch) -> None:
    """The web server's, where the scheduler judges by MongoDB's."""
    group = a_group("timed out", 2)
    start(of(group), "anna", "test orders")
    wanted = FailedMessage.objects.first()
    discard([wanted.pk], "anna", "x")
    monkeypatch.setattr(history, "datetime", an_hour_behind())
    restore([wanted.pk], "ben", "not this one")
    monkeypatch.undo()

    advance_discards()

    assert FailedMessage.objects.get(pk=wanted.pk).status == "failed"


def an_hour_behind() -> Any:
    return SimpleNamespace(now=lambda zone: datetime.now(zone) - timedelta(hours=1))


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)], ids=str)
def test_a_workers_clock_decides_nothing(ahead: timedelta) -> None:
    """What failed before the start is discarded and what failed after it is not."""
    group = a_group("timed out", 2)
    when = {"last_failed_at": datetime.now(UTC) + ahead}
    failed_messages().update_many({}, {"$set": when})

    job = DiscardJob.objects.get(pk=start(of(group), "anna", "test orders"))
    later = datetime.now(UTC) + timedelta(minutes=1)
    [one, _] = FailedMessage.objects.order_by("pk")
    failed_messages().update_one({"_id": one.pk}, {"$set": {"archived_at": later}})

    assert (job.found, advance_discards()) == (2, 1)
    assert FailedMessage.objects.get(pk=one.pk).status == "failed"


def test_what_was_restored_before_is_discarded_again() -> None:
    group = a_group("timed out", 1)
    start(of(group), "anna", "test orders")
    assert advance_discards() == 1
    restore([FailedMessage.objects.get().pk], "ben", "a mistake")

    start(of(group), "anna", "no mistake")

    assert advance_discards() == 1


def test_a_cancelled_one_discards_no_more() -> None:
    job = start(of(a_group("timed out", 2)), "anna", "test orders")

    assert cancel(job, "ben")
    assert not cancel(job, "ben")

    assert advance_discards() == 0
    assert statuses() == {"failed": 2}


def test_it_asks_for_a_reason_and_for_something_to_discard() -> None:
    group = a_group("timed out", 1)

    with pytest.raises(ReasonMissing):
        start(of(group), "anna", "  ")
    with pytest.raises(bulk_discard.InvalidDiscard):
        start([Filter()], "anna", "all of them")
    with pytest.raises(bulk_discard.InvalidDiscard, match="none does"):
        start([Filter(group=group, status="resolved")], "anna", "none of them")


def test_an_error_of_one_ends_that_one_with_its_reason() -> None:
    group = a_group("timed out", 1)
    broken, well = start(of(group), "anna", "x"), start(of(group), "anna", "y")
    DiscardJob.objects.filter(pk=broken).update(selection="colour=green")

    advance_discards()

    assert DiscardJob.objects.get(pk=broken).state == "stopped"
    assert "colour" in DiscardJob.objects.get(pk=broken).why
    assert DiscardJob.objects.get(pk=well).state == "done"


def test_a_second_person_approves_it(settings) -> None:
    group = a_group("timed out", 2)
    settings.SECOND_PERSON_ABOVE = 1

    with pytest.raises(Waits) as waits:
        start(of(group), "anna", "test orders")
    page = f"/admin/failed_messages/pendingact/{waits.value.id}/change/"
    assert f"group={group}" in staff().get(page).content.decode()
    said = approve(waits.value.id, "ben")

    assert said == f"bulk discard {waits.value.id} is started"
    assert advance_discards() == 2


def test_what_fails_between_the_request_and_its_approval_stays(settings) -> None:
    group = a_group("timed out", 2)
    settings.SECOND_PERSON_ABOVE = 1
    with pytest.raises(Waits) as waits:
        start(of(group), "anna", "test orders")
    asked = pending_acts().find_one({"_id": waits.value.id})["at"]
    late = a_group("timed out", 3)
    newest = FailedMessage.objects.order_by("-id").values_list("pk", flat=True)[:3]
    failed_messages().update_many(
        {"_id": {"$in": list(newest)}},
        {"$set": dict.fromkeys(("last_failed_at", "archived_at"), asked + timedelta(seconds=1))},
    )
    assert late == group

    approve(waits.value.id, "ben")

    job = DiscardJob.objects.get()
    assert (job.at, job.found) == (asked, 2)
    assert advance_discards() == 2
    assert statuses() == {"failed": 3, "discarded": 2}


def test_an_approval_that_is_repeated_says_what_is_started(settings) -> None:
    """By a second click while the first one counts, or after an outage before its outcome."""
    group = a_group("timed out", 2)
    settings.SECOND_PERSON_ABOVE = 1
    with pytest.raises(Waits) as waits:
        start(of(group), "anna", "test orders")
    said = approve(waits.value.id, "ben")
    pending_acts().update_one({"_id": waits.value.id}, {"$set": {"outcome": ""}})

    assert approve(waits.value.id, "ben") == said
    assert DiscardJob.objects.count() == 1


def confirm(client: Client, *groups: str, **fields: str):
    selections = [str(each) for each in of(*groups)]
    return client.post(NEW, {"selection": selections, "reason": "test orders", **fields})


def test_more_than_a_form_takes_are_confirmed_with_count_orders_and_money(monkeypatch) -> None:
    one, two = a_group("timed out", 2), a_group("card refused", 1)
    monkeypatch.setattr(confirmation, "SELECTION_LIMIT", 2)
    operator = staff("view_failedmessage", "discard_failedmessage")

    asked = operator.get(f"{ACT}?group={one}&group={two}", follow=True)

    page = asked.content.decode()
    assert asked.redirect_chain[0][0].startswith(NEW)
    assert "3 messages of billing." in page
    assert "3 orders, worth 37.50 EUR, wait for what was to be done." in page
    assert "each can be restored" in page
    [job_id] = [each.split('"')[0] for each in page.split('name="job" value="')[1:]]
    for _ in range(2):
        started = confirm(operator, one, two, job=job_id)
    assert started.headers["Location"] == f"/admin/failed_messages/discardjob/{job_id}/change/"
    assert DiscardJob.objects.count() == 1
    assert advance_discards() == 3
    shown = operator.get(started.headers["Location"]).content.decode()
    assert "3 of 3 messages discarded" in shown
    assert "http-equiv" not in shown


def test_the_list_of_messages_leads_to_both_bulk_acts(monkeypatch) -> None:
    a_group("timed out", 3)
    monkeypatch.setattr(confirmation, "SELECTION_LIMIT", 2)
    chosen = {"select_across": "1", "_selected_action": [FailedMessage.objects.first().pk]}
    url = "/admin/failed_messages/failedmessage/?status=failed&service=billing"

    for act, leads_to in (("discard", NEW), ("replay", "/admin/failed_messages/replayjob/new/")):
        answer = staff().post(url, {"action": f"{act}_selected", **chosen})
        assert answer.headers["Location"].startswith(leads_to)
        assert "3 messages" in staff().get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize(("act", "most"), [("discard", 2), ("replay", 1)])
def test_more_groups_than_one_bulk_act_takes_are_refused_in_words(monkeypatch, act, most) -> None:
    groups = [a_group(error, 2) for error in ("timed out", "card refused", "unknown product")]
    monkeypatch.setattr(confirmation, "SELECTION_LIMIT", 2)
    monkeypatch.setitem(confirmation.MOST_GROUPS, act, most)
    chosen = "&".join(f"group={each}" for each in groups)

    told = staff().get(f"{ACT.replace('discard', act)}?{chosen}", follow=True)

    assert told.redirect_chain[-1][0] == "/admin/failed_messages/failuregroup/"
    some = "1 group" if most == 1 else "2 groups"
    said = f"These are 3 groups, and one bulk {act} takes up to {some}. Select fewer."
    assert said in told.content.decode()


def test_few_are_discarded_at_once_and_say_what_that_costs() -> None:
    group = a_group("timed out", 1)

    page = staff().get(f"{ACT}?group={group}").content.decode()

    assert "1 order, worth 12.50 EUR, waits for what was to be done." in page


def test_it_is_refused_without_the_permission_and_without_a_filter() -> None:
    group = a_group("timed out", 1)

    assert confirm(staff("view_failedmessage"), group).status_code == 403
    assert staff().get(NEW).status_code == 404
    assert staff().get(f"{NEW}?selection=group%3Dnone").status_code == 404
    assert staff().get(f"/admin/failed_messages/discardjob/{ObjectId()}/change/").status_code == 404
    said = confirm(staff(), group, reason=" ").content.decode()
    assert "must be given to discard" in said
