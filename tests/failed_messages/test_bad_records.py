"""A failed message whose document another program spoilt keeps no other one from its replay."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from django.core.management import call_command

from failed_messages.acting import job_control
from failed_messages.acting import replay as replaying
from failed_messages.acting.job_runner import advance_jobs
from failed_messages.acting.policies import apply_policies, set_policy
from failed_messages.acting.replay import publish_claimed, replay
from failed_messages.models import Status
from failed_messages.reading.discard_preview import discard_preview, discard_preview_of
from failed_messages.reading.filters import Filter
from failed_messages.reading.preview import preview, preview_of
from failed_messages.records.collection import failed_messages, replay_jobs
from tests.failed_messages.letters import failed, record
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place, placed_body

pytestmark = pytest.mark.usefixtures("clean")

#: What a replay reads of a document.
READ = [
    *("order_id", "type", "headers", "header_table", "properties", "message_id", "content_type"),
    *("correlation_id", "body", "body_bytes", "history", "job_state", "replay", "service"),
    *("reason", "body_cut"),
]
MISSING = object()
STRANGE = (MISSING, None, "strange", 7.5, [{"b": 1}], {"a": [1]})

LONG_AGO = datetime.now(UTC) - timedelta(hours=2)


def claim() -> dict[str, Any]:
    """As it is stored, of a message that nobody has published."""
    return {"id": str(ObjectId()), "by": "anna", "at": LONG_AGO, "published_at": None}


@pytest.fixture
def sound() -> ObjectId:
    """A failed message of an order that there is, two hours old."""
    its_order = place()
    stored = failed(body=placed_body(its_order), correlation_id=str(its_order["_id"]))
    old = {"last_failed_at": LONG_AGO, "archived_at": LONG_AGO}
    failed_messages().update_one({"_id": stored.pk}, {"$set": old})
    id_: ObjectId = stored.pk
    return id_


def spoil(id_: ObjectId, **changes: Any) -> list[ObjectId]:
    """Store spoilt copies of the message before it; returns their ids."""
    stored = failed_messages().find_one_and_delete({"_id": id_})
    assert stored
    stored |= changes
    made = [each | {"_id": ObjectId(f"{at:024}")} for at, each in enumerate(spoilt(stored))]
    failed_messages().insert_many([*made, stored])
    return [each["_id"] for each in made]


def spoilt(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in READ:
        for value in STRANGE:
            own = {"message_id": str(ObjectId()), "replay": claim() if document["replay"] else None}
            other = {**document, **own, name: value}
            if value is MISSING:
                del other[name]
            yield other


def is_sent(id_: ObjectId) -> bool:
    stored = failed_messages().find_one({"_id": id_})
    return bool(
        stored
        and stored["status"] == Status.REPLAYING
        and stored["replay"]["published_at"] is not None
    )


def test_a_policy_replays_the_others(sound: ObjectId) -> None:
    spoil(sound)
    set_policy("me", delays=[timedelta(minutes=15)], service="billing")

    apply_policies()

    assert is_sent(sound)


def test_what_a_policy_may_not_replay_does_not_fill_each_run(
    sound: ObjectId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("failed_messages.acting.policies.MESSAGES_A_RUN", 2)
    stored = failed_messages().find_one_and_delete({"_id": sound})
    assert stored
    foreign = [
        stored | {"_id": ObjectId(), "message_id": f"foreign {at}", "type": "their.event"}
        for at in range(3)
    ]
    failed_messages().insert_many([*foreign, stored])
    for scope in ({"service": "billing"}, {"group": stored["fingerprint"]}):
        back = {"status": "failed", "scheduled_replays": 0}
        failed_messages().update_one({"_id": sound}, {"$set": back})
        set_policy("me", delays=[timedelta(minutes=15)], **scope)

        apply_policies()

        assert is_sent(sound), scope
    assert failed_messages().count_documents({"type": "their.event", "status": "failed"}) == 3


def test_a_bulk_replay_sends_the_others(sound: ObjectId) -> None:
    spoil(sound)
    job = job_control.start(Filter(service="billing"), "me")

    # Each message that was sent is answered, as if its worker had handled it.
    for _ in range(30):
        advance_jobs()
        handled = {"status": "resolved", "job_state": "resolved"}
        failed_messages().update_many({"job_state": "sent"}, {"$set": handled})
        replay_jobs().update_one({"_id": job}, {"$set": {"sent_at": None}})

    ended = replay_jobs().find_one({"_id": job})
    assert ended
    assert (ended["state"], ended["why"]) == ("done", "")
    assert record(sound).status == Status.RESOLVED


def test_a_selection_is_told_of_each(sound: ObjectId) -> None:
    spoilt_ids = spoil(sound)

    verdicts = replay([*spoilt_ids, sound], "me", approved=True)

    assert [each.id for each in verdicts] == [str(each) for each in (*spoilt_ids, sound)]
    assert verdicts[-1].done
    assert is_sent(sound)


def test_what_was_claimed_is_published(sound: ObjectId) -> None:
    spoil(sound, status="replaying", replay=claim())

    publish_claimed()

    assert is_sent(sound)


def test_what_can_be_neither_published_nor_released_is_not_tried_each_time(
    sound: ObjectId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "_stuck", {})
    neither = {"status": "replaying", "replay": claim(), "history": "of another program"}
    stored = failed_messages().find_one_and_delete({"_id": sound})
    assert stored
    failed_messages().insert_one(stored | neither | {"body": None, "_id": ObjectId()})

    assert publish_claimed() == 1
    assert publish_claimed() == 0
    monkeypatch.setattr(replaying, "STUCK_SECONDS", 0)
    assert publish_claimed() == 1


def test_a_preview_is_of_the_others(sound: ObjectId) -> None:
    ids = [*spoil(sound), sound]
    counted = len(ids)

    everything = preview(Filter(status=Status.FAILED))

    assert everything.messages == counted
    # One of them names another order, as far as can be said.
    assert everything.orders == 2
    assert everything.unreadable == sum(
        not is_readable(each) for each in failed_messages().find({"_id": {"$in": ids}})
    )
    assert any("not as this release stores one" in each for each in everything.sentences())
    assert preview_of(ids).unreadable == everything.unreadable
    assert discard_preview_of(ids).orders == 1
    assert discard_preview([Filter(status=Status.FAILED)]).messages == counted


def is_readable(document: dict[str, Any]) -> bool:
    words = ("order_id", "type", "headers", "service", "reason")
    return document.get("body_cut") in (True, False) and all(
        isinstance(document.get(each), str) for each in words
    )


def test_an_operator_is_asked_and_told_before_a_replay(sound: ObjectId) -> None:
    ids = [*spoil(sound), sound]
    admin, said = staff(), io.StringIO()
    group = {"group": record(sound).fingerprint}

    bulk = admin.get("/admin/failed_messages/replayjob/new/", {"service": "billing"})
    assert "Replay all that match" in bulk.content.decode()
    for at in range(0, len(ids), 10):
        chosen = [*ids[at : at + 10], sound]
        for verb in ("replay", "discard"):
            asked = admin.get(f"/admin/failed_messages/failedmessage/act/{verb}/", {"id": chosen})
            assert "are you sure?" in asked.content.decode()
    address = f"/admin/failed_messages/failuregroup/{group['group']}/change/"
    for at, spoilt_id in enumerate(ids):
        # As the newest of its group it is on the group's page.
        now = datetime.now(UTC) + timedelta(seconds=at)
        failed_messages().update_one({"_id": spoilt_id}, {"$set": {"last_failed_at": now}})
        if at % 5 == 0:
            assert admin.get(address).status_code == 200
    dry = json.dumps({**group, "dryRun": True})
    over_http = admin.post("/failed-messages/replay", dry, "application/json")
    assert over_http.status_code == 200, over_http.content
    call_command(
        "failed_messages", "replay", "--filter", "service=billing", "--dry-run", stdout=said
    )
    assert "not as this release stores one" in said.getvalue()
    call_command("failed_messages", "replay", "--group", group["group"], stdout=said)
    assert "Started bulk replay" in said.getvalue()
