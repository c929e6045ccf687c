"""What makes two failures one cause. In memory."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from failed_messages.archiving.fingerprint import Cause, cause_of, own_frame, pattern_of
from messaging.certificate import decode_certificate
from tests.failed_messages.letters import certificate

TRACEBACK = """Traceback (most recent call last):
  File "/srv/a/messaging/handling/handlers.py", line 97, in attempt
    publish_outcome(delivery, handle(decoded))
  File "/srv/a/billing/invoicing.py", line 41, in issue
    card.charge(order)
  File "/srv/a/.venv/lib/python3.11/site-packages/card/client.py", line 7, in charge
    raise TimeoutError
TimeoutError: slow
"""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 674300000000000000000001 took 12.5 s", "order 674300000000000000000002 took 3 s"),
        ("no product 'pen' here", "no product 'a \"b\" c' here"),
        ('"a" is not in "b c"', '"d" is not in ""'),
        ("at 2026-01-01T10:00:00+00:00: gone", "at 2025-12-31T23:59:59+00:00: gone"),
        ("id 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "id 6fa459ea-ee8a-3ca4-894e-db77e160355e"),
    ],
)
def test_what_differs_from_message_to_message_is_taken_out(one, other):
    assert pattern_of(one) == pattern_of(other)


def test_what_tells_causes_apart_stays():
    assert pattern_of("can't reach billing, won't wait") == "can't reach billing, won't wait"
    assert pattern_of("card service timed out") != pattern_of("card service refused")


def test_the_frame_is_our_own_one_next_to_the_error():
    assert own_frame(TRACEBACK) == "billing/invoicing.py in issue"
    elsewhere = TRACEBACK.replace("/srv/a", "/home/b/c").replace("line 41", "line 57")
    assert own_frame(elsewhere) == own_frame(TRACEBACK)
    assert own_frame("") == own_frame("no traceback at all\x00") == ""


def cause(**changes: Any) -> Cause:
    death = decode_certificate(json.dumps(certificate()))
    assert death is not None
    return cause_of(structs.replace(death, **changes))


def test_an_example_of_a_right_body_is_no_part_of_what_people_read() -> None:
    wrong = 'items: must be an array, not text; for example {"orderId": "6743…", "items": ["book"]}'

    died = cause(message=wrong)

    assert died.words == "items: must be an array, not text"
    # The groups that there are keep theirs.
    assert died.fingerprint == replace(died, pattern=pattern_of(wrong)).fingerprint


def test_a_cause_is_the_same_whatever_message_it_met() -> None:
    died = cause(message="order 17 is odd", traceback=TRACEBACK)

    again = cause(
        message="order 18 is odd", traceback=TRACEBACK.replace("/srv/a", "/b"), worker="billing@b"
    )
    assert again.fingerprint == died.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"service": "inventory"},
        {"exception": "ValueError"},
        {"message": "the card service refused"},
        {"traceback": TRACEBACK.replace("in issue", "in credit")},
    ],
)
def test_another_service_error_place_or_text_is_another_cause(changes: dict[str, Any]) -> None:
    assert cause(**changes).fingerprint != cause(traceback=TRACEBACK).fingerprint


def test_without_an_exception_the_reason_tells() -> None:
    expired = cause(exception=None, reason="expired")

    assert expired.fingerprint != cause(exception=None, reason="too_large").fingerprint
    with_exception = replace(expired, exception="ValueError")
    assert with_exception.fingerprint == replace(with_exception, reason="rejected").fingerprint


def test_a_text_that_no_utf8_can_say_has_a_fingerprint() -> None:
    assert len(cause(message="\ud800", exception="\ud800").fingerprint) == 12
