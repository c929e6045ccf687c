"""The doctor tells of a consumer timeout that is shorter than a message may be in hand."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.consuming.holding import longest_held_seconds
from ordersite.doctor.rabbitmq_settings import short_consumer_timeout


@pytest.mark.parametrize(
    ("queue", "seconds"),
    [
        ({"arguments": {"x-consumer-timeout": 60_000}}, "60 s"),
        ({"effective_policy_definition": {"consumer-timeout": 90_500}}, "90.5 s"),
        (
            {
                "arguments": {"x-consumer-timeout": 1_800_000},
                "effective_policy_definition": {"consumer-timeout": 60_000},
            },
            "60 s",
        ),
    ],
)
def test_a_short_one_is_a_finding(queue: dict[str, Any], seconds: str) -> None:
    finding = short_consumer_timeout({"name": "billing", **queue})

    assert finding is not None
    assert finding.subject == "Queue billing"
    assert seconds in finding.problem
    assert f"{longest_held_seconds():g} s" in finding.problem


@pytest.mark.parametrize(
    "queue",
    [
        {},
        {"arguments": {}, "effective_policy_definition": None},
        {"effective_policy_definition": {"consumer-timeout": 1_800_000}},
        {"effective_policy_definition": {"max-length": 5}},
    ],
)
def test_any_other_is_none(queue: dict[str, Any]) -> None:
    assert short_consumer_timeout({"name": "billing", **queue}) is None


def test_a_message_is_in_hand_for_a_fraction_of_rabbitmqs_own() -> None:
    assert longest_held_seconds() < 1_800 / 10
