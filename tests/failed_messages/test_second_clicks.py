"""Whoever comes second, by a double click or on a stale page, is told what really happened."""

from __future__ import annotations

import json
import re

import pytest

from failed_messages.acting.triage import triage
from failed_messages.models import AuditEntry, FailureGroup, ReplayJob, ReplayPolicy
from failed_messages.records.collection import failed_messages
from tests.browser_form import BrowserForm
from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff
from tests.failed_messages.test_editing import RIGHT, broken

ADMIN = "/admin/failed_messages/"
POLICIES = f"{ADMIN}replaypolicy/"
WHEN = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"

pytestmark = pytest.mark.usefixtures("clean")


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("at").values_list("act", flat=True))


def act(verb: str, id_: object, reason: str = "") -> str:
    sent = {"id": [str(id_)], "reason": reason}
    return staff().post(f"{ADMIN}failedmessage/act/{verb}/", sent, follow=True).content.decode()


def test_a_second_discard_says_who_did_and_when():
    stored = failed()

    assert "Discard: 1 done" in act("discard", stored.pk, "a test order")
    second = act("discard", stored.pk, "another reason")

    assert "Discard: 1 done" not in second
    assert re.search(rf"discarded already, by operator at {WHEN} \(a test order\)", second)
    assert acts() == ["discard"]


def test_a_second_restore_says_who_did_and_when():
    stored = failed()
    act("discard", stored.pk, "a test order")

    assert "Restore: 1 done" in act("restore", stored.pk)
    second = act("restore", stored.pk)

    assert "Restore: 1 done" not in second
    assert re.search(rf"it is failed already: restore by operator at {WHEN}", second)


def test_an_edit_of_what_a_colleague_discarded_says_so():
    stored = broken()
    act("discard", stored.pk, "a test order")
    body = json.dumps(RIGHT)

    said = staff().post(
        f"{ADMIN}failedmessage/{stored.pk}/edit/",
        {"what": "replay", "reason": "unit price", "body": body},
        follow=True,
    )

    told = said.content.decode()
    assert f"Nothing was edited, {stored.pk} stays: it is discarded" in told
    assert "by operator at 20" in told
    assert failed_messages().count_documents({}) == 1


def job_page(job: ReplayJob) -> str:
    return f"{ADMIN}replayjob/{job.pk}/change/"


def test_a_bulk_replay_is_started_once_by_two_clicks_and_controlled_once():
    stored = failed()
    client = staff()
    page = client.get(f"{ADMIN}replayjob/new/?group={stored.fingerprint}").content.decode()
    form = re.findall(r'name="(selection|job|rate)"[^>]*? value="(.*?)"', page)
    sent = {name: value.replace("&amp;", "&") for name, value in form}

    client.post(f"{ADMIN}replayjob/new/", sent)
    second = client.post(f"{ADMIN}replayjob/new/", sent, follow=True).content.decode()

    assert re.search(rf"started before \(bulk replay by operator, {WHEN}\)", second)
    job = ReplayJob.objects.get()
    clicks = ["pause", "pause", "resume", "resume", "cancel", "cancel"]
    said = [client.post(job_page(job), {"what": what}, follow=True) for what in clicks]
    done = [
        f"Done: {what}." in page.content.decode() for what, page in zip(clicks, said, strict=True)
    ]
    assert done == [True, False] * 3
    assert re.search(
        rf"is paused, so there is nothing to pause \(pause by operator, {WHEN}\)",
        said[1].content.decode(),
    )
    assert acts() == ["bulk replay", "pause", "resume", "cancel"]


def test_a_policy_replaces_a_colleagues_only_when_that_is_confirmed():
    form = {"service": "billing", "group": "", "reason": ""}
    anna, ben = staff(), staff("replay_failedmessage", "view_failedmessage")
    anna.post(f"{POLICIES}add/", {**form, "after": "15m, 1h"})

    asked = ben.post(f"{POLICIES}add/", {**form, "after": "2h"}).content.decode()

    assert re.search(rf"after 15 min, 60 min, set by operator at {WHEN}", asked)
    assert ReplayPolicy.objects.get().delays_seconds == [900, 3600]
    confirmed = BrowserForm(asked, "replaypolicy_form")
    ben.post(f"{POLICIES}add/", confirmed.sent())
    assert ReplayPolicy.objects.get().delays_seconds == [7200]


def test_the_same_policy_twice_is_set_once_and_ended_once():
    client = staff()
    form = {"service": "billing", "group": "", "reason": "", "after": "15m, 1h"}

    first = client.post(f"{POLICIES}add/", form, follow=True).content.decode()
    second = client.post(f"{POLICIES}add/", form, follow=True).content.decode()

    assert "The policy of service billing is on." in first
    assert "was on already, and stays as it is" in second
    click = {"action": "end_selected", "_selected_action": ["service billing"]}
    assert "is off." in client.post(POLICIES, click, follow=True).content.decode()
    again = client.post(POLICIES, click, follow=True).content.decode()
    assert re.search(rf"was off already \(end policy by operator, {WHEN}\)", again)
    assert acts() == ["set policy", "end policy"]


def test_a_group_says_which_field_a_colleague_changed_meanwhile():
    group = failed().fingerprint
    page = f"{ADMIN}failuregroup/{group}/change/"
    form = BrowserForm(staff().get(page).content.decode(), "triage")
    triage(group, {"owner": "colleague", "note": "first\nsecond"}, "colleague")

    said = staff().post(page, form.sent(link="https://example.com/7"), follow=True).content.decode()

    stored = FailureGroup.objects.get()
    assert (stored.owner, stored.link) == ("colleague", "https://example.com/7")
    assert re.search(
        rf"Owner: it was changed to &quot;colleague&quot; \(triage by colleague, {WHEN}\)", said
    )


def test_a_group_asks_before_it_replaces_what_a_colleague_wrote():
    group = failed().fingerprint
    page = f"{ADMIN}failuregroup/{group}/change/"
    form = BrowserForm(staff().get(page).content.decode(), "triage")
    triage(group, {"owner": "colleague"}, "colleague")

    asked = staff().post(page, form.sent(owner="me", note="mine")).content.decode()

    stored = FailureGroup.objects.get()
    assert (stored.owner, stored.note) == ("colleague", "")
    assert "Nothing is saved yet" in asked
    assert "it was changed to &quot;colleague&quot; (triage by colleague, 20" in asked

    staff().post(page, BrowserForm(asked, "triage").sent())

    stored.refresh_from_db()
    assert (stored.owner, stored.note) == ("me", "mine")
