"""The list of the messages that wait for their next attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from failed_messages.reading.waiting_retry import waiting_retry
from messaging.handling import retry_notes
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place
from tests.waiting_retry import note_of

URL = "/admin/failed_messages/failedmessage/retries/"
ORDER = "6743" + "0" * 20


def note(order_id: str, seconds: float = 60, **others: Any) -> dict[str, Any]:
    """Of billing's retry, due in so many seconds."""
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    return {**note_of(order_id, f"order.placed:{order_id}", "billing.retry.2m"), "due_at": due} | (
        others
    )


def listed(query: str = "") -> str:
    return staff("view_failedmessage").get(f"{URL}{query}").content.decode()


def test_an_attempt_tells_how_many_there_are_where_its_worker_said_so() -> None:
    assert waiting_retry(note(ORDER)).which == "2 of 5"
    assert waiting_retry(note(ORDER, most_attempts=None)).which == "2"
    assert (
        waiting_retry({k: v for k, v in note(ORDER).items() if k != "most_attempts"}).most is None
    )


@pytest.mark.usefixtures("db")
def test_none_says_so() -> None:
    assert "No message waits for its next attempt." in listed()


@pytest.mark.usefixtures("db")
def test_each_is_listed_with_the_soonest_first() -> None:
    ours = str(place()["_id"])
    later, soon = note(ours, 90), note("6744" + "0" * 20, 5)
    over = {**note("6745" + "0" * 20), "due_at": None}
    retry_notes.notes().insert_many([later, soon, over])

    told = listed()

    assert told.index(soon["order_id"]) < told.index(later["order_id"])
    assert over["order_id"] not in told
    assert "2 messages wait for the next attempt." in told
    for part in ("billing", "2 of 5", "card service timed out", later["message_id"], "UTC"):
        assert part in told
    assert f"/admin/orders/order/{ours}/change/" in told


@pytest.mark.usefixtures("db")
def test_what_is_due_is_told_from_what_waits_for_its_time() -> None:
    retry_notes.notes().insert_many([note(ORDER, -180), note("6744" + "0" * 20)])

    told = listed()

    assert "1 message waits for the next attempt. 1 more is due: it runs, or waits in" in told
    assert "due for 3 min" in told


@pytest.mark.usefixtures("db")
def test_a_service_has_a_list_of_its_own() -> None:
    other = note("6744" + "0" * 20) | {"service": "inventory"}
    retry_notes.notes().insert_many([note(ORDER), other])

    told = listed("?service=inventory")

    # The front page counts as many.
    counts = {name: due.messages for name, due in retry_notes.by_service().items()}
    assert counts == {"billing": 1, "inventory": 1}
    assert other["order_id"] in told
    assert ORDER not in told
    assert "service: must be one of " in listed("?service=shipping")


@pytest.mark.usefixtures("db")
def test_many_have_pages() -> None:
    retry_notes.notes().insert_many([note(f"{each:024x}", 60 + each) for each in range(120)])

    first, last = listed("?service=billing"), listed("?service=billing&page=3")

    assert "?service=billing&amp;page=2" in first
    assert "Page 3 of 3" in last
    assert f"{119:024x}" in last
    assert f"{99:024x}" not in last
    assert "Page 3 of 3" in listed("?page=9999")


@pytest.mark.usefixtures("db")
def test_what_to_do_is_there_for_who_may() -> None:
    retry_notes.notes().insert_one(foreign := note("a/b_c #1"))
    operator = staff("view_failedmessage", "replay_failedmessage")

    told = operator.get(URL).content.decode()

    assert "Retry now" in told
    assert "Stop retrying" not in told
    [address] = [each.split('"')[0] for each in told.split('href="') if "/retry-now/" in each]
    asked = operator.get(address)
    assert asked.status_code == 200
    assert foreign["order_id"] in asked.content.decode()
    assert "Retry now" not in listed()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("order_id", [ORDER, "o1"])
def test_a_retry_of_an_order_that_there_is_not_says_so_and_leads_to_no_order(order_id: str) -> None:
    retry_notes.notes().insert_one(known := note(order_id))
    operator = staff("view_failedmessage", "replay_failedmessage", "view_order")
    address = f"{URL}{retry_notes.id_of(known)}/retry-now/"

    told = operator.get(address).content.decode()
    retry_notes.notes().update_one({"_id": known["_id"]}, {"$set": {"gave_up": True}})
    done = operator.post(address)

    assert f"There is no order {order_id} here" in told
    assert "has no invoice" not in told
    assert "/admin/orders/order/" not in told.partition('id="content-main"')[2]
    assert f'href="{URL}"' in told
    assert (done.status_code, done["Location"]) == (302, URL)


@pytest.mark.usefixtures("db")
def test_a_retry_of_an_order_leads_back_to_it() -> None:
    order_id = str(place()["_id"])
    retry_notes.notes().insert_one(known := note(order_id))

    told = staff("view_failedmessage", "replay_failedmessage").get(
        f"{URL}{retry_notes.id_of(known)}/retry-now/"
    )

    assert f"Order {order_id} has no invoice; inventory is not affected." in told.content.decode()
    assert f"/admin/orders/order/{order_id}/change/" in told.content.decode()


@pytest.mark.usefixtures("db")
def test_one_of_very_many_under_one_id_is_found() -> None:
    several = [note("") | {"_id": f" billing {each}"} for each in range(60)]
    retry_notes.notes().insert_many(several)

    ids = [retry_notes.id_of(each) for each in several]

    assert all(retry_notes.find(each) for each in ids)


@pytest.mark.usefixtures("db")
def test_who_may_not_view_messages_may_not_view_this() -> None:
    assert staff("view_order").get(URL).status_code == 403
