"""Every list that grows comes in pages, each with the address of the next one."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from runtime.requests import cursor
from tests.failed_messages.letters import certificate, failed
from tests.openapi.prepared import PREPARED, endpoint, job, key, message, pending

ID_NAMES = ("id", "fingerprint", "endpointId", "orderId")


def group() -> object:
    return failed(death=certificate(exception=f"{uuid.uuid4()}Error"), message_id=str(uuid.uuid4()))


#: What makes one more of each list.
LISTS: dict[str, Callable[[], object]] = {
    "/orders": PREPARED["getOrder"],
    "/failed-messages": message,
    "/failed-messages/groups": group,
    "/failed-messages/jobs": job,
    "/failed-messages/pending": pending,
    "/api-keys": key,
    "/webhooks/endpoints": endpoint,
}


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("address", LISTS)
def test_a_list_is_read_to_its_end_page_by_page(
    address: str, admin_client: Client, settings: Any
) -> None:
    settings.WEBHOOKS = True
    for _ in range(4):
        LISTS[address]()
    whole = ids(admin_client.get(address).json())

    pages = []
    following = f"{address}?limit=2"
    while following:
        page = admin_client.get(following).json()
        pages.append(ids(page))
        following = page["next"]

    assert len(set(whole)) == 4
    assert pages == [whole[:2], whole[2:]]


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("address", [*LISTS, "/products"])
def test_what_is_no_cursor_is_refused(address: str, admin_client: Client, settings: Any) -> None:
    settings.WEBHOOKS = True
    name = "after" if address == "/failed-messages" else "cursor"
    for text in ("", "x", "_w=="):
        answer = admin_client.get(f"{address}?{name}={text}")

        refused = [each["field"] for each in answer.json().get("errors", ())]
        assert (answer.status_code, refused) == (400, [name]), text


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("place", ["-1 00", "1 /", "1", "1 0 0", "1 zz", f"{10**18} 00"])
def test_a_place_that_no_list_has_is_refused(place: str, admin_client: Client) -> None:
    following = cursor.encoded(place.encode())

    answer = admin_client.get(f"/failed-messages/jobs?cursor={following}")

    assert answer.status_code == 400


def ids(page: dict[str, Any]) -> list[str]:
    [found] = [each for each in page.values() if isinstance(each, list)]
    return [next(each[name] for name in ID_NAMES if name in each) for each in found]
