"""A list of the admin says which filter of its address is wrong, and lists nothing."""

from __future__ import annotations

import pytest

from tests.failed_messages.letters import failed
from tests.failed_messages.staff import staff

pytestmark = pytest.mark.usefixtures("clean")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("failed_messages/failedmessage/?newerThan=abc", "newerThan: must be a number with s"),
        ("failed_messages/failedmessage/?olderThan=9999d", "at most 3650d"),
        (f"failed_messages/failedmessage/?q={'x' * 1001}", "q: must have at most 1,000 characters"),
        ("failed_messages/failedmessage/?status=foo", "status: must be one of failed"),
        ("failed_messages/failedmessage/?service=foo&q=x", "service: must be one of"),
        ("orders/order/?status=foo", "status: must be one of placed"),
        ("orders/order/?status__exact=foo", "status: must be one of placed"),
        ("inventory/reservation/?state=foo", "state: must be one of"),
        ("failed_messages/failedmessage/?foo=1", "one is not known here"),
        ("failed_messages/failuregroup/?foo=1", "one is not known here"),
        ("inventory/product/?foo=1", "one is not known here"),
        ("auth/user/?is_staff__exact=foo", "one is not known here"),
        ("billing/invoice/?state__exact=foo", "state: must be one of"),
    ],
)
def test_a_wrong_value_is_told(asked: str, says: str) -> None:
    failed()

    page = staff().get(f"/admin/{asked}", follow=True).content.decode()

    assert page.count("Nothing is listed: of the filters in the address,") == 1
    assert says in page
    assert "Nothing matches this search and these filters." in page
    assert " yet.</p>" not in page


def test_a_right_value_lists() -> None:
    stored = failed()
    client = staff()

    address = "/admin/failed_messages/failedmessage/?status=failed&newerThan=1h"
    page = client.get(address).content.decode()

    assert "Nothing is listed" not in page
    assert f"/admin/failed_messages/failedmessage/{stored.pk}/change/" in page
    assert " yet.</p>" in client.get("/admin/orders/order/").content.decode()
