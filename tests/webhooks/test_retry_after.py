"""A receiver that says when it wants to be asked again is asked then, and not sooner. In memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runtime.signed_webhook import new_secret
from tests.webhooks.receivers import receiver
from webhooks.retry_after import MOST_WAIT, moment_of
from webhooks.sending import Sent, send

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 0060 ", timedelta(minutes=1)),
        ("Sun, 29 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Sunday, 29-Nov-26 12:05:00 GMT", timedelta(minutes=5)),
        ("Sun Nov 29 12:05:00 2026", timedelta(minutes=5)),
        ("Sun, 29 Nov 2026 12:05:00 -0000", timedelta(minutes=5)),
        ("Sun, 29 Nov 2026 13:05:00 +0100", timedelta(minutes=5)),
        ("86401", MOST_WAIT),
        ("9" * 5_000, MOST_WAIT),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST_WAIT),
    ],
)
def test_seconds_and_dates_up_to_a_day(field: str, wait: timedelta) -> None:
    assert moment_of(field, NOW) == NOW + wait


@pytest.mark.parametrize(
    "field",
    [
        *(None, "", " ", "0", "-5", "1.5", "soon", "\u0663", "\u00b2", ",", "a, b", "0:0:0"),
        "Sun, 29 Nov 2026 11:59:00 GMT",
        "Sun, 99 Nov 2026 12:00:00 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
    ],
)
def test_what_names_no_moment_to_come_changes_nothing(field: str | None) -> None:
    assert moment_of(field, NOW) is None


def sent_to(status: int, retry_after: str) -> Sent:
    with receiver(status) as server:
        server.headers["Retry-After"] = retry_after
        return send(server.url, "msg_1", "{}", [new_secret()], NOW)


@pytest.mark.parametrize("status", [429, 503])
def test_it_counts_from_the_answer_on(status: int) -> None:
    sent = sent_to(status, "600")

    answered_at = NOW + timedelta(milliseconds=sent.milliseconds)
    assert sent.not_before == answered_at + timedelta(seconds=600)


@pytest.mark.parametrize("status", [204, 400, 500])
def test_other_answers_have_no_such_say(status: int) -> None:
    assert sent_to(status, "600").not_before is None
