"""A page goes on behind the last record that says where it stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runtime.mongodb_clock import EPOCH
from runtime.requests.newest_first import Place, cursor_after, last_place, place_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOUND = Place(AT, "6743")


@pytest.mark.parametrize(
    "strange",
    [(None, "9"), ("yesterday", "9"), (EPOCH - timedelta(days=1), "9"), (AT, "a$b"), (AT, None)],
)
def test_a_record_that_another_program_wrote_ends_no_list(strange: tuple[object, object]) -> None:
    assert last_place([SOUND, strange]) == SOUND
    assert last_place([strange]) is None


@pytest.mark.parametrize("id_", ["6743", "service billing"])
def test_a_place_is_read_as_it_was_written(id_: str) -> None:
    place = Place(AT, id_)

    assert last_place([place]) == place
    assert place_of(cursor_after(place), "Nothing was listed") == place
