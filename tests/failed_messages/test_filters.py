"""A filter that asks for nothing in a field leaves the field out."""

from __future__ import annotations

import pytest

from failed_messages.reading.filters import FIELDS, Filter, InvalidFilter


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", ["", "+", "%09"])
def test_a_value_that_is_missing_selects_not_everything(name: str, value: str) -> None:
    """As of a script whose variable is empty: `--filter "service=$SERVICE"`."""
    with pytest.raises(InvalidFilter) as refused:
        Filter.of_text(f"{name}={value}")

    assert (refused.value.field, refused.value.detail) == (name, "must not be empty")


def test_what_is_stored_of_a_selection_is_read_again() -> None:
    for selection in (Filter(), Filter(service="billing", error="a b")):
        assert Filter.of_text(str(selection)) == selection
