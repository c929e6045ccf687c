"""What is wrong with a body is told as what it must be, in the words of whoever sends JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from runtime.requests.requirement import requirement


@pytest.mark.parametrize(
    ("type_", "value", "told"),
    [
        (str, 7, "must be text, not a whole number"),
        (int, "7", "must be a whole number, not text"),
        (int, 1.5, "must be a whole number, not a number with a fraction"),
        (bool, None, "must be true or false, not null"),
        (list[str], {}, "must be an array, not an object"),
        (str | None, [], "must be text or null, not an array"),
        (Annotated[int, Meta(ge=1)], 0, "must be a whole number of at least 1"),
        (Annotated[int, Meta(le=9)], 10, "must be a whole number of at most 9"),
        (Annotated[str, Meta(min_length=1)], "", "must be text of at least 1 character"),
        (Annotated[str, Meta(max_length=2)], "abc", "must be text of at most 2 characters"),
        (Annotated[list[int], Meta(min_length=2)], [1], "must be an array of at least 2 items"),
        (Annotated[str, Meta(pattern="^[a-z]$")], "A", "must be text that matches '^[a-z]$'"),
        (datetime, 5, "must be a time, not a whole number"),
        (datetime, "soon", "must be a time of RFC 3339"),
        (Literal["placed"], "lost", "must be one of the known values, not 'lost'"),
    ],
)
def test_it_says_what_must_be(type_: Any, value: Any, told: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(value, type_)

    assert requirement(str(refused.value)) == told


def test_what_is_not_foreseen_is_told_as_it_is() -> None:
    assert requirement("Invalid `uuid`") == "must be valid: invalid uuid"
