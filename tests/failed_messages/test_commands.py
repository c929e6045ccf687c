"""`manage.py failed_messages`: the same verbs for a terminal and for scripts."""

from __future__ import annotations

import getpass
import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.failed_messages.letters import BODY, ORDER_ID, archive_next, bury, failed, record

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


def test_show_keeps_a_strangers_escape_codes_off_the_terminal():
    stored = failed(type="\x1b[2J\x07")

    assert "\x1b" not in run("show", stored.pk) + run("list")


def test_replay_and_discard_are_recorded_under_a_name():
    stored = failed()
    assert run_json("replay", stored.pk) == [
        {"id": str(stored.pk), "done": True, "detail": "sent to billing"}
    ]
    assert record(stored.pk).history[-1].by == getpass.getuser()

    another = failed(message_id="another")
    run("discard", another.pk, "--reason", "test order", "--by", "operator")
    assert record(another.pk).discarded_by == "operator"
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
