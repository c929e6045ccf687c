"""Many things in lists of some."""

from __future__ import annotations

from collections.abc import Iterator

from runtime.batches import in_batches


def test_the_last_batch_has_what_is_left() -> None:
    assert [*in_batches(range(5), 2)] == [[0, 1], [2, 3], [4]]
    assert [*in_batches(range(4), 2)] == [[0, 1], [2, 3]]
    assert [*in_batches([], 2)] == []


def test_no_more_is_read_than_was_asked_for() -> None:
    read = []

    def numbers() -> Iterator[int]:
        for number in range(10):
            read.append(number)
            yield number

    next(in_batches(numbers(), 3))

    assert read == [0, 1, 2]
