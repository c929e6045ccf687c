"""Orders that are stored together, each with its own outcome, by the real MongoDB."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from django.db import connection
from pymongo.errors import DuplicateKeyError, PyMongoError

from localservices.mongodb import MongoDB
from orders import group_commit, placing
from orders.group_commit import GroupCommit, TooManyWaiting
from runtime.money.price import Price
from runtime.requests.deadline import ANSWER_SECONDS
from tests.asgi_client import run_as_server
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")


def order(**fields: Any) -> dict[str, Any]:
    return placing.compose(101, {"book": 1}, {"book": Price(Decimal("12.50"), "EUR")}) | fields


def outcomes(orders: list[dict[str, Any]], group: GroupCommit | None = None) -> list[Any]:
    """Store all at the same moment; for each, None or its error."""
    group = group or GroupCommit()

    async def store_all() -> list[Any]:
        deadline = time.monotonic() + ANSWER_SECONDS
        storing = (group.store(each, deadline) for each in orders)
        return await asyncio.gather(*storing, return_exceptions=True)

    return run_as_server(store_all())


def stored_ids() -> set[ObjectId]:
    return {each["_id"] for each in connection.database["orders"].find({}, {"_id": 1})}


def inserts() -> int:
    """How many insert commands this MongoDB has had, of whomever."""
    status = connection.database.command("serverStatus")
    return status["metrics"]["commands"]["insert"]["total"]


def is_inserting() -> bool:
    """Tell whether MongoDB has an insert of orders at work."""
    wanted = {"command.insert": "orders", "active": True}
    operations = [{"$currentOp": {}}, {"$match": wanted}]
    return bool([*connection.database.client.admin.aggregate(operations)])


@pytest.mark.usefixtures("private_mongodb")
def test_orders_of_one_moment_share_a_write():
    orders = [order() for _ in range(200)]
    before = inserts()

    assert outcomes(orders) == [None] * 200

    assert stored_ids() == {each["_id"] for each in orders}
    assert inserts() - before <= 2


@pytest.mark.usefixtures("private_mongodb")
def test_what_arrives_during_a_write_is_the_next_group():
    group = GroupCommit()
    before = inserts()

    async def wave_after_wave() -> None:
        waves = []
        for _ in range(30):
            waves.append(asyncio.ensure_future(group.store(order(), time.monotonic() + 2)))
            await asyncio.sleep(0)
        await asyncio.gather(*waves)

    run_as_server(wave_after_wave())

    assert len(stored_ids()) == 30
    assert inserts() - before < 30


def test_a_group_that_mongodb_holds_up_holds_up_no_other():
    group = GroupCommit()
    held, other = order(), order()
    database = connection.database

    async def store_beside_a_held_one() -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        with database.client.start_session() as session, session.start_transaction():
            database["orders"].insert_one(held, session=session)
            holding = asyncio.ensure_future(group.store(held, deadline))
            await asyncio.to_thread(eventually, is_inserting)

            await group.store(other, deadline)

            assert not holding.done()
            session.abort_transaction()
        await holding

    run_as_server(store_beside_a_held_one())

    assert stored_ids() == {held["_id"], other["_id"]}


def test_in_a_full_group_what_mongodb_refuses_is_its_own_requests_error():
    taken = ObjectId()
    connection.database["orders"].insert_one({"_id": taken})
    orders = [order() for _ in range(200)]
    orders[77] |= {"_id": taken}
    orders[99] |= {"_id": orders[98]["_id"]}

    errors = outcomes(orders)

    refused = {index: error for index, error in enumerate(errors) if error is not None}
    assert {index: type(error) for index, error in refused.items()} == {
        77: DuplicateKeyError,
        99: DuplicateKeyError,
    }
    assert refused[77].details["keyValue"] == {"_id": taken}
    assert len(stored_ids()) == 199


def test_an_order_that_is_not_a_document_never_joins_the_others():
    orders = [order() for _ in range(20)]
    orders[7] |= {"user_id": 2**64}

    errors = outcomes(orders)

    assert isinstance(errors.pop(7), OverflowError)
    assert errors == [None] * 19
    assert len(stored_ids()) == 19


def test_who_comes_when_too_many_wait_is_told_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group_commit, "MAX_WAITING_ORDERS", 10)

    errors = outcomes([order() for _ in range(25)])

    assert errors[:10] == [None] * 10
    assert {type(error) for error in errors[10:]} == {TooManyWaiting}
    assert len(stored_ids()) == 10


def test_a_client_that_hangs_up_takes_nobody_with_it():
    group = GroupCommit()
    orders = [order() for _ in range(20)]

    async def store_and_hang_up() -> list[Any]:
        storing = [
            asyncio.ensure_future(group.store(each, time.monotonic() + 2)) for each in orders
        ]
        await asyncio.sleep(0)
        storing[3].cancel()
        return await asyncio.gather(*storing, return_exceptions=True)

    errors = run_as_server(store_and_hang_up())

    assert isinstance(errors.pop(3), asyncio.CancelledError)
    assert errors == [None] * 19


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_mongodb_lost_in_the_middle_of_a_group_is_an_error_for_each_in_time(
    mongodb: MongoDB, how: str
):
    group = GroupCommit()
    seconds: list[float] = []

    async def store() -> None:
        started = time.monotonic()
        try:
            await group.store(order(), started + ANSWER_SECONDS)
        finally:
            seconds.append(time.monotonic() - started)

    async def store_while_it_is_lost() -> list[Any]:
        await store()
        getattr(mongodb, how)()
        storing = []
        # The last ones wait behind the groups that are on their way.
        for _ in range(group_commit.GROUPS_AT_A_TIME + 1):
            storing += [asyncio.ensure_future(store()) for _ in range(50)]
            await asyncio.sleep(0.25)
        return await asyncio.gather(*storing, return_exceptions=True)

    try:
        errors = run_as_server(store_while_it_is_lost())
    finally:
        mongodb.thaw()
        mongodb.start()

    assert [error for error in errors if not isinstance(error, PyMongoError)] == []
    assert max(seconds) < 3
    assert outcomes([order()], group) == [None]


def test_a_write_that_no_majority_confirmed_is_nobodys_success():
    unconfirmed = {"code": 64, "errmsg": "waiting for replication timed out"}
    details = {"writeErrors": [], "writeConcernErrors": [unconfirmed]}

    with pytest.raises(PyMongoError, match="no majority confirmed"):
        group_commit.refusals(group_commit.BulkWriteError(details))


def test_an_error_of_ours_leaves_no_request_waiting(monkeypatch: pytest.MonkeyPatch):
    group = GroupCommit()
    with monkeypatch.context() as patched:
        patched.setattr(group_commit, "orders", lambda: 1 / 0)
        assert {type(error) for error in outcomes([order(), order()], group)} == {ZeroDivisionError}

    assert outcomes([order()], group) == [None]
