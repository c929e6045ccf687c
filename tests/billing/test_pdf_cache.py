"""A PDF is made once, however often it is asked for."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from django.test import RequestFactory

from billing import pdf as printing
from billing.pdf_cache import PdfCache, tag
from billing.printable_document import PrintableDocument, Row
from billing.views import as_file
from tests.concurrency import at_once

TOTALS = [("Total", "1.00 EUR")]


def document(number: str = "2026-000001", lines: int = 1) -> PrintableDocument:
    rows = [Row(f"pen-{each}", "1", "1.00", "1.00") for each in range(lines)]
    return PrintableDocument("Invoice", number, "", [("Date", "1 May 2026")], "", rows, TOTALS)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The numbers of the documents that a PDF was made of; each has a thousand bytes."""
    numbers: list[str] = []

    def pdf(document: PrintableDocument) -> bytes:
        numbers.append(document.number)
        time.sleep(0.01)
        return document.number.encode().ljust(1_000)

    monkeypatch.setattr(printing, "pdf", pdf)
    return numbers


def test_of_many_who_ask_at_the_same_moment_one_has_it_made(made: list[str]) -> None:
    documents = PdfCache()

    files = at_once([lambda: documents.pdf(document())] * 24)

    assert set(files) == {b"2026-000001".ljust(1_000)}
    assert made == ["2026-000001"]


def test_those_that_nobody_asked_for_lately_are_forgotten(made: list[str]) -> None:
    documents = PdfCache(most_bytes=3_000)

    for number in ("1", "2", "3", "1", "4", "1", "2"):
        documents.pdf(document(number))

    assert made == ["1", "2", "3", "4", "2"]


def test_whoever_has_it_gets_nothing_but_that_it_is_the_same() -> None:
    ask = RequestFactory().get
    first = as_file(ask("/"), document(lines=20))

    again = as_file(ask("/", headers={"if-none-match": first["ETag"]}), document(lines=20))
    changed = as_file(ask("/", headers={"if-none-match": first["ETag"]}), document(lines=19))

    assert (first.status_code, first.content[:5]) == (200, b"%PDF-")
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert changed.status_code == 200


def test_another_text_is_another_document() -> None:
    credited = replace(document(), note="Credited in full on 1 May 2026; nothing is owed.")

    assert tag(document()) == tag(document()) != tag(credited)
