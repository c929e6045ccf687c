"""A new secret signs at once; the one before it signs beside it for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from webhooks.rotation import MOST_SECRETS, first, newest, rotated, valid

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def test_both_are_valid_until_the_overlap_ends() -> None:
    old = first(NOW)

    both = rotated([old], NOW, DAY)

    new = newest(both)
    assert valid(both, NOW + DAY - timedelta(seconds=1)) == [new, newest([old])]
    assert valid(both, NOW + DAY) == [new]


def test_a_secret_is_stored_encrypted_and_one_in_clear_signs_as_before() -> None:
    new = first(NOW)
    in_clear = {**new, "value": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}

    assert "whsec_" not in new["value"]
    assert newest([new]).startswith("whsec_")
    assert valid([new, in_clear], NOW) == [newest([new]), in_clear["value"]]


def test_without_an_overlap_the_old_one_ends_at_once() -> None:
    only = rotated([first(NOW)], NOW, timedelta())

    assert len(only) == 1


def test_a_second_rotation_prolongs_nothing() -> None:
    once = rotated([first(NOW)], NOW, timedelta(hours=1))

    twice = rotated(once, NOW, DAY)

    assert [each["expires_at"] for each in twice] == [None, NOW + DAY, NOW + timedelta(hours=1)]


def test_there_are_never_more_than_a_few() -> None:
    secrets = [first(NOW)]
    for _ in range(10):
        secrets = rotated(secrets, NOW, DAY)

    assert len(secrets) == MOST_SECRETS
    assert secrets[0]["expires_at"] is None
