"""Works through many things some at a time, where all of them at once would be too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of so many of the items, the last one with what is left; none is empty.

    The next batch is read when it is asked for, and no sooner.
    """
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
