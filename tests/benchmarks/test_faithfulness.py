"""A run that loses or doubles an effect does not count."""

from __future__ import annotations

import pytest
from bson import ObjectId
from pymongo import MongoClient

from benchmarks.faithfulness import Unfaithful, check
from benchmarks.filling import fill_up


@pytest.fixture
def database(mongodb):
    """Three orders with all that belongs to them."""
    with MongoClient(mongodb.url) as client:
        database = client["benchmarks_test"]
        database["products"].insert_one({"_id": "pen", "available": 94, "reserved": 6})
        for number in range(3):
            order_id = ObjectId()
            lines = [{"sku": "pen", "quantity": 2}]
            database["orders"].insert_one({"_id": order_id, "items": lines})
            database["reservations"].insert_one({"_id": str(order_id), "state": "reserved"})
            database["invoices"].insert_one({"_id": str(order_id), "number": f"2026-{number}"})
        yield database
        client.drop_database("benchmarks_test")


def test_a_faithful_run_counts(database):
    assert check(database, placed=3, errors=0) == 3


@pytest.mark.parametrize("collection", ["orders", "reservations", "invoices"])
def test_something_lost_is_found(database, collection):
    database[collection].find_one_and_delete({})
    with pytest.raises(Unfaithful):
        check(database, placed=3, errors=0)


def test_stock_that_was_taken_twice_is_found(database):
    database["products"].update_one({}, {"$inc": {"reserved": 2}})
    with pytest.raises(Unfaithful, match="6 units were promised to orders, 8 taken from stock"):
        check(database, placed=3, errors=0)


def test_an_order_that_was_refused_is_found(database):
    database["reservations"].update_one({}, {"$set": {"state": "rejected"}})
    with pytest.raises(Unfaithful, match="1 orders were not reserved"):
        check(database, placed=3, errors=0)


def test_an_order_whose_client_got_an_error_may_lack_its_effects(database):
    database["orders"].insert_one({"items": [{"sku": "pen", "quantity": 1}]})
    assert check(database, placed=3, errors=1) == 4


def test_a_database_is_filled_with_copies_that_the_check_leaves_out(database):
    fill_up(database, 50)
    assert [database[name].count_documents({}) for name in ("orders", "invoices")] == [50, 50]
    assert len(database["invoices"].distinct("number")) == 50
    assert check(database, placed=3, errors=0) == 3
