"""What an endpoint missed is sent again: all of it, once, in batches, however often it is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client

from tests.security.conftest import WithKey, closed, closed_api, products, with_key  # noqa: F401
from tests.webhooks.events import heard_of
from tests.webhooks.test_delivering import endpoint, let_time_pass, states, turn
from tests.webhooks.test_http import ENDPOINTS, SCOPES, send
from webhooks import sending_again
from webhooks.disabling import disable, enable
from webhooks.sending_again import go_on, send_all_again
from webhooks.store import Document, deliveries, endpoints

pytestmark = pytest.mark.usefixtures("db")

LONG_AGO = datetime(2026, 1, 31, tzinfo=UTC)
SINCE = "2026-01-31T12:00:00Z"


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True


def missing(count: int) -> Document:
    """An endpoint for which so many deliveries have failed."""
    made = endpoint()
    for number in range(count):
        heard_of(orderId=f"{number:024x}")
    deliveries().update_many({}, {"$set": {"state": "failed", "settled_at": LONG_AGO}})
    return made


def sent_of(turns: int) -> list[str]:
    """The ids of what is sent in so many turns."""
    sent: list[tuple[str, str]] = []
    for _ in range(turns):
        turn(204, sent)
        let_time_pass()
    return [id_ for _, id_ in sent]


def test_all_that_failed_is_sent_once_with_the_same_id() -> None:
    made = missing(5)
    ids = sorted(each["message_id"] for each in deliveries().find())

    assert [send_all_again(made["_id"], LONG_AGO, "me") for _ in range(2)] == [5, 0]

    assert sorted(sent_of(3)) == ids
    assert states() == ["delivered"] * 5


def test_what_was_noted_before_or_is_delivered_stays() -> None:
    made = missing(3)
    first, second, third = deliveries().find()
    deliveries().update_one({"_id": first["_id"]}, {"$set": {"created_at": LONG_AGO}})
    deliveries().update_one({"_id": second["_id"]}, {"$set": {"state": "delivered"}})

    assert send_all_again(made["_id"], LONG_AGO + timedelta(days=1), "me") == 1

    assert sent_of(2) == [third["message_id"]]


def test_many_go_in_batches_as_there_is_room() -> None:
    with patch.object(sending_again, "BATCH", 2):
        made = missing(5)
        assert send_all_again(made["_id"], LONG_AGO, "me") == 5
        assert go_on() == 0, "the first batch still waits"
        assert states() == ["failed"] * 3 + ["pending"] * 2

        batches = []
        while count := len(sent_of(1)):
            batches.append(count)
            go_on()

    assert batches == [2, 2, 1]
    known = endpoints().find_one({"_id": made["_id"]})
    assert known is not None
    assert known["again_since"] is None


def test_what_fails_once_more_is_not_sent_again_by_itself() -> None:
    made = missing(1)
    send_all_again(made["_id"], LONG_AGO, "me")
    deliveries().update_many({}, {"$set": {"tries": 99}})
    turn(500)

    assert go_on() == 0
    assert states() == ["failed"]


def test_an_endpoint_that_is_disabled_gets_no_further_batch() -> None:
    with patch.object(sending_again, "BATCH", 1):
        made = missing(3)
        send_all_again(made["_id"], LONG_AGO, "me")
        disable(made["_id"], "a test", datetime.now(UTC))
        enable(made["_id"])

        assert go_on() == 0


def test_its_owner_asks_over_http(with_key: WithKey) -> None:  # noqa: F811
    made = missing(2)
    path = f"{ENDPOINTS}/{made['_id'].upper()}/send-again"

    answer = send(with_key(*SCOPES, user_id=101), "POST", path, {"since": SINCE})

    assert answer.status_code == 202
    assert answer.json() == {
        "endpointId": made["_id"],
        "since": "2026-01-31T12:00:00.000Z",
        "deliveries": 2,
    }
    assert states() == ["pending"] * 2


@pytest.mark.parametrize(
    "since",
    [
        *(None, 7, "", "yesterday", "2026-01-31", "2026-01-31T12:00:00", "31.01.2026"),
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_a_wrong_time_is_named_with_its_fix(with_key: WithKey, since: Any) -> None:  # noqa: F811
    client: Client = with_key(*SCOPES, user_id=101)
    path = f"{ENDPOINTS}/{endpoint()['_id']}/send-again"

    answer = send(client, "POST", path, {"since": since})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["field"] == "since"
    assert "2026-01-31T12:00:00Z" in error["fix"]
