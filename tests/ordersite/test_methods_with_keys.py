"""A method that an address does not have is 405, also with a key that was used before."""

from __future__ import annotations

import pytest

from inventory.views import ShipView
from ordersite.keyed_requests.once import takes_keys


@pytest.mark.parametrize(
    ("method", "is_kept"),
    [("POST", True), ("GET", False), ("PUT", False), ("DELETE", False), ("TRACE", False)],
)
def test_the_answer_of_a_write_is_kept_and_no_other(method: str, is_kept: bool) -> None:
    assert takes_keys(ShipView(), method) is is_kept
