"""`manage.py failed_messages`: the same verbs for a terminal and for scripts."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from failed_messages.acting.job_runner import advance_jobs
from failed_messages.models import AuditEntry
from runtime.os_user import os_user
from tests.failed_messages.letters import BODY, ORDER_ID, archive_next, bury, failed, record
from tests.failed_messages.test_editing import RIGHT, WRONG

pytestmark = pytest.mark.usefixtures("clean")


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("failed_messages", *map(str, arguments), stdout=out)
    return out.getvalue()


def run_json(*arguments: object):
    return json.loads(run(*arguments, "--json"))


def test_list_says_what_failed_where_and_why():
    stored = failed()
    [item] = run_json("list")

    assert item["id"] == str(stored.pk)
    assert (item["service"], item["type"]) == ("billing", "order.placed")
    assert (item["orderId"], item["reason"]) == (ORDER_ID, "attempts_used_up")
    assert (item["status"], item["attempts"]) == ("failed", 2)
    assert ORDER_ID in run("list")


def test_list_filters_newest_first():
    bury(service="inventory")
    archive_next("inventory")
    failed(message_id="b", correlation_id="other")
    newest = failed(message_id="c", correlation_id="other")

    assert len(run_json("list", "--service", "billing")) == 2
    assert len(run_json("list", "--order", "other")) == 2
    assert run_json("list", "--status", "resolved") == []
    assert [item["id"] for item in run_json("list", "--limit", "1")] == [str(newest.pk)]
    assert "No failed messages" in run("list", "--status", "discarded")


def test_show_has_everything():
    stored = failed()
    [item] = run_json("show", stored.pk)

    assert item["body"] == BODY.decode()
    assert item["certificates"][0]["attempts"][1]["traceback"].startswith("Traceback")
    assert item["headers"] == {"order-version": 1}
    assert "Billing gave up after 2 attempts in 1.0 s: card service timed out" in run(
        "show", stored.pk
    )


def test_show_keeps_an_outsiders_escape_codes_off_the_terminal():
    stored = failed(type="\x1b[2J\x07")

    assert "\x1b" not in run("show", stored.pk) + run("list")


def test_replay_and_discard_are_recorded_under_a_name():
    stored = failed()
    assert run_json("replay", stored.pk) == [
        {"id": str(stored.pk), "done": True, "detail": "sent to billing"}
    ]
    assert record(stored.pk).history[-1].by == os_user()

    another = failed(message_id="another")
    run("discard", another.pk, "--reason", "test order", "--by", "operator")
    assert record(another.pk).discarded_by == f"{os_user()} for operator"
    run("restore", another.pk)
    assert record(another.pk).status == "failed"


def test_what_is_refused_exits_with_1_and_says_why(capsys):
    out = io.StringIO()
    with pytest.raises(SystemExit) as exit_:
        call_command("failed_messages", "replay", "nonsense", stdout=out)
    assert exit_.value.code == 1
    assert "failed_messages list" in out.getvalue()

    with pytest.raises(CommandError, match="failed_messages list"):
        run("show", "0" * 24)
    with pytest.raises(CommandError, match="--reason"):
        run("discard", "0" * 24)


def test_groups_are_one_row_for_each_cause():
    failed()
    failed(message_id="b")
    [group] = run_json("groups")
    assert (group["failedNow"], group["deaths"], group["status"]) == (2, 2, "new")
    assert group["fingerprint"] in run("groups", "--service", "billing", "--recount")
    assert "No failure groups" in run("groups", "--status", "fixed")


def test_replay_of_a_group_or_a_filter_is_previewed_and_then_a_job():
    stored = failed()
    assert run_json("replay", "--group", stored.fingerprint, "--dry-run")["messages"] == 1
    assert "1 message to billing only." in run("replay", "--filter", "q=500", "--dry-run")
    assert "1 message to billing only." in run("replay", stored.pk, "--dry-run")
    assert record(stored.pk).status == "failed"

    job = run_json("replay", "--filter", "service=billing&status=failed", "--rate", "5")
    assert (job["state"], job["ratePerSecond"]) == ("gathering", 5)
    assert "Started bulk replay" in run("replay", "--group", stored.fingerprint)
    for wrong in ((), ("--filter", "colour=red"), (stored.pk, "--group", "a")):
        with pytest.raises(CommandError):
            run("replay", *wrong)


def test_a_bulk_replay_is_watched_paused_resumed_and_cancelled():
    assert "No bulk replays" in run("jobs")
    failed()
    job = run_json("replay", "--filter", "service=billing")
    assert [each["id"] for each in run_json("jobs")] == [job["id"]]
    assert "service=billing" in run("jobs")
    advance_jobs()
    assert run_json("jobs", job["id"])["messages"]["sent"] == 1
    assert f"Bulk replay {job['id']}: running, 0 of 1 resolved" in run("jobs", job["id"])

    assert run_json("jobs", job["id"], "pause", "--by", "operator")["state"] == "paused"
    assert run_json("jobs", job["id"], "resume")["state"] == "gathering"
    assert "cancelled" in run("jobs", job["id"], "cancel", "--reason", "enough")
    with pytest.raises(CommandError, match="is cancelled, so there is nothing to pause"):
        run("jobs", job["id"], "pause")
    with pytest.raises(CommandError, match="is not a bulk replay"):
        run("jobs", "nonsense")
    entry = AuditEntry.objects.get(act="pause")
    assert (entry.by, entry.subject_id) == (f"{os_user()} for operator", job["id"])
    assert AuditEntry.objects.get(act="cancel").reason == "enough"


def test_edit_from_a_file(tmp_path):
    stored = failed(body=json.dumps(WRONG).encode())
    file = tmp_path / "body.json"
    file.write_text(json.dumps(WRONG))
    with pytest.raises(CommandError, match="unitPrice is missing"):
        run("edit", stored.pk, "--body", file, "--reason", "price")
    file.write_text(json.dumps(RIGHT))
    assert '+       "unitPrice": "1.00"' in run("edit", stored.pk, "--body", file, "--dry-run")
    shown = run_json("edit", stored.pk, "--body", file, "--dry-run")
    assert '+       "unitPrice": "1.00"' in shown["diff"]
    [verdict] = run_json("edit", stored.pk, "--body", file, "--reason", "price")
    assert record(verdict["id"]).parent == stored.pk
    with pytest.raises(CommandError, match="--body"):
        run("edit", stored.pk, "--body", tmp_path / "nothing")


def test_policies_are_off_until_one_is_set():
    assert "nothing is replayed automatically" in run("policy")
    [policy] = run_json("policy", "set", "--service", "billing", "--after", "15m,1h,6h")
    assert (policy["afterSeconds"], policy["enabled"]) == ([900, 3600, 21600], True)
    [policy] = run_json("policy", "off", "--service", "billing")
    assert not policy["enabled"]
    for what in (("set", "--after", "1h"), ("off",)):
        policies = run_json("policy", what[0], "--group", "ABCDEF012345", *what[1:])
        assert [each["scope"] for each in policies] == ["group abcdef012345", "service billing"]
    assert not any(each["enabled"] for each in policies)
    for wrong in (("set", "--service", "billing"), ("off",), ("set", "--after", "1h")):
        with pytest.raises(CommandError):
            run("policy", *wrong)
