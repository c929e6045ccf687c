"""Importing many orders: over HTTP, from files and from the tutorial's database."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from bson import ObjectId
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pymongo.errors import NetworkTimeout

from orders.collection import orders
from orders.importing import batches, grouped_lines, lines, views
from tests.concurrency import at_once
from tests.processes import Processes

NDJSON = "application/x-ndjson"


def post(client: Client, body: str | bytes, content_type: str = NDJSON) -> Any:
    return client.post("/orders/import", body, content_type=content_type)


def answer(response: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The line of each order, and the last one."""
    *outcomes, sums = (json.loads(line) for line in response.getvalue().splitlines())
    return outcomes, sums


def count() -> int:
    return orders().count_documents({})


def order(user_id: int = 101, **fields: Any) -> str:
    return json.dumps({"userId": user_id, "items": ["book"], **fields})


BAD_LINES = [
    '{"userId": 101, "items": ["book"]',
    '{"userId": "101", "items": ["book"]}',
    '{"userId": 101, "items": [{"sku": "book", "quantity": 0}]}',
    '{"userId": 101, "items": ["lamp"]}',
    '{"userId": 101, "items": ["book"], "orderRef": ""}',
]


def test_of_ten_thousand_orders_the_hundred_bad_ones_are_refused_by_line(client: Client):
    bad = {line: BAD_LINES[line % len(BAD_LINES)] for line in range(57, 10_001, 100)}
    body = "\n".join(bad.get(line) or order(line) for line in range(1, 10_001))

    response = post(client, body)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == NDJSON
    outcomes, sums = answer(response)
    assert sums == {"placed": 9_900, "repeated": 0, "refused": 100}
    assert [outcome["line"] for outcome in outcomes] == list(range(1, 10_001))
    refused = [outcome for outcome in outcomes if "errors" in outcome]
    assert [outcome["line"] for outcome in refused] == list(bad)
    assert all(fault["field"] and fault["fix"] for each in refused for fault in each["errors"])
    assert count() == 9_900
    assert orders().count_documents({"pending_since": {"$type": "date"}}) == 9_900
    stored = orders().find_one({"_id": ObjectId(outcomes[122]["orderId"])})
    assert stored
    assert stored["user_id"] == 123


def test_blank_lines_count_and_are_not_orders(client: Client):
    outcomes, _ = answer(post(client, f"\r\n{order()}\r\n\n{order()}"))

    assert [outcome["line"] for outcome in outcomes] == [2, 4]


def test_an_imported_order_is_as_one_that_was_placed(client: Client):
    [outcome], _ = answer(post(client, order(7)))

    shown = client.get(f"/orders/{outcome['orderId']}").json()
    assert (shown["userId"], shown["total"], shown["status"]) == (7, "12.50", "placed")


def test_an_order_ref_is_imported_once(client: Client):
    body = f"{order(orderRef='A-1')}\n{order(orderRef='A-2')}\n{order(202, orderRef='A-1')}"
    first, _ = answer(post(client, body))

    again, sums = answer(post(client, body))

    assert sums == {"placed": 0, "repeated": 3, "refused": 0}
    assert again == [outcome | {"repeated": True} for outcome in first]
    assert count() == 3


def test_an_order_ref_of_another_order_is_refused(client: Client):
    other = json.dumps({"userId": 101, "items": ["pen"], "orderRef": "A-1"})

    [first, second], sums = answer(post(client, f"{order(orderRef='A-1')}\n{other}"))

    assert "orderId" in first
    assert second["errors"][0]["field"] == "orderRef"
    assert sums == {"placed": 1, "repeated": 0, "refused": 1}


def test_the_same_import_many_times_at_once_places_each_order_once(client: Client):
    body = "\n".join(order(orderRef=str(n)) for n in range(50))

    answers = [answer(each) for each in at_once([lambda: post(client, body)] * 8)]

    assert count() == 50
    assert sum(sums["placed"] for _, sums in answers) == 50
    ids = {tuple(outcome.get("orderId", "in flight") for outcome in each) for each, _ in answers}
    assert len(ids - {each for each in ids if "in flight" in each}) == 1


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b'{"userId": 1, "items": ["\xff"]}', "body"),
        (b"[" * 100_000, "body"),
        (b'{"userId": 1, "items": ["book"], "orderRef": 7}', "orderRef"),
        (b'{"userId": 1, "items": ["book"], "$where": 1}', "$where"),
        (b'{"userId": {"$gt": ""}, "items": ["book"]}', "userId"),
        (b'"' + b"x" * lines.MAX_BODY_BYTES + b'"', "line"),
    ],
)
def test_a_hostile_line_costs_itself_alone(client: Client, line: bytes, field: str):
    body = b"\n".join([order().encode(), line, order().encode()])

    [first, refused, third], _ = answer(post(client, body))

    assert refused["errors"][0]["field"] == field
    assert "orderId" in first
    assert "orderId" in third


CSV = """\
userId,sku,quantity,orderRef
101,book,2,A-1
101,pen,1,A-1
202,pen,3,
202,pen,4,
101,lamp,1,A-2
101,book,x,A-3
101,"bo"ok,1,A-4
101,book,1
303,book,1,A-1
"""


def test_csv_lines_with_one_ref_are_one_order(client: Client):
    response = post(client, "\ufeff" + CSV, "text/csv; charset=utf-8")

    assert response.status_code == 200
    outcomes, sums = answer(response)
    assert sums == {"placed": 4, "repeated": 0, "refused": 4}
    assert [outcome["line"] for outcome in outcomes] == [2, 4, 5, 6, 7, 8, 9, 10]
    first = client.get(f"/orders/{outcomes[0]['orderId']}").json()
    assert [(line["sku"], line["quantity"]) for line in first["items"]] == [("book", 2), ("pen", 1)]
    assert outcomes[4]["errors"][0]["field"] == "quantity"
    assert "must be CSV in UTF-8" in outcomes[5]["errors"][0]["detail"]
    assert outcomes[6]["errors"][0]["detail"] == "must have 4 values, not 3"

    _, again = answer(post(client, CSV, "text/csv"))
    assert again == {"placed": 2, "repeated": 2, "refused": 4, "warned": 2}


def test_an_orders_lines_need_not_follow_each_other(client: Client):
    lines = ["101,book,2,A", "101,pen,1,B", "101,pen,3,A", "7,pen,1,", "101,book,1,B"]
    body = "\n".join(["userId,sku,quantity,orderRef", *lines])

    outcomes, sums = answer(post(client, body, "text/csv"))

    assert sums == {"placed": 3, "repeated": 0, "refused": 0}
    assert [outcome["line"] for outcome in outcomes] == [2, 3, 5]
    placed = [client.get(f"/orders/{outcome['orderId']}").json()["items"] for outcome in outcomes]
    assert [[(line["sku"], line["quantity"]) for line in items] for items in placed] == [
        *([("book", 2), ("pen", 3)], [("pen", 1), ("book", 1)], [("pen", 1)]),
    ]
    assert answer(post(client, body, "text/csv"))[1]["repeated"] == 2


def test_lines_of_orders_that_are_far_apart_are_gathered_over_many_batches(client: Client):
    first = [f"{n},book,1,R{n}" for n in range(1, 2_001)]
    second = [f"{n},pen,1,R{n}" for n in range(1, 2_001)]
    body = "\n".join(["userId,sku,quantity,orderRef", *first, *second])

    _, sums = answer(post(client, body, "text/csv"))

    assert sums == {"placed": 2_000, "repeated": 0, "refused": 0}
    assert orders().count_documents({"items": {"$size": 2}}) == 2_000


def test_a_csv_file_that_is_too_large_is_refused_before_anything_is_placed(
    client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(grouped_lines, "MAX_BYTES", 100)

    response = post(client, "userId,sku,quantity,orderRef\n" + "1,book,1,\n" * 20, "text/csv")

    assert response.status_code == 413
    assert count() == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        *((f"101,book,1,{ref}", "orderRef") for ref in ("4.00638E+12", "4E+12", "1e+16", "1E-05")),
        *((f'101,book,1,"{ref}"', "orderRef") for ref in ("4,00638E+12", "4006381333931230")),
        *((f"101,book,1,{ref}", "orderRef") for ref in ("03-Apr", "Apr-26", "4/3/2026", "3.4.26")),
        *((f"101,book,1,{ref}", "orderRef") for ref in ("2026-11-28", "#N/A", "#REF!", "NULL")),
        *((f"{id_},book,1,A", "userId") for id_ in ("1.23457E+17", "1.000", "101.0", "1e3", "007")),
        ("1234567890123450000,book,1,A", "userId"),
        *((f"101,{sku},1,A", "sku") for sku in ("1.00E+05", "01-Mar")),
        *((f"101,book,{units},A", "quantity") for units in ("1.000", "2.5", "1e3", '"1,000"')),
    ],
)
def test_what_a_spreadsheet_changed_is_refused_with_its_line(
    client: Client, values: str, field: str
):
    body = f"userId,sku,quantity,orderRef\n101,book,1,B-1\n{values}\n{values}\n"

    outcomes, sums = answer(post(client, body, "text/csv"))

    assert (sums["placed"], outcomes[1]["line"]) == (1, 3)
    fault, *others = outcomes[1]["errors"]
    assert fault["field"] == field
    assert fault["fix"]
    is_of_order = field in ("userId", "orderRef")
    assert [each["field"] for each in others] == ([] if is_of_order else [f"line 4, {field}"])


def test_all_that_is_not_sold_is_told_and_too_many_units_too(client: Client):
    rows = ("101,bok,1,A", "101,book,10000,A", "101,book,1,A", "101,pan,1,A")
    body = "\n".join(["userId,sku,quantity,orderRef", *rows])

    outcomes, _ = answer(post(client, body, "text/csv"))

    assert outcomes[0]["line"] == 2
    fields = [each["field"] for each in outcomes[0]["errors"]]
    assert fields == ["sku", "line 4, sku", "line 5, sku"]


@pytest.mark.parametrize("units", ["2,0", "2,00", "2.0", "2.00", "2"])
def test_decimals_that_are_zero_in_every_country_are_taken(client: Client, units: str):
    body = f"userId;sku;quantity;orderRef\n101;book;{units};A-1\n"

    [placed], _ = answer(post(client, body, "text/csv"))

    [line] = client.get(f"/orders/{placed['orderId']}").json()["items"]
    assert line["quantity"] == 2


@pytest.mark.parametrize("items", [["pen"], None, [{"sku": ["pen"], "quantity": 1}]], ids=str)
def test_an_order_of_another_program_keeps_nobody_from_importing(client: Client, items: Any):
    [outcome], _ = answer(post(client, order()))
    another = {"user_id": 101, "items": items, "created_at": datetime.now(UTC)}
    orders().insert_one({**another, "ledger": {}, "status": "placed", "version": 1})

    [again], sums = answer(post(client, order()))

    assert sums["placed"] == 1
    assert f"The same as order {outcome['orderId']}" in again["warning"]


def test_a_repeat_without_an_order_ref_is_told_before(client: Client):
    body = "\n".join([order(), order(202), order(), order(orderRef="A"), order(orderRef="A")])

    planned, sums = answer(client.post("/orders/import?dryRun=true", body, content_type=NDJSON))

    assert sums == {"placed": 4, "repeated": 1, "refused": 0, "warned": 1, "dryRun": True}
    told = "The same as line 1, and without an orderRef: both are placed."
    assert planned[2] == {"line": 3, "warning": told}
    assert count() == 0

    first, _ = answer(post(client, body))
    again, sums = answer(post(client, body))

    assert first[2]["warning"] == told
    assert f"The same as order {first[1]['orderId']}" in again[1]["warning"]
    assert (sums["placed"], sums["repeated"], sums["warned"]) == (3, 2, 3)


@pytest.mark.parametrize(
    "query",
    [
        "dryRun=perhaps",
        "dryRun=1",
        "dryRun=TRUE",
        "dryRun=",
        "dryrun=true",
        "dryRun=true&dryRun=true",
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(client: Client, query: str):
    answer = client.post(f"/orders/import?{query}", order(), content_type=NDJSON)

    assert (answer.status_code, count()) == (400, 0)
    assert answer.json()["errors"][0]["fix"]


@pytest.mark.parametrize("ref", ["12E5", "MAR-12", "A-1", "0007", "1234567890123456789", "1.2"])
def test_what_only_resembles_it_is_taken(client: Client, ref: str):
    body = f"userId,sku,quantity,orderRef\n101,book,1,{ref}\n"

    assert answer(post(client, body, "text/csv"))[1]["placed"] == 1


def test_what_is_marked_as_text_is_taken_as_it_is(client: Client):
    body = 'userId,sku,quantity,orderRef\n101,book,1,"=""2026-11-28"""\n101,pen,1,"=""2026-11-28"""'

    assert answer(post(client, body, "text/csv"))[1]["placed"] == 1
    assert orders().distinct("idempotency_key") == ["import:101:2026-11-28"]


COMMAS = "userId,sku,quantity,orderRef"
SPREADSHEETS = {
    "semicolons": [COMMAS.replace(",", ";"), "101;book;2;A", "101;pen;1;A", "202;pen;3;"],
    "tabs": [COMMAS.replace(",", "\t"), "101\tbook\t2\tA", "101\tpen\t1\tA", "202\tpen\t3\t"],
    "for Excel": ["sep=;", COMMAS.replace(",", ";"), "101;book;2;A", "101;pen;1;A", "202;pen;3;"],
    "quotes": ['"userId","sku","quantity","orderRef"', '"101","book","2","A"', "101,pen,1,A"],
    "empty ends": [f"{COMMAS},,", "101,book,2,A,,", "101,pen,1,A,,", "202,pen,3,,,", ",,,,,"],
    "a byte order mark": [f"\ufeff{COMMAS}", "101,book,2,A", "101,pen,1,A", "202,pen,3,"],
    "a mark and quotes": [
        '\ufeff"userId";"sku";"quantity";"orderRef"',
        "101;book;2;A",
        "101;pen;1;A",
    ],
}


@pytest.mark.parametrize("written", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_what_spreadsheets_write_is_read(client: Client, written: list[str]):
    outcomes, sums = answer(post(client, "\r\n".join([*written, ""]), "text/csv"))

    assert (sums["placed"] >= 1, sums["refused"]) == (True, 0)
    items = client.get(f"/orders/{outcomes[0]['orderId']}").json()["items"]
    assert [(line["sku"], line["quantity"]) for line in items] == [("book", 2), ("pen", 1)]


@pytest.mark.parametrize(
    "body",
    [
        "userId,sku,quantity,orderRef\n1,book,1,A".encode("utf-16"),
        b"userId,sku,quantity,orderRef\r1,book,1,A\r",
        b"",
    ],
    ids=["UTF-16", "carriage returns alone", "nothing"],
)
def test_a_file_of_another_kind_is_refused_whole(client: Client, body: bytes):
    assert post(client, body, "text/csv").status_code == 400
    assert count() == 0


def test_the_line_at_fault_is_named_within_a_csv_order(client: Client):
    body = "sku,userId,orderRef,quantity\nbook,1,A,1\npen,1,A,-1\npen,1,A,1\nbook,x,,1"

    [refused, other], _ = answer(post(client, body, "text/csv"))

    assert (refused["line"], refused["errors"][0]["field"]) == (3, "quantity")
    assert (other["line"], other["errors"][0]["field"]) == (5, "userId")


def test_a_csv_order_of_too_many_lines_is_refused_as_one(client: Client):
    body = "userId,sku,quantity,orderRef\n" + "1,book,1,A\n" * 3_000 + "1,book,1,B\n"

    [refused, placed], _ = answer(post(client, body, "text/csv"))

    assert refused["errors"][0]["field"] == "items"
    assert placed["line"] == 3_002


@pytest.mark.parametrize("header", ["userId,sku", "userId,sku,quantity,price", "a", "sku,sku"])
def test_a_csv_file_names_its_columns(client: Client, header: str):
    refused = post(client, f"{header}\n1,book,1", "text/csv")

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "line 1"
    assert "userId,sku,quantity,orderRef" in refused.json()["errors"][0]["fix"]


def test_no_body_is_refused(client: Client):
    assert post(client, "").status_code == 400
    assert post(client, order(), "application/json").status_code == 415
    assert client.get("/orders/import").status_code == 405


def test_more_orders_than_allowed_are_left_to_another_request(
    client: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(views, "MAX_ORDERS", 3)

    response = post(client, "\n".join([order()] * 5))

    assert response.status_code == 413
    outcomes, sums = answer(response)
    assert len(outcomes) == count() == 3
    assert (sums["placed"], sums["stoppedAtLine"]) == (3, 4)


def test_a_database_that_goes_away_stops_the_import_where_it_was(
    client: Client, monkeypatch: pytest.MonkeyPatch
):
    store = batches.store

    def store_once(documents: Any) -> Any:
        monkeypatch.setattr(batches, "store", no_store)
        return store(documents)

    def no_store(documents: Any) -> Any:
        raise NetworkTimeout("gone")

    monkeypatch.setattr(batches, "store", store_once)
    monkeypatch.setattr(batches, "BATCH_ORDERS", 2)

    response = post(client, "\n".join([order()] * 5))

    assert response.status_code == 503
    outcomes, sums = answer(response)
    assert len(outcomes) == count() == 2
    assert sums["stoppedAtLine"] == 3
    assert post(client, order()).status_code == 503


@pytest.mark.usefixtures("products")
def test_the_web_server_passes_the_lines_on_as_they_are(processes: Processes):
    url = processes.start_web()
    body = "\n".join(order(n) for n in range(1, 2_001)).encode()
    request = Request(f"{url}/orders/import", body, {"Content-Type": NDJSON})

    with urlopen(request, timeout=180) as response:
        *outcomes, sums = response.read().splitlines()

    assert json.loads(sums) == {"placed": 2_000, "repeated": 0, "refused": 0}
    assert len(outcomes) == count() == 2_000


def test_lines_are_read_one_at_a_time():
    stream = io.BytesIO(b"a\n" + b"x" * (3 * lines.MAX_BODY_BYTES) + b"\nb")

    assert list(lines.numbered_lines(stream)) == [(1, b"a"), (2, None), (3, b"b")]


# --- The command ------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """What the command prints, and how it failed."""
    error = ""
    try:
        call_command("import_orders", *arguments)
    except CommandError as failure:
        error = str(failure)
    captured = capsys.readouterr()
    return captured.out + captured.err, error


@pytest.mark.usefixtures("products")
def test_the_command_imports_a_file_and_names_what_it_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "orders.csv"
    file.write_text(CSV)

    planned, _ = run(capsys, str(file), "--dry-run")
    assert "Would place 4 orders; 0 were placed before, 4 refused." in planned
    assert count() == 0

    printed, error = run(capsys, str(file))
    assert "Placed 4 orders; 0 were placed before, 4 refused." in printed
    assert "line 7: quantity" in printed
    assert "4 orders were refused" in error
    assert count() == 4

    planned, _ = run(capsys, str(file), "--dry-run")
    assert "Would place 2 orders; 2 were placed before, 4 refused." in planned


@pytest.mark.usefixtures("products")
def test_the_command_places_no_order_twice_unless_it_is_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "orders.csv"
    file.write_text("userId,sku,quantity\n101,book,1\n202,pen,1\n101,book,1\n")

    _, stopped = run(capsys, str(file))
    assert "Nothing was imported, as orders are the same as others: 1." in stopped
    assert "line 4: The same as line 2" in stopped
    assert count() == 0

    run(capsys, str(file), "--place-repeats")
    assert count() == 3
    _, stopped = run(capsys, str(file))
    assert "the same as others: 3." in stopped
    assert count() == 3


@pytest.mark.usefixtures("products")
def test_a_dry_run_tells_what_two_lines_of_one_ref_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "orders.ndjson"
    other = json.dumps({"userId": 101, "items": ["pen"], "orderRef": "A"})
    file.write_text(f"{order(orderRef='A')}\n{order(orderRef='A')}\n{other}\n")

    planned, _ = run(capsys, str(file), "--dry-run")
    done, _ = run(capsys, str(file))

    assert "Would place 1 orders; 1 were placed before, 1 refused." in planned
    assert "Placed 1 orders; 1 were placed before, 1 refused." in done


@pytest.mark.usefixtures("products")
def test_a_file_that_cannot_be_imported_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "orders.csv").write_text("a,b\n")
    (tmp_path / "orders.txt").write_text("")

    assert "must name the columns" in run(capsys, str(tmp_path / "orders.csv"))[1]
    assert "rename it" in run(capsys, str(tmp_path / "orders.txt"))[1]
    assert "No such file" in run(capsys, str(tmp_path / "none.csv"))[1]


# --- The tutorial's database ------------------------------------------------------------------


@pytest.fixture
def orderdb(products: None, private_mongodb: object) -> Iterator[Any]:
    """The tutorial's collection, in a database of its own beside ours."""
    client = connection.database.client
    yield client["orderdb"]["orders"]
    client.drop_database("orderdb")


def mongoose(order_id: float, **fields: Any) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "userId": 101,
        "items": ["book", "pen"],
        "createdAt": datetime(2024, 6, 10, 8, 0, 0, 123_000, UTC),
        "__v": 0,
        **fields,
    }


DAMAGED = [
    mongoose(1718000000003, userId="101"),
    mongoose(1718000000004, items=[]),
    mongoose(1718000000005, items=["lamp"]),
    mongoose(1718000000006, createdAt="yesterday"),
    mongoose(1718000000007, items=[{"$gt": ""}]),
    {"userId": 101},
]


def test_the_tutorials_orders_are_brought_in_once(
    orderdb: Any, capsys: pytest.CaptureFixture[str], client: Client
):
    good = [mongoose(1718000000000), mongoose(1718000000001.0), mongoose(7, userId=101.0)]
    orderdb.insert_many(good + DAMAGED)
    arguments = ("--from-mongoose", settings.MONGODB_URL)

    planned, _ = run(capsys, *arguments, "--dry-run")
    assert "Would place 3 orders; 0 were placed before, 6 refused." in planned
    assert count() == 0

    printed, error = run(capsys, *arguments)
    assert "Placed 3 orders; 0 were placed before, 6 refused." in printed
    assert "orderId 1718000000003: userId: must be a whole number" in printed
    assert "orderId missing" in printed
    assert "6 orders were refused" in error
    listed = client.get("/orders?createdFrom=2024-06-10&createdTo=2024-06-10").json()["orders"]
    assert len(listed) == 3
    assert listed[0]["createdAt"] == "2024-06-10T08:00:00.123Z"
    assert listed[0]["total"] == "13.70"

    orderdb.update_one({"orderId": 7}, {"$set": {"items": ["pen"]}})
    changed, _ = run(capsys, *arguments)
    assert "orderId 7: orderId: was used for another order" in changed
    orderdb.update_one({"orderId": 7}, {"$set": {"items": ["book", "pen"]}})
    again, _ = run(capsys, *arguments)
    assert "Placed 0 orders; 3 were placed before, 6 refused." in again
    assert count() == 3


@pytest.mark.usefixtures("products")
def test_a_database_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]):
    uri = "mongodb://127.0.0.1:1/orderdb?serverSelectionTimeoutMS=100"

    assert "127.0.0.1:1" in run(capsys, "--from-mongoose", uri)[1]
