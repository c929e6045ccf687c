"""Every quantity can be computed from the movements, and a command says whether it is right."""

from __future__ import annotations

import json
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from inventory import demo_products
from inventory.batches import reserve_many
from inventory.movements import movements
from inventory.recounting import recount
from inventory.releasing import release
from inventory.reserving import products, reserve
from inventory.restocking import deliver
from inventory.shipping import ship
from tests.concurrency import at_once
from tests.inventory.catalogue import order, stocked
from tests.polling import eventually
from tests.server_parameters import server_parameter

pytestmark = pytest.mark.usefixtures("clean")


def command(*arguments: str) -> tuple[str, int]:
    """What `recount_stock` says, and its exit code."""
    said, code = StringIO(), 0
    try:
        call_command("recount_stock", *arguments, stdout=said)
    except SystemExit as end:
        code = int(str(end.code))
    return said.getvalue(), code


def test_a_life_of_stock_is_explained_by_its_movements() -> None:
    stocked(pen=10, book=5)
    reserve(order("o1", pen=3, book=1))
    reserve(order("o2", pen=2))
    reserve(order("short", pen=99))
    reserve_many([order("o3", pen=1), order("o4", pen=1, book=1)])
    release(order("o1", pen=3))
    ship("o2", by="operator")
    deliver("pen", 7, key="note 1", by="operator")

    said, code = command()

    assert code == 0
    assert said.startswith("2 products, 12 movements: every quantity is what")
    pen = products().find_one({"sku": "pen"})
    assert (pen["available"], pen["reserved"], pen["shipped"]) == (13, 2, 2)


def test_a_movement_says_what_moved_why_and_when() -> None:
    stocked(pen=10)
    reserve(order("o1", pen=3))
    ship("o1", by="operator")

    by_kind = {each["kind"]: each for each in movements().find()}

    shipped = by_kind["ship"]
    assert (shipped["sku"], shipped["order_id"], shipped["by"]) == ("pen", "o1", "operator")
    assert (shipped["available"], shipped["reserved"], shipped["shipped"]) == (0, -3, 3)
    assert by_kind["opening"]["available"] == 10
    assert by_kind["reserve"]["at"] < shipped["at"]


def test_a_quantity_changed_by_hand_is_named() -> None:
    stocked(pen=10, book=5)
    products().update_one({"sku": "pen"}, {"$inc": {"available": -4}})

    said, code = command()

    assert code == 1
    assert "pen  available       6         10" in said
    assert "book" not in said
    assert "1 quantities differ" in said


def test_products_and_movements_without_their_counterpart_are_named() -> None:
    stocked(pen=10, book=5)
    products().delete_one({"sku": "pen"})
    movements().delete_many({"sku": "book"})

    said, code = command("--json")

    assert code == 1
    assert json.loads(said)["differences"] == [
        {"sku": "book", "quantity": "available", "stored": 5, "recounted": 0},
        {"sku": "pen", "quantity": "available", "stored": 0, "recounted": 10},
    ]


def test_a_quantity_is_corrected_to_what_the_movements_add_up_to() -> None:
    stocked(pen=10, book=5)
    reserve(order("o1", pen=3))
    products().update_many({}, {"$inc": {"available": -4}, "$set": {"reserved": 9}})

    said, code = command("--correct", "pen")

    assert code == 0
    assert "pen  available       3          7" in said
    assert "Stored what was recounted." in said
    assert {each.sku for each in recount().differences} == {"book"}
    assert command("--correct", "pen") == (
        "pen: every quantity is what its movements add up to.\n",
        0,
    )


def test_what_cannot_be_corrected_is_said() -> None:
    stocked(pen=10)
    reserve(order("o1", pen=3))
    movements().delete_one({"kind": "opening"})

    with pytest.raises(CommandError, match="Restore them from a backup"):
        command("--correct", "pen")
    with pytest.raises(CommandError, match="'coffee' is not in the catalogue"):
        command("--correct", "coffee")
    assert products().find_one({"sku": "pen"})["available"] == 7


def test_the_demo_products_begin_their_log() -> None:
    assert demo_products.load() == len(demo_products.DEMO_PRODUCTS)
    assert demo_products.load() == 0

    assert command() == (
        "13 products, 13 movements: every quantity is what the movements add up to.\n",
        0,
    )


def test_a_recount_while_orders_come_in_finds_nothing_wrong() -> None:
    stocked(pen=1_000, book=1_000)

    def orders(n: int) -> None:
        for i in range(15):
            reserve(order(f"o{n}-{i}", pen=1, book=2))

    def recounts() -> None:
        for _ in range(20):
            assert recount().differences == []

    at_once([*(partial(orders, n) for n in range(3)), recounts])

    assert command()[1] == 0


def test_a_recount_that_takes_longer_than_mongodb_remembers(private_mongodb: object) -> None:
    """
    Given a MongoDB that forgets at once
    When the stock is recounted while orders come in
    Then the command says that nothing was compared, and what to do.
    """
    stocked(pen=10_000)
    told: list[CommandError] = []

    def orders(n: int) -> None:
        for i in range(1_000):
            if told:
                break
            reserve(order(f"o{n}-{i}", pen=1))

    def is_told() -> bool:
        try:
            command()
        except CommandError as error:
            told.append(error)
        return bool(told)

    def recounts() -> None:
        eventually(is_told)

    with server_parameter("minSnapshotHistoryWindowInSeconds", 0):
        at_once([*(partial(orders, n) for n in range(2)), recounts])

    [error] = told
    assert error.returncode == 2
    assert "minSnapshotHistoryWindowInSeconds: 3600" in str(error)
    assert command()[1] == 0
