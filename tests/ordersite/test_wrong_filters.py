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
        (
            "failed_messages/failedmessage/?sort=foo",
            "sort: must be one of longest, first",
        ),
        ("failed_messages/failedmessage/?status=", "status: must not be empty"),
        ("failed_messages/failedmessage/?newerThan=", "newerThan: must not be empty"),
        ("failed_messages/failuregroup/?service=foo", "service: must be one of"),
        ("failed_messages/failuregroup/?service=", "service: must be one of"),
        ("failed_messages/failuregroup/?sort=foo", "sort: must be one of messages, orders, money."),
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


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("failed_messages/failedmessage/charts/?by=foo", "by: must be one of service, group."),
        ("failed_messages/failedmessage/charts/?hours=abc", "hours: must be one of 24, 168, 720."),
        ("failed_messages/failedmessage/charts/?foo=1", "foo: is not known here; by, hours are."),
        ("failed_messages/failedmessage/retries/?service=", "service: must be one of"),
        ("failed_messages/failedmessage/retries/?kind=x", "kind: is not known here; service is."),
    ],
)
def test_a_page_with_filters_tells_a_wrong_one_and_shows_nothing(asked: str, says: str) -> None:
    failed()

    page = staff().get(f"/admin/{asked}").content.decode()

    assert page.count("Nothing is listed: of the filters in the address,") == 1
    assert says in page
    assert not [part for part in ('id="legend"', "No failures", "waits for its") if part in page]


@pytest.mark.parametrize("address", ["/admin/", "/admin/wall", "/admin/failed_messages/"])
def test_a_wrong_span_is_told_and_hides_nothing(address: str) -> None:
    client = staff()

    wrong = client.get(f"{address}?span=foo").content.decode()

    said = "The charts show the last hour: in the address, span: must be one of hour, day, week."
    assert wrong.count(said) == 1
    assert 'class="verdict-word"' in wrong
    assert said not in client.get(f"{address}?span=day").content.decode()


def test_a_right_value_lists() -> None:
    stored = failed()
    client = staff()

    address = "/admin/failed_messages/failedmessage/?status=failed&newerThan=1h"
    page = client.get(address).content.decode()

    assert "Nothing is listed" not in page
    assert f"/admin/failed_messages/failedmessage/{stored.pk}/change/" in page
    assert " yet.</p>" in client.get("/admin/orders/order/").content.decode()
