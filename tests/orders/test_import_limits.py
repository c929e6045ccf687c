"""What an import may cost and answer, however little it is."""

from __future__ import annotations

import io
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from orders import placing
from orders.importing import batches, request_body, views
from orders.importing.entry import Entry, Outcome
from runtime.money.price import Price


@pytest.fixture(autouse=True)
def nothing_is_sold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing.catalogue, "prices", lambda skus: {})


class Request:
    """As much of one as a parser reads."""

    def __init__(self, body: bytes) -> None:
        self.META = {"CONTENT_LENGTH": str(len(body))}


def answered(
    body: bytes, parser: type[BaseParser] = views.NdjsonParser, most: int = views.MAX_ORDERS
) -> tuple[int, list[Any]]:
    """The status, and the lines of the answer."""
    context = {"request": Request(body)}
    answer = io.BytesIO()
    entries = parser().parse(io.BytesIO(body), parser_context=context)
    status = views.write_answer(iter(entries), answer, views.MAX_ORDERS, batches.Import())
    return status, [json.loads(each) for each in answer.getvalue().splitlines()]


@pytest.mark.parametrize("line", [b"1", b"{}", b'{"userId": 1, "items": ["a", 1]}', b"\xff"])
def test_an_import_of_nothing_good_has_a_short_answer(line: bytes) -> None:
    status, lines = answered((line + b"\n") * 100_000)

    assert (status, lines[-1]["placed"]) == (400, 0)
    assert 1_000 <= len(lines) <= 1_400
    assert lines[-1]["stoppedAtLine"] == len(lines) == lines[-1]["refused"] + 1
    assert "Fix them" in lines[-1]["detail"]


def test_many_faults_of_one_order_are_not_all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    faults = tuple({"field": f"items[{n}]", "detail": "x", "fix": "y"} for n in range(1_000))

    def refuse(_: Any, entries: list[Entry]) -> list[Outcome]:
        return [Outcome(each, faults=faults) for each in entries]  # type: ignore[arg-type]

    monkeypatch.setattr(batches.Import, "_import", refuse)

    _, lines = answered(b'{"userId": 1, "items": ["a"]}\n')

    assert len(lines[0]["errors"]) == 5


@pytest.mark.parametrize(
    ("body", "parser"),
    [
        (b"\n" * 30_000_000, views.NdjsonParser),
        (b"\r\n" * 5_000_000, views.CsvParser),
        (b"userId,sku,quantity\n" + b"\n" * 30_000_000, views.CsvParser),
    ],
)
def test_a_file_of_empty_lines_is_read_for_a_moment_only(
    body: bytes, parser: type[BaseParser]
) -> None:
    started = time.process_time()

    with pytest.raises(APIException) as refused:
        answered(body, parser)

    assert refused.value.status_code in (400, 413)
    assert time.process_time() - started < 3


def test_lines_before_too_many_empty_ones_keep_their_answer() -> None:
    # As many as are gathered before the first of them is answered.
    status, lines = answered(b"{}\n" * batches.BATCH_ORDERS + b"\n" * 20_000)

    assert (status, lines[-1]["refused"]) == (413, batches.BATCH_ORDERS)
    assert lines[-1]["stoppedAtLine"] == batches.BATCH_ORDERS + 1
    assert "10,000 blank lines" in lines[-1]["detail"]


def test_lines_are_bounded_whatever_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_LINES", 3)
    lines = request_body.BoundedLines(io.BufferedReader(io.BytesIO(b"x\n" * 4)), "title")

    assert [lines.readline(10) for _ in range(3)] == [b"x\n"] * 3
    with pytest.raises(APIException):
        lines.readline(10)


def test_the_line_of_a_csv_order_is_named_that_does_not_fit_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prices = {"book": Price(Decimal("12.50"), "EUR"), "tea": Price(Decimal("5.00"), "GBP")}
    monkeypatch.setattr(placing.catalogue, "prices", lambda skus: prices)
    body = (
        b"userId,sku,quantity,orderRef\n"
        b"1,book,1,A\n2,book,1,B\n1,tea,1,A\n2,dragon,1,B\n3,book,1,C\n3,pen,1,C\n"
    )

    _, [several, unknown, *_] = answered(body, views.CsvParser)

    assert (several["line"], unknown["line"]) == (4, 5)
    assert several["errors"] == [
        {
            "field": "sku",
            "detail": "'tea' is sold in GBP, and the first item in EUR",
            "fix": "An order has one currency: place another order for what is sold in GBP.",
        }
    ]
    assert unknown["errors"][0]["detail"] == "'dragon' is not in the catalogue"
