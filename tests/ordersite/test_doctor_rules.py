"""What the doctor makes of what MongoDB and RabbitMQ answer. In memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from ordersite.broker import management_api
from ordersite.doctor import (
    clocks,
    examination,
    mongodb,
    rabbitmq_nodes,
    rabbitmq_settings,
    versions,
)
from ordersite.doctor.report import ExitCode, Finding, Report, Severity, Unseen
from ordersite.pipeline.health import Check

ERROR = Finding(Severity.ERROR, "Relay", "None runs.", "Events wait.", "python manage.py relay")
WARNING = Finding(Severity.WARNING, "Clock", "It is ahead.", "Odd timelines.", "timedatectl")
SILENT = Check("mongodb", False, "No answer (ServerSelectionTimeoutError).", "Start MongoDB.")
UNSEEN = Unseen(("policies", "alarms"), "No answer.", "Start RabbitMQ.")


@pytest.fixture
def rabbitmq_answers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the management API answer this to whatever is asked."""

    def answer(*content: dict[str, Any]) -> None:
        told = SimpleNamespace(content=list(content))
        monkeypatch.setattr(management_api, "get", lambda path: told)

    return answer


@pytest.mark.parametrize(
    ("report", "exit_code", "verdict"),
    [
        (Report(checked=["clock"]), ExitCode.HEALTHY, "Healthy: 1 check made"),
        (Report(findings=[WARNING]), ExitCode.FINDINGS, "1 warning"),
        (Report(findings=[WARNING, ERROR, ERROR]), ExitCode.FINDINGS, "2 errors, 1 warning"),
        (Report(unchecked=[UNSEEN]), ExitCode.COULD_NOT_CHECK, "2 checks could not be made"),
        (
            Report(findings=[ERROR], unchecked=[UNSEEN]),
            ExitCode.COULD_NOT_CHECK,
            "1 error, 2 checks could not be made",
        ),
        # Without the permission to ask, everything may be well.
        (Report(checked=["a", "b"], left_out=[UNSEEN]), ExitCode.HEALTHY, "Healthy: 2 checks made"),
    ],
)
def test_the_verdict_of_a_report(report: Report, exit_code: ExitCode, verdict: str) -> None:
    assert report.exit_code == exit_code
    assert report.verdict == verdict


def test_errors_are_told_before_warnings() -> None:
    assert Report(findings=[WARNING, ERROR, WARNING]).worst_first == [ERROR, WARNING, WARNING]


def test_who_does_not_answer_one_check_is_not_asked_the_others() -> None:
    asked: list[str] = []

    def checked(name: str, error: Exception | None = None) -> Any:
        def check() -> list[Finding]:
            asked.append(name)
            if error:
                raise error
            return [WARNING]

        return check

    report = Report()
    checks = {
        "first": checked("first"),
        "second": checked("second", OSError("lost")),
        "third": checked("third"),
    }
    examination._make(checks, report, "Start RabbitMQ.")

    assert asked == ["first", "second"]
    assert report.findings == [WARNING]
    assert report.unchecked == [Unseen(("second", "third"), "lost", "Start RabbitMQ.")]


def test_a_clock_that_is_ahead_and_one_that_is_close() -> None:
    asked_at = datetime(2026, 1, 1, tzinfo=UTC)
    answered_at = asked_at + timedelta(seconds=3)

    [skewed] = clocks.compared("MongoDB", asked_at, asked_at + timedelta(seconds=63), answered_at)
    assert "60 s ahead of" in skewed.problem
    [skewed] = clocks.compared("MongoDB", asked_at, asked_at - timedelta(seconds=60), answered_at)
    assert "60 s behind" in skewed.problem
    assert not [*clocks.compared("MongoDB", asked_at, answered_at, answered_at)]


@pytest.mark.parametrize(
    ("version", "is_told"),
    [
        ("3.8.9", True),
        ("3.9.29", True),
        ("3.10.8", False),
        ("3.13.7", False),
        ("4.3.0-rc.1", False),
    ],
)
def test_a_version_that_is_too_old(version: str, is_told: bool) -> None:
    broker = SimpleNamespace(connection=SimpleNamespace(server_properties={"version": version}))

    told = [*versions.rabbitmq(broker)]

    assert [version in each.problem for each in told] == [True] * is_told


@pytest.mark.parametrize(
    ("size_bytes", "is_told"), [(4_096, True), (131_071, True), (131_072, False)]
)
def test_frames_that_no_certificate_fits_into(size_bytes: int, is_told: bool) -> None:
    broker = SimpleNamespace(connection=SimpleNamespace(frame_max=size_bytes))

    told = [*rabbitmq_settings.frame_size(broker)]

    assert [f"{size_bytes:,} bytes" in each.problem for each in told] == [True] * is_told


@pytest.mark.parametrize(
    ("queue", "told"),
    [
        ({"name": "billing"}, []),
        ({"name": "billing", "effective_policy_definition": {"max-priority": 5}}, []),
        ({"name": "somebody elses", "effective_policy_definition": {"max-length": 1}}, []),
        (
            {
                "name": "billing.dlq",
                "policy": "short",
                "effective_policy_definition": {"max-length": 1, "expires": 2, "max-priority": 3},
            },
            ["The policy short sets expires, max-length for it."],
        ),
        (
            {
                "name": "billing",
                "operator_policy": "theirs",
                "effective_policy_definition": {"message-ttl": 1},
            },
            ["The policy theirs sets message-ttl for it."],
        ),
    ],
)
def test_a_policy_that_may_lose_messages(
    rabbitmq_answers: Any, queue: dict[str, Any], told: list[str]
) -> None:
    rabbitmq_answers(queue)

    assert [each.problem for each in rabbitmq_settings.policies()] == told


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ({"running": True}, []),
        ({"running": False, "mem_alarm": True}, ["It does not run."]),
        (
            {"running": True, "mem_alarm": True, "mem_used": 2**21, "mem_limit": 2**20},
            ["Memory alarm: it uses 2 MiB of 1 MiB."],
        ),
        (
            {
                "running": True,
                "disk_free_alarm": True,
                "disk_free": "disk_free_monitoring_disabled",
                "disk_free_limit": 50 * 2**20,
            },
            ["Disk alarm: disk_free_monitoring_disabled are free, 50 MiB are wanted."],
        ),
    ],
)
def test_an_alarm_is_told_with_its_figures(
    rabbitmq_answers: Any, node: dict[str, Any], told: list[str]
) -> None:
    rabbitmq_answers({"name": "rabbit@a", **node})

    assert [each.problem for each in rabbitmq_nodes.of_nodes()] == told


@pytest.mark.parametrize(
    ("states", "told", "to_do"),
    [
        ([], "MongoDB: No answer", "Start MongoDB."),
        (
            [("a:1", "SECONDARY"), ("b:1", "(not reachable/healthy)"), ("c:1", "DOWN")],
            "a:1 is SECONDARY, b:1 is (not reachable/healthy), c:1 is DOWN.",
            "Start b:1, c:1: a majority elects a primary.",
        ),
        ([("a:1", "SECONDARY")], "a:1 is SECONDARY.", "rs.freeze(0)"),
        ([("a:1", "SECONDARY"), ("b:1", "PRIMARY")], "b:1 is PRIMARY.", "?replicaSet="),
    ],
)
def test_without_a_primary_the_members_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, states: list[tuple[str, str]], told: str, to_do: str
) -> None:
    monkeypatch.setattr(mongodb, "_states", lambda: states)

    reason, next_step = mongodb.without_primary(SILENT)

    assert told in reason
    assert to_do in next_step
