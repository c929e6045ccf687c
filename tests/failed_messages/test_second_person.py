"""Where a setting asks for it, one person asks and another one approves."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from bson import ObjectId
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from failed_messages.acting import bulk_discard
from failed_messages.acting.approving import NotDecided, approve, reject, why_not
from failed_messages.acting.discard import discard
from failed_messages.acting.editing import edit_and_replay
from failed_messages.acting.job_control import start
from failed_messages.acting.policies import set_policy, switch_off
from failed_messages.acting.replay import replay
from failed_messages.acting.second_person import PersonUnknown, Waits, forget_acts_alone
from failed_messages.models import AuditEntry, FailureGroup, PendingAct, ReplayJob, ReplayPolicy
from failed_messages.reading.filters import Filter
from failed_messages.records.collection import acts_alone, pending_acts
from ordersite.access import keys, token_names
from ordersite.staff.models import ProviderAccount
from tests import broker
from tests.concurrency import at_once
from tests.failed_messages.copies import copies
from tests.failed_messages.letters import failed, record
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place
from tests.failed_messages.test_editing import RIGHT, broken
from tests.security.conftest import client_of, secret

MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(autouse=True)
def above_two() -> object:
    with override_settings(SECOND_PERSON_ABOVE=2):
        yield


def ids() -> list[str]:
    return [str(id_) for id_ in copies(3)]


def pending() -> PendingAct:
    return PendingAct.objects.get()


def test_what_is_asked_for_twice_waits_once():
    """By a double click; after it was decided it may be asked for again."""
    wanted = ids()
    for by, reason in (("anna", "ours"), ("anna", "ours"), ("anna", "not ours"), ("ben", "ours")):
        with pytest.raises(Waits):
            discard(wanted, by, reason)
    assert PendingAct.objects.count() == 3
    assert AuditEntry.objects.filter(act="ask").count() == 3

    def ask() -> ObjectId:
        with pytest.raises(Waits) as waits:
            discard(wanted, "carl", "ours")
        return waits.value.id

    [first] = set(at_once([ask] * 4))
    reject(first, "ben")
    assert ask() != first


def test_an_edit_waits_and_is_done_once_another_person_approves_it():
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), "anna", "the price was missing")
    assert record(original.pk).status == "failed"
    assert broker.depth("billing") == 0

    with pytest.raises(NotDecided, match="another person"):
        approve(pending().pk, "anna")
    assert approve(pending().pk, "ben") == "sent to billing"

    assert json.loads(broker.take("billing").body) == RIGHT
    assert (pending().state, pending().decided_by) == ("approved", "ben")
    told = [(each.act, each.by) for each in AuditEntry.objects.order_by("at", "id")]
    assert told[0] == ("ask", "anna")
    assert ("approve", "ben") in told
    assert ("edit", "anna") in told


def test_a_few_go_on_alone_and_many_wait():
    chosen = ids()
    assert all(each.done for each in discard(chosen[:2], "anna", "tests"))
    with pytest.raises(Waits):
        discard(chosen, "anna", "tests")
    with pytest.raises(Waits):
        replay(chosen, "anna", "tests")
    assert broker.depth("billing") == 0

    [second, first] = PendingAct.objects.all()
    page = staff().get(f"/admin/failed_messages/pendingact/{first.pk}/change/").content.decode()
    for each in chosen:
        assert f'<a href="/admin/failed_messages/failedmessage/{each}/change/">' in page
    assert (first.act, first.messages, second.act) == ("discard", 3, "replay")
    assert approve(first.pk, "ben") == "1 done, 2 refused"
    assert reject(second.pk, "ben").startswith("rejected")
    with pytest.raises(NotDecided, match="rejected already, by ben"):
        approve(second.pk, "carl")


def test_several_acts_of_an_hour_wait_as_one_in_whole_does():
    chosen = [str(id_) for id_ in copies(6)]
    assert all(each.done for each in replay(chosen[:1], "root for anna", "fixed"))
    start(Filter(message_id="m1"), "root", "fixed")
    # A discard is another thing, and others have an hour of their own.
    assert discard(chosen[2:3], "root", "tests")[0].done
    bulk_discard.start([Filter(message_id="m3")], "root for ben", "tests")
    assert replay(chosen[3:4], "carl", "fixed")[0].done

    further = (
        lambda: replay(chosen[4:5], "root for ben", "fixed"),
        lambda: start(Filter(message_id="m4"), "root", "fixed"),
        lambda: discard(chosen[4:5], "root", "tests"),
        lambda: bulk_discard.start([Filter(message_id="m4")], "root", "tests"),
    )
    for each in further:
        with pytest.raises(
            Waits, match="these 1 and the 2 that you did alone within the last hour are more"
        ):
            each()


def test_what_another_person_approved_or_was_done_an_hour_ago_does_not_count():
    chosen = [str(id_) for id_ in copies(6)]
    with pytest.raises(Waits):
        discard(chosen[:3], "anna", "tests")
    approve(pending().pk, "ben")
    assert discard(chosen[3:5], "anna", "tests")[0].done
    with pytest.raises(Waits):
        discard(chosen[5:], "anna", "tests")

    for each in acts_alone().find():
        acts_alone().update_one({"_id": each["_id"]}, {"$set": {"at": each["at"] - 60 * MINUTE}})
    assert discard(chosen[5:], "anna", "tests")[0].done
    assert forget_acts_alone() == 1
    assert acts_alone().count_documents({}) == 1


def test_what_was_refused_or_named_twice_does_not_count():
    chosen = [str(id_) for id_ in copies(4)]
    assert all(each.done for each in discard(chosen[2:], "ben", "tests"))

    assert not any(each.done for each in replay(chosen[2:], "anna", "fixed"))
    assert not any(each.done for each in discard(chosen[2:], "anna", "tests"))
    assert acts_alone().count_documents({"persons": "anna"}) == 0
    for act in (discard, replay):
        # Each is two of two: three names of one message, and nothing of what was refused.
        said = act([chosen[0], chosen[0], chosen[0]], f"anna {act.__name__}", "tests")
        assert [each.done for each in said] == [act is discard, False, False]
    assert discard([chosen[1], chosen[1]], "anna discard", "tests")[0].done
    with pytest.raises(Waits):
        discard(chosen[3:], "anna discard", "tests")


def test_a_key_has_no_hour_beside_the_one_of_who_made_it():
    chosen = [str(id_) for id_ in copies(3)]
    key = keys.create("a program", ["failed-messages:*"], by="anna", user_id=None)
    assert replay(chosen[:2], "anna", "fixed")[0].done

    answer = post(client_of(key.secret), f"{chosen[2]}/replay", {})

    assert answer.status_code == 403
    assert "these 1 and the 2 that you did alone within the last hour" in answer.json()["detail"]


def test_of_acts_at_one_moment_no_more_go_on_than_one_after_the_other():
    chosen = [str(id_) for id_ in copies(6)]

    def act(id_: str) -> bool:
        with suppress(Waits):
            return discard([id_], "anna", "tests")[0].done
        return False

    done = at_once([partial(act, each) for each in chosen])

    assert sum(done) <= 2


def test_whoever_has_a_token_of_theirs_does_not_approve_what_it_asked_for():
    User.objects.create_user("anna")
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), "token of anna", "price")

    with pytest.raises(NotDecided, match="another person"):
        approve(pending().pk, "anna")
    assert approve(pending().pk, "ben") == "sent to billing"


@pytest.mark.parametrize(
    ("username", "subject"), [("Anna.Berg", "anna.berg"), ("a" * 150, "a" * 150)]
)
def test_a_token_is_theirs_in_other_letters_and_with_a_long_name(username: str, subject: str):
    User.objects.create_user(username)
    User.objects.create_user("anna-berg")
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), token_names.name_of(subject), "price")

    with pytest.raises(NotDecided, match="another person"):
        approve(pending().pk, username)
    assert approve(pending().pk, "anna-berg") == "sent to billing"


def test_a_bulk_replay_of_many_waits_and_is_started_once():
    ids()
    with pytest.raises(Waits):
        start(Filter(service="billing"), "anna", "fixed")
    assert ReplayJob.objects.count() == 0
    page = staff().get(f"/admin/failed_messages/pendingact/{pending().pk}/change/").content.decode()
    assert '<a href="/admin/failed_messages/failedmessage/?service=billing">' in page

    assert "is started" in approve(pending().pk, "ben")
    with pytest.raises(NotDecided):
        approve(pending().pk, "carl")
    job = ReplayJob.objects.get()
    assert (job.by, job.pk) == ("anna", pending().pk)


def test_a_bulk_replay_begins_where_it_was_asked_for_however_often_it_is_approved():
    ids()
    with pytest.raises(Waits):
        start(Filter(service="billing"), "anna", "fixed")
    said = approve(pending().pk, "ben")
    pending_acts().update_one({}, {"$set": {"outcome": ""}})

    assert approve(pending().pk, "ben") == said

    # Not at the approval: what fails meanwhile was not asked for.
    assert ReplayJob.objects.get().at == pending().at


def test_on_the_command_line_the_user_is_the_person_whatever_they_call_themselves():
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), "deploy for anna", "price")

    with pytest.raises(NotDecided):
        approve(pending().pk, "deploy for ben")
    with pytest.raises(NotDecided):
        approve(pending().pk, "deploy")


def test_what_was_asked_for_a_week_ago_is_asked_for_again():
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), "anna", "price")
    before = pending().at - timedelta(days=8)
    pending_acts().update_many({}, {"$set": {"at": before}})

    with pytest.raises(NotDecided, match="ask again"):
        approve(pending().pk, "ben")


def test_what_can_not_be_done_any_more_is_told():
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), "anna", "price")
    discard([original.pk], "anna", "tests")

    assert "it is discarded" in approve(pending().pk, "ben")
    assert broker.depth("billing") == 0


def test_in_the_admin_another_person_with_the_permission_approves():
    original = broken()
    page = f"/admin/failed_messages/failedmessage/{original.pk}/edit/"
    form = {"body": json.dumps(RIGHT), "what": "replay", "reason": "price"}
    told = staff().post(page, form, follow=True).content.decode()
    assert "another person with the permission has to approve it" in told

    act = f"/admin/failed_messages/pendingact/{pending().pk}/change/"
    assert (
        staff("view_failedmessage", "edit_failedmessage").post(act, {"what": "approve"}).status_code
        == 403
    )
    assert (
        "Not done: another person"
        in staff().post(act, {"what": "approve"}, follow=True).content.decode()
    )
    may = ("view_failedmessage", "edit_failedmessage", "replay_failedmessage")
    approved = staff(*may).post(act, {"what": "approve"}, follow=True).content.decode()
    assert "Decided: sent to billing" in approved
    assert staff(*may).get("/admin/failed_messages/pendingact/").status_code == 200


def shown() -> str:
    page = staff().get(f"/admin/failed_messages/pendingact/{pending().pk}/change/")
    assert page.status_code == 200
    return page.content.decode()


@pytest.mark.parametrize("act", [replay, discard])
def test_the_second_person_sees_what_the_first_one_saw(act):
    order_id = str(place()["_id"])
    chosen = [*ids(), failed(correlation_id=order_id, message_id="m9").pk]
    with pytest.raises(Waits):
        act([str(each) for each in chosen], "anna", "ours")

    told = shown()

    assert f"/admin/orders/order/{order_id}/change/" in told
    assert "card service timed out" in told
    assert f"Order {order_id} has no invoice; inventory is not affected." in told
    expected = {
        replay: ["4 messages to billing only.", "4 orders, worth 12.50 EUR.", "Replay is safe."],
        discard: ["4 messages of billing.", "1 order, worth 12.50 EUR, waits for what was"],
    }
    for sentence in expected[act]:
        assert sentence in told

    reject(pending().pk, "anna")
    assert expected[act][0] not in shown()


def test_an_edit_names_the_message_that_is_edited():
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), "anna", "the price was missing")

    told = shown()

    assert "card service timed out" in told
    assert "There is no order" in told
    assert "&quot;body&quot;" in told


def test_of_many_messages_the_second_person_sees_how_many_and_what_they_are_worth():
    ids()
    failed(correlation_id=str(place()["_id"]), message_id="m9")
    with pytest.raises(Waits):
        start(Filter(service="billing"), "anna", "fixed")
    replayed = shown()
    reject(pending().pk, "anna")
    PendingAct.objects.all().delete()
    with pytest.raises(Waits):
        bulk_discard.start([Filter(service="billing")], "anna", "tests")
    discarded = shown()

    assert "4 messages to billing only." in replayed
    assert "4 orders, worth 12.50 EUR." in replayed
    assert "Replay is safe." in replayed
    assert "1 order, worth 12.50 EUR, waits for what was to be done." in discarded


def test_an_act_about_a_group_that_is_gone_can_still_be_seen():
    group = failed().fingerprint
    copies(3)
    with pytest.raises(Waits):
        start(Filter(group=group), "anna", "fixed")
    FailureGroup.objects.all().delete()

    assert "Approve, and do it" in shown()


def test_over_http_it_is_202_and_another_one_decides():
    original = broken()
    asking, other = (
        staff(),
        staff("view_failedmessage", "edit_failedmessage", "replay_failedmessage"),
    )
    waits = post(asking, f"{original.pk}/edit", {"body": RIGHT, "reason": "price"})
    assert waits.status_code == 202
    id_ = waits.json()["pending"]

    [listed] = asking.get("/failed-messages/pending").json()["items"]
    assert (listed["id"], listed["act"], listed["state"]) == (id_, "edit", "waiting")
    assert post(asking, f"pending/{id_}/approve", {}).status_code == 409
    assert post(staff("view_failedmessage"), f"pending/{id_}/approve", {}).status_code == 403
    decided = post(other, f"pending/{id_}/approve", {})
    assert (decided.status_code, decided.json()["state"]) == (200, "approved")
    assert post(other, "pending/nonsense/approve", {}).status_code == 404


def test_a_key_is_no_person_who_could_approve():
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), "anna", "price")
    program = client_of(secret("failed-messages:*"))

    refused = post(program, f"pending/{pending().pk}/approve", {})

    assert refused.status_code == 409
    assert "a member of the staff" in refused.json()["detail"]
    assert pending().state == "waiting"
    assert post(program, f"pending/{pending().pk}/reject", {}).status_code == 200


def test_what_waits_is_not_asked_for_with_a_key_which_anybody_may_hold() -> None:
    """Whoever was given it could approve what it asked for."""
    original, many = broken(), ids()
    key = client_of(keys.create("for anna", ["failed-messages:*"], by="ben", user_id=None).secret)

    refused = (
        post(key, f"{original.pk}/edit", {"body": RIGHT, "reason": "price"}),
        post(key, "replay", {"ids": many}),
        post(key, "replay", {"filter": "service=billing"}),
        post(key, "policies", {"service": "billing", "after": ["15m"]}),
    )
    few = post(key, f"{many[0]}/discard", {"reason": "tests"})

    for each in refused:
        assert (each.status_code, each.json()["type"]) == (403, "/problems/person-unknown")
        assert "Ask for it in the admin, or with a login of your own" in each.json()["detail"]
    assert not PendingAct.objects.exists()
    assert record(original.pk).status == "failed"
    assert few.status_code == 200


@pytest.mark.parametrize("name", ["key 0123456789abcdef of a program", "token of 0b7c-4d1e"])
def test_what_a_key_or_an_unknown_token_asked_for_before_is_asked_for_again(name: str) -> None:
    original = broken()
    with pytest.raises(Waits):
        edit_and_replay(original.pk, json.dumps(RIGHT), "anna", "price")
    pending_acts().update_one({}, {"$set": {"by": name}})

    with pytest.raises(NotDecided, match="nobody knows which person asked"):
        approve(pending().pk, "ben")
    assert "Nobody knows which person asked" in why_not(pending(), "ben")
    assert reject(pending().pk, "ben").startswith("rejected")


@override_settings(JWT_ISSUER="https://login.example.com")
def test_a_token_asks_for_whom_the_provider_knows_by_the_same_subject() -> None:
    anna = User.objects.create_user("anna")
    original = broken()
    edit = partial(edit_and_replay, original.pk, json.dumps(RIGHT), reason="price")
    with pytest.raises(PersonUnknown):
        edit(by="token of 0b7c-4d1e")

    elsewhere = ProviderAccount(anna.pk, "https://elsewhere.example.com", "0b7c-4d1e")
    elsewhere.save()
    with pytest.raises(PersonUnknown):
        edit(by="token of 0b7c-4d1e")
    ProviderAccount(anna.pk, "https://login.example.com", "0b7c-4d1e").save()
    with pytest.raises(Waits):
        edit(by="token of 0b7c-4d1e")

    with pytest.raises(NotDecided, match="another person"):
        approve(pending().pk, "anna")
    assert approve(pending().pk, "ben") == "sent to billing"


@pytest.mark.parametrize("who", ["anna", "root"])
def test_whoever_was_shown_a_key_has_no_hour_beside_its_own(who: str) -> None:
    chosen = ids()
    first = keys.create("a program", ["failed-messages:*", "api-keys:*"], by="anna", user_id=None)
    made_by_key = post_key(client_of(first.secret))
    rotated = keys.rotate(made_by_key, by="root for carl").secret
    assert replay(chosen[:2], who, "fixed")[0].done

    answer = post(client_of(rotated), f"{chosen[2]}/replay", {})

    assert answer.status_code == 403
    assert "these 1 and the 2 that you did alone" in answer.json()["detail"]


def post_key(client: Client) -> str:
    body = {"name": "another", "userId": None, "scopes": ["failed-messages:*"]}
    made = client.post("/api-keys", json.dumps(body), "application/json")
    return made.json()["id"]


def test_a_policy_waits_whatever_it_would_replay_now_and_its_end_does_not():
    with pytest.raises(Waits):
        set_policy("anna", service="billing", delays=[MINUTE, 5 * MINUTE], reason="expired")
    assert not ReplayPolicy.objects.exists()

    with pytest.raises(NotDecided, match="another person"):
        approve(pending().pk, "anna")
    assert approve(pending().pk, "ben") == "the policy of service billing is on"
    policy = ReplayPolicy.objects.get()
    assert (policy.delays_seconds, policy.reason, policy.by) == ([60, 300], "expired", "anna")
    # As it is: nobody has to approve that.
    set_policy("carl", service="billing", delays=[MINUTE, 5 * MINUTE], reason="expired")
    assert switch_off("service billing", "carl")
    with pytest.raises(Waits):
        set_policy("carl", service="billing", delays=[MINUTE, 5 * MINUTE], reason="expired")


def test_a_policy_waits_by_each_way_in():
    form = {"service": "billing", "group": "", "reason": "", "after": "15m, 1h"}
    page = staff().post("/admin/failed_messages/replaypolicy/add/", form, follow=True)
    said = io.StringIO()
    over_http = post(staff(), "policies", {"service": "billing", "after": ["15m"]})
    verb = ("policy", "set", "--service", "billing", "--after", "15m")
    call_command("failed_messages", *verb, stdout=said)

    assert "another person with the permission has to approve it" in page.content.decode()
    assert "?service=billing" in page.content.decode()
    assert over_http.status_code == 202
    assert "another person with the permission has to approve it" in said.getvalue()
    assert PendingAct.objects.filter(act="replay policy").count() == 3
    assert not ReplayPolicy.objects.exists()


def post(client: Client, path: str, body: dict):
    return client.post(f"/failed-messages/{path}", json.dumps(body), "application/json")


def test_on_a_terminal_it_is_told_and_listed():
    original = failed(body=json.dumps(RIGHT).encode(), message_id="m")
    copies(3)
    said = io.StringIO()
    call_command("failed_messages", "replay", "--filter", "service=billing", stdout=said)
    assert "another person with the permission has to approve it" in said.getvalue()

    call_command("failed_messages", "pending", stdout=said)
    assert str(pending().pk) in said.getvalue()
    with pytest.raises(CommandError, match="another person"):
        call_command("failed_messages", "pending", str(pending().pk), "approve", stdout=said)
    call_command("failed_messages", "pending", str(pending().pk), "reject", stdout=said)
    assert pending().state == "rejected"
    assert record(original.pk).status == "failed"
