"""Edit and replay: a corrected copy is sent, the original stays."""

from __future__ import annotations

import json

import pytest

from failed_messages.acting.editing import InvalidEdit, diff, edit_and_replay
from failed_messages.archiving.outcomes import record_outcome
from failed_messages.models import AuditEntry, FailedMessage
from failed_messages.reading.act_result import ReasonMissing
from tests import broker
from tests.failed_messages.letters import failed, record
from tests.failed_messages.staff import staff

pytestmark = pytest.mark.usefixtures("clean")

RIGHT = {
    "orderId": "a",
    "userId": 1,
    "items": [{"sku": "pen", "quantity": 1, "unitPrice": "1.00"}],
}
WRONG = {**RIGHT, "items": [{"sku": "pen", "quantity": 1}]}


def broken() -> FailedMessage:
    return failed(body=json.dumps(WRONG).encode(), message_id="m", content_type="text/plain")


def test_the_copy_is_sent_and_the_original_kept():
    original = broken()
    verdict = edit_and_replay(original.pk, json.dumps(RIGHT), "operator", "the price was missing")

    assert verdict.done
    copy = record(verdict.id)
    kept = record(original.pk)
    assert (copy.parent, copy.status, copy.replay.by) == (original.pk, "replaying", "operator")
    assert (kept.status, kept.edited_as) == ("discarded", [copy.pk])
    assert json.loads(bytes(kept.body)) == WRONG
    sent = broker.take("billing")
    assert json.loads(sent.body) == RIGHT
    assert sent.properties["message_id"] == "m"
    assert sent.content_type == "application/json"
    replay_id = sent.headers["replay"]
    assert record_outcome(
        json.dumps({"replayId": replay_id, "service": "billing", "messageId": "m"}).encode()
    )
    assert record(copy.pk).status == "resolved"

    [entry] = AuditEntry.objects.filter(act="edit")
    assert (entry.by, entry.reason) == ("operator", "the price was missing")
    assert json.loads(json.loads(entry.before)["body"]) == WRONG
    assert json.loads(json.loads(entry.after)["body"]) == RIGHT


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (json.dumps(WRONG), "items[0].unitPrice is missing"),
        ("{", "the body is not JSON"),
        ("[1]", "publish an object"),
        ('{"orderId": {"$ne": ""}}', "orderId"),
        ("x" * 1_100_000, "at most"),
        ('{"a": "\ud800"}', "surrogates"),
    ],
)
def test_what_the_handler_would_refuse_is_not_sent(body, told):
    original = broken()
    with pytest.raises(InvalidEdit) as error:
        edit_and_replay(original.pk, body, "operator", "reason")

    assert told in str(error.value)
    assert record(original.pk).status == "failed"
    assert broker.depth("billing") == 0


def test_without_a_handler_a_change_or_a_reason_nothing_is_sent():
    original = failed(body=json.dumps(RIGHT).encode())
    with pytest.raises(InvalidEdit, match="nothing was edited"):
        edit_and_replay(original.pk, json.dumps(RIGHT, indent=4), "operator", "reason")
    with pytest.raises(ReasonMissing):
        edit_and_replay(original.pk, json.dumps(WRONG), "operator", " ")
    unknown = failed(type="order.vanished", message_id="b")
    with pytest.raises(InvalidEdit, match=r"no handler for order\.vanished"):
        edit_and_replay(unknown.pk, json.dumps(RIGHT), "operator", "reason")
    assert FailedMessage.objects.count() == 2


def test_an_edit_is_done_once():
    original = broken()
    assert edit_and_replay(original.pk, json.dumps(RIGHT), "operator", "reason").done
    second = edit_and_replay(original.pk, json.dumps({**RIGHT, "userId": 2}), "other", "reason")

    assert not second.done
    assert "discarded" in second.detail
    assert FailedMessage.objects.count() == 2


def test_the_difference_is_told_line_by_line():
    changed = [
        (line.sign, line.text.strip()) for line in diff(b'{"a": 1, "b": 2}', '{"a":1,"b":3}')
    ]
    assert ("-", '"b": 2') in changed
    assert ("+", '"b": 3') in changed
    assert ("-", '"a": 1,') not in changed


def test_in_the_admin_the_difference_comes_before_the_replay():
    original = broken()
    page = f"/admin/failed_messages/failedmessage/{original.pk}/edit/"
    client = staff()
    assert "unitPrice" not in client.get(page).content.decode()
    refused = client.post(page, {"body": json.dumps(WRONG), "what": "replay", "reason": "x"})
    assert "items[0].unitPrice is missing" in refused.content.decode()
    hostile = json.dumps({**RIGHT, "x": "<script>alert(1)</script>"})
    shown = client.post(page, {"body": hostile, "what": "check"}).content.decode()
    assert "fm-diff-new" in shown
    assert "<script>alert" not in shown
    assert broker.depth("billing") == 0

    form = {"body": json.dumps(RIGHT, indent=2).replace("\n", "\r\n"), "what": "replay"}
    assert "reason: must be given to edit" in client.post(page, form).content.decode()
    told = client.post(page, {**form, "reason": "price"}, follow=True).content.decode()
    assert "sent to billing" in told
    assert str(original.pk) in told


def test_editing_has_a_permission_of_its_own():
    original = broken()
    page = f"/admin/failed_messages/failedmessage/{original.pk}/edit/"

    for permission in ("replay_failedmessage", "edit_failedmessage"):
        one_alone = staff("view_failedmessage", permission)
        assert one_alone.get(page).status_code == 403
        assert one_alone.post(page, {"body": "{}", "what": "replay"}).status_code == 403
    replayer = staff("view_failedmessage", "replay_failedmessage")
    detail = replayer.get(f"/admin/failed_messages/failedmessage/{original.pk}/change/")
    assert "failed_messages.edit_failedmessage" in detail.content.decode()
    both = staff("view_failedmessage", "replay_failedmessage", "edit_failedmessage")
    assert both.get(page).status_code == 200


def test_an_edit_changes_no_price():
    original = failed(body=json.dumps(RIGHT).encode(), message_id="m")
    cheaper = {**RIGHT, "userId": 2, "items": [{**RIGHT["items"][0], "unitPrice": "0.01"}]}
    with pytest.raises(InvalidEdit, match=r"items\[0\].unitPrice must stay .1.00."):
        edit_and_replay(original.pk, json.dumps(cheaper), "operator", "reason")

    assert broker.depth("billing") == 0
    assert record(original.pk).status == "failed"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"userId": 2}, "userId must stay 1"),
        ({"items": [{**RIGHT["items"][0], "quantity": 200}]}, r"items\[0\].quantity must stay 1"),
        ({"items": [{**RIGHT["items"][0], "sku": "car"}]}, r"items\[0\].sku must stay .pen."),
    ],
)
def test_an_edit_changes_nothing_that_is_owed_for_an_order_that_is_stored_nowhere(changed, told):
    original = failed(body=json.dumps(RIGHT).encode(), message_id="m")
    with pytest.raises(InvalidEdit, match=told):
        edit_and_replay(original.pk, json.dumps(RIGHT | changed), "operator", "reason")

    assert broker.depth("billing") == 0
    assert record(original.pk).status == "failed"
    page = staff("view_failedmessage", "replay_failedmessage", "edit_failedmessage").get(
        f"/admin/failed_messages/failedmessage/{original.pk}/edit/"
    )
    assert "who ordered what, and how many" in page.text
