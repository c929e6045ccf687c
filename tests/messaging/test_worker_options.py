"""What a worker's command line cannot have stops its start, and says what to do instead."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from celery.concurrency import get_implementation

from messaging.consuming.worker_options import reasons_against


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"pool": get_implementation("solo")}, "--pool solo"),
        ({"pool": get_implementation("threads")}, "--pool thread"),
        ({"queues": ["nope"]}, "'nope'"),
        ({"queues": "billing,nope"}, "'nope'"),
        ({"queues": ["billing.dlq"]}, "the archiver's"),
        ({"queues": [""]}, "''"),
        ({"autoscale": (4, 1)}, "--concurrency"),
        ({"beat": True}, "manage.py scheduler"),
        ({"purge": True}, "delete the orders"),
        ({"prefetch_multiplier": -1}, "1 or more"),
    ],
)
def test_it_is_refused_with_the_reason(options: dict[str, Any], reason: str) -> None:
    assert reason in " ".join(reasons_against(options))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"queues": None},
        {"queues": ["billing", "inventory"]},
        {"queues": "orders"},
        {"pool": get_implementation("prefork"), "concurrency": 4, "prefetch_multiplier": 1600},
        {"pool": get_implementation("processes")},
    ],
)
def test_what_works_is_let_pass(options: dict[str, Any]) -> None:
    assert list(reasons_against(options)) == []


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("options", [["-P", "solo"], ["-Q", "nope"], ["--autoscale", "4,1"]])
def test_the_operator_sees_the_reason_and_an_example(options: list[str]) -> None:
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "celery_app", "worker"]

    started = subprocess.run(
        [*celery, *options], env=os.environ, capture_output=True, text=True, timeout=180
    )

    assert started.returncode == 1
    assert "The worker does not start: " in started.stderr
    assert "For example: celery -A celery_app worker -Q billing" in started.stderr
    assert "Traceback" not in started.stderr
