"""What the desk does by itself: alerts, scheduled replay, retention; and its charts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.test import override_settings

from failed_messages.acting.alerts import send_alerts
from failed_messages.acting.discard import discard
from failed_messages.acting.policies import InvalidPolicy, apply_policies, set_policy, switch_off
from failed_messages.acting.retention import delete_expired, delete_old_counts
from failed_messages.acting.triage import triage
from failed_messages.models import AuditEntry, FailedMessage, ReplayPolicy
from failed_messages.records.collection import (
    failed_messages,
    failure_counts,
    failure_groups,
    replay_policies,
)
from localservices.ports import free_port
from messaging.handling.handlers import HANDLERS
from tests import broker
from tests.concurrency import at_once
from tests.failed_messages.copies import copies
from tests.failed_messages.letters import archive_next, bury, certificate, failed, record
from tests.failed_messages.staff import staff
from tests.failed_messages.test_replay import order, orders_now  # noqa: F401

pytestmark = pytest.mark.usefixtures("clean")

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def webhook() -> Iterator[list[dict[str, Any]]]:
    """What a webhook was told, while it is the one in the settings."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing on the terminal."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with override_settings(ALERT_WEBHOOK_URL=f"http://127.0.0.1:{server.server_port}/"):
        yield told
    server.shutdown()
    server.server_close()


def age_the_alert(age: timedelta) -> None:
    failure_groups().update_many({}, {"$set": {"alerted_at": datetime.now(UTC) - age}})


def age_the_death(age: timedelta) -> None:
    at = datetime.now(UTC) - age
    failed_messages().update_many({}, {"$set": {"last_failed_at": at, "archived_at": at}})


# --- alerts -----------------------------------------------------------------------------------


def test_a_new_group_is_told_once_and_a_regression_after_the_window(webhook):
    stored = failed()
    assert sum(at_once([send_alerts] * 5)) == 1
    assert send_alerts() == 0
    [alert] = webhook
    assert (alert["kind"], alert["group"]) == ("new", stored.fingerprint)
    assert alert["url"].endswith(f"/failuregroup/{stored.fingerprint}/change/")

    triage(stored.fingerprint, {"status": "fixed", "fixed_in": "0.1.0"}, "operator")
    failed(message_id="b")
    assert send_alerts() == 0, "the window holds it back"
    age_the_alert(61 * MINUTE)
    assert send_alerts() == 1
    assert "came back, it was fixed in 0.1.0" in webhook[1]["headline"]


@override_settings(ALERT_BURST_FAILURES=5)
def test_a_burst_is_told_once_a_window(webhook):
    copies(5)
    send_alerts()
    age_the_alert(61 * MINUTE)
    assert send_alerts() == 0, "five are not more than five"
    failed(message_id="one more")
    assert send_alerts() == 1
    assert webhook[-1]["headline"] == "6 failures of billing in 10 minutes"
    assert send_alerts() == 0


@override_settings(ALERT_EMAILS=["operators@example.com"])
def test_alerts_go_by_mail_too_and_an_outsiders_line_breaks_stay_out_of_the_subject(mailoutbox):
    failed(death=certificate(exception="Oops\r\nBcc: everybody@example.com", message="x\ny"))
    assert send_alerts() == 1

    [sent] = mailoutbox
    assert "\n" not in sent.subject
    assert sent.subject.startswith("New failure in billing: Oops")
    assert sent.recipients() == ["operators@example.com"]


def test_an_alert_that_reached_nobody_is_tried_again(webhook):
    failed()
    with override_settings(ALERT_WEBHOOK_URL=f"http://127.0.0.1:{free_port()}/"):
        assert send_alerts() == 0
    assert send_alerts() == 1
    assert len(webhook) == 1


def test_without_a_receiver_there_is_no_alert():
    failed()
    assert send_alerts() == 0
    assert failure_groups().find_one({"alerted_at": None}) is not None


# --- scheduled replay -------------------------------------------------------------------------


def test_nothing_is_replayed_unasked():
    failed()
    age_the_death(HOUR)
    assert apply_policies() == 0


def test_a_policy_replays_after_each_delay_and_then_leaves_it():
    stored = failed()
    scope = set_policy("operator", service="billing", delays=[15 * MINUTE, HOUR])
    age_the_death(14 * MINUTE)
    assert apply_policies() == 0
    replays = []
    for age in (16 * MINUTE, 16 * MINUTE, 61 * MINUTE, 24 * HOUR):
        age_the_death(age)
        replays.append(apply_policies())
        if sent := broker.take("billing"):
            failed(death=certificate(), message_id=sent.properties["message_id"])
    assert replays == [1, 0, 1, 0]
    assert record(stored.pk).status == "failed"
    by = set(AuditEntry.objects.filter(act="replay").values_list("by", flat=True))
    assert by == {"policy of service billing"}

    assert switch_off(scope, "operator")
    failed(message_id="another")
    age_the_death(24 * HOUR)
    assert apply_policies() == 0


def test_a_policy_obeys_its_reason_and_every_guard(orders_now, monkeypatch):  # noqa: F811
    expired = failed(death=certificate(reason="expired"), message_id="a", correlation_id="a")
    used_up = failed(message_id="b", correlation_id="b")
    stale = failed(message_id="c", correlation_id="c")
    orders_now.update(a=order(), b=order(), c=order("cancelled"))
    set_policy("operator", group=stale.fingerprint, reason="attempts_used_up", delays=[MINUTE])
    age_the_death(HOUR)
    key = ("billing", "order.placed")
    monkeypatch.setitem(HANDLERS, key, replace(HANDLERS[key], replay_safe=False))
    assert apply_policies() == 0
    monkeypatch.undo()
    apply_policies()

    statuses = [record(each.pk).status for each in (expired, used_up, stale)]
    assert statuses == ["failed", "replaying", "failed"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"delays": [HOUR]}, "service"),
        ({"service": "shipping", "delays": [HOUR]}, "service"),
        ({"service": "billing", "group": "a", "delays": [HOUR]}, "service"),
        ({"service": "billing", "delays": []}, "after"),
        ({"service": "billing", "delays": [timedelta(seconds=1)]}, "after"),
        ({"service": "billing", "delays": [HOUR], "reason": "bad luck"}, "reason"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(wrong, field):
    with pytest.raises(InvalidPolicy) as error:
        set_policy("operator", **wrong)
    assert error.value.field == field


@pytest.mark.parametrize("field", ["delays_seconds", "reason", "by", "enabled", "group"])
def test_a_spoilt_policy_is_set_anew(field):
    """As the log advises."""
    set_policy("me", delays=[15 * MINUTE], service="billing")
    replay_policies().update_one({}, {"$unset": {field: ""}})

    set_policy("anna", delays=[15 * MINUTE], service="billing")

    [stored] = replay_policies().find()
    assert (stored["delays_seconds"], stored["enabled"]) == ([900], True)


@pytest.mark.parametrize("field", ["delays_seconds", "reason", "by", "at"])
def test_a_spoilt_policy_is_set_anew_in_the_admin(field):
    set_policy("me", delays=[15 * MINUTE], service="billing")
    replay_policies().update_one({}, {"$unset": {field: ""}})
    page = "/admin/failed_messages/replaypolicy/add/"
    form = {"service": "billing", "group": "", "reason": "", "after": "1h", "replaces": ""}
    client = staff()

    asked = client.post(page, form)
    replaces = re.search(r'name="replaces" value="([^"]*)"', asked.content.decode())
    client.post(page, form | {"replaces": replaces[1] if replaces else ""})

    [stored] = replay_policies().find()
    assert stored["delays_seconds"] == [3600]


def test_a_group_in_capitals_is_the_same_group():
    stored = failed()
    age_the_death(20 * MINUTE)
    page = "/admin/failed_messages/replaypolicy/add/"
    named = stored.fingerprint.upper()
    form = {"service": "", "group": named, "reason": "", "after": "15m", "replaces": ""}

    staff().post(page, form)

    assert [each["_id"] for each in replay_policies().find()] == [f"group {stored.fingerprint}"]
    assert apply_policies() == 1


def test_policies_in_the_admin():
    client = staff()
    url = "/admin/failed_messages/replaypolicy/"
    form = {"service": "billing", "group": "", "reason": "", "after": "soon"}
    assert "e.g. 15m, 24h or 7d" in client.post(f"{url}add/", form).content.decode()
    told = client.post(f"{url}add/", {**form, "after": "15m, 1h"}, follow=True).content.decode()
    assert "The policy of service billing is on." in told
    assert ReplayPolicy.objects.get().delays_seconds == [900, 3600]
    client.post(url, {"action": "end_selected", "_selected_action": ["service billing"]})
    assert not ReplayPolicy.objects.get().enabled
    acts = list(AuditEntry.objects.values_list("act", "by"))
    assert acts == [("end policy", "operator"), ("set policy", "operator")]
    assert staff("view_failedmessage").get(f"{url}add/").status_code == 403


# --- retention --------------------------------------------------------------------------------


def settle(id_, status: str, field: str, age: timedelta) -> None:
    at = datetime.now(UTC) - age
    failed_messages().update_one({"_id": id_}, {"$set": {"status": status, field: at}})


def test_what_is_settled_goes_after_its_time_and_leaves_a_trace():
    open_, young, old, discarded, original = copies(5)
    settle(young, "resolved", "resolved_at", timedelta(days=29))
    settle(old, "resolved", "resolved_at", timedelta(days=31))
    settle(discarded, "discarded", "discarded_at", timedelta(days=91))
    settle(original, "discarded", "discarded_at", timedelta(days=91))
    failed_messages().update_one({"_id": original}, {"$set": {"edited_as": [young]}})

    assert delete_expired() == 2
    assert delete_expired() == 0
    kept = set(FailedMessage.objects.values_list("pk", flat=True))
    assert kept == {open_, young, original}
    traces = AuditEntry.objects.filter(act="delete")
    assert {entry.subject_id for entry in traces} == {str(old), str(discarded)}
    assert json.loads(traces[0].before)["service"] == "billing"


def test_the_countdown_is_shown():
    stored = failed()
    page = f"/admin/failed_messages/failedmessage/{stored.pk}/change/"
    client = staff()
    assert "Deleted in" not in client.get(page).content.decode()
    discard([stored.pk], "operator", "test")
    assert "Deleted in 90 days" in client.get(page).content.decode()


# --- charts -----------------------------------------------------------------------------------


def test_charts_by_service_and_group():
    for number in range(7):
        failed(death=certificate(message="x" * (number + 1)), message_id=f"m{number}")
    bury(certificate(message="<script>alert(1)</script>"), service="orders", message_id="o")
    archive_next("orders")
    client = staff()
    url = "/admin/failed_messages/failedmessage/charts/"
    show = partial(client.get, url)
    by_service = show().content.decode()
    assert "8 failures, last 24 hours" in by_service
    legend = by_service[by_service.index('id="legend"') :]
    assert legend.index("billing") < legend.index("orders")
    by_group = show({"by": "group", "hours": "720"}).content.decode()
    assert "all others" in by_group
    messages = "/admin/failed_messages/failedmessage/"
    shown = re.findall(r'href="/admin/failed_messages/failuregroup/(\w+)/change/">', by_group)
    assert len(shown) == 5
    for group in shown:
        assert f'<a href="{messages}?group={group}&amp;newerThan=30d">1</a>' in by_group
        assert client.get(f"{messages}?group={group}&newerThan=30d").status_code == 200
    assert f'<a href="{messages}?service=billing&amp;newerThan=24h">7</a>' in legend
    assert "<script>alert" not in by_group
    assert show({"by": "x", "hours": "-1"}).status_code == 200
    assert staff("replay_failedmessage").get(url).status_code == 403


def test_counts_that_no_chart_shows_are_deleted_and_the_total_stays():
    group = failed().fingerprint
    long_ago = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    failed(death=certificate(at=long_ago), message_id="long ago")
    assert failure_counts().count_documents({"group": group}) == 2

    assert (delete_old_counts(), delete_old_counts()) == (1, 0)
    assert failure_groups().find_one({"_id": group})["deaths"] == 2
    month = {"by": "group", "hours": "720"}
    page = staff().get("/admin/failed_messages/failedmessage/charts/", month).content.decode()
    assert "1 failure, last 30 days" in page


def test_charts_of_nothing():
    page = staff().get("/admin/failed_messages/failedmessage/charts/").content.decode()
    assert "No failures in this time." in page
