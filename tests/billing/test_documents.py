"""Invoices and credit notes as people get them: a page, and a PDF."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings
from pypdf import PdfReader

from billing.invoicing import credit, issue
from billing.order_in_message import read_placed, read_withdrawn
from tests.billing.orders import cancelled, placed

pytestmark = pytest.mark.usefixtures("clean")

YEAR = datetime.now(UTC).year
SCRIPT = "<script>alert(1)</script><b>&amp;"


def get(address: str, accept: str = "text/html") -> HttpResponse:
    return Client(headers={"host": "localhost", "accept": accept}).get(address)


def pdf_text(answer: HttpResponse) -> str:
    """What a reader of the PDF sees, its white space folded."""
    assert answer["content-type"] == "application/pdf"
    pages = PdfReader(BytesIO(answer.content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_an_invoice_is_a_page_for_people() -> None:
    issue(read_placed(placed("o1")))

    answer = get("/orders/o1/invoice")

    page = answer.content.decode()
    assert answer["content-type"] == "text/html; charset=utf-8"
    assert f"<h1>Invoice {YEAR}-000001</h1>" in page
    assert "<td>pen</td><td>2</td><td>12.50</td><td>25.00</td>" in page
    assert "<dt>Total</dt><dd>25.99 EUR</dd>" in page
    assert "Tax" not in page


@override_settings(TAX_RATE_PERCENT=Decimal("19.00"), INVOICE_SELLER="Line 1, Line 2, VAT id 7")
def test_an_invoice_says_who_issues_it_and_what_of_it_is_tax() -> None:
    issue(read_placed(placed("o1")))

    page = get("/orders/o1/invoice").content.decode()
    text = pdf_text(get("/orders/o1/invoice.pdf"))

    assert "Line 1, Line 2, VAT id 7" in page
    assert "Line 1, Line 2, VAT id 7" in text
    for name, amount in (("Net", "21.84"), ("Tax, 19 %", "4.15"), ("Total", "25.99")):
        assert f"<dt>{name}</dt><dd>{amount} EUR</dd>" in page
        assert f"{name} {amount} EUR" in text


@pytest.mark.parametrize(
    ("address", "accept"),
    [("/orders/o1/invoice.pdf", "text/html"), ("/orders/o1/invoice", "application/pdf")],
)
def test_an_invoice_is_a_pdf_where_one_is_asked_for(address: str, accept: str) -> None:
    issue(read_placed(placed("o1")))

    answer = get(address, accept)

    text = pdf_text(answer)
    assert f"Invoice {YEAR}-000001" in text
    assert "pen 2 12.50 25.00" in text
    assert "Total 25.99 EUR" in text
    assert answer["content-disposition"] == f'inline; filename="{YEAR}-000001.pdf"'
    assert get(address, accept).content == answer.content


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/png", "text/html, */*;q=0.8"])
def test_whoever_asks_for_nothing_special_gets_the_page(accept: str) -> None:
    issue(read_placed(placed("o1")))

    assert get("/orders/o1/invoice", accept)["content-type"].startswith("text/html")


def test_a_credited_invoice_says_so_and_has_its_credit_note() -> None:
    issue(read_placed(placed("o1")))
    credit(read_withdrawn(cancelled("o1", reason="changed my mind")))

    invoice = get("/orders/o1/invoice").content.decode()
    note = get("/orders/o1/credit-note").content.decode()
    note_text = pdf_text(get("/orders/o1/credit-note.pdf"))

    assert f"nothing is owed. Credit note C{YEAR}-000001." in invoice
    assert f"<h1>Credit note C{YEAR}-000001</h1>" in note
    assert f"Credits invoice {YEAR}-000001" in note
    assert "Reason: changed my mind" in note
    assert "<dt>Total</dt><dd>-25.99 EUR</dd>" in note
    assert "Total -25.99 EUR" in note_text


def test_an_outsiders_text_stays_text() -> None:
    items = [{"sku": SCRIPT, "quantity": 1, "unitPrice": "1.00"}]
    issue(read_placed(placed("o1", items=items)))
    credit(read_withdrawn(cancelled("o1", reason=SCRIPT)))

    for document in ("invoice", "credit-note"):
        answer = get(f"/orders/o1/{document}")
        assert SCRIPT not in answer.content.decode()
        assert "&lt;script&gt;alert(1)" in answer.content.decode()
        assert answer["content-security-policy"] == "default-src 'none'; style-src 'self'"
        assert "<script>alert(1)</script>" in pdf_text(get(f"/orders/o1/{document}.pdf"))


@pytest.mark.parametrize("sku", ["ручка", "筆", "x" * 64, "pen €"], ids=str)
def test_any_sku_makes_a_pdf(sku: str) -> None:
    items = [{"sku": sku, "quantity": 1, "unitPrice": "0.1234"}]
    issue(read_placed(placed("o1", items=items)))

    assert sku in get("/orders/o1/invoice").content.decode()
    assert "1 0.1234 0.12" in pdf_text(get("/orders/o1/invoice.pdf"))


ADDRESS = "Erika Mu\u0308ller\r\nStrasse\t7\n\n12345\u2028Ko\u0308ln\x07\u202e"


@override_settings(INVOICE_SELLER=ADDRESS)
def test_the_sellers_address_has_its_lines_and_its_letters() -> None:
    issue(read_placed(placed("o1")))

    page = get("/orders/o1/invoice").content.decode()
    [paper] = PdfReader(BytesIO(get("/orders/o1/invoice.pdf").content)).pages

    assert "Erika Müller<br>Strasse 7<br>12345<br>Köln</p>" in page
    assert "Erika Müller\nStrasse 7\n12345\nKöln\n" in paper.extract_text()


@pytest.mark.parametrize(
    ("sku", "on_paper"),
    [
        ("ручка", "ручка"),
        ("筆記本", "筆記本"),
        ("笔记本", "笔记本"),
        ("공책", "공책"),
        ("πένα", "πενα"),
        ("Erdős", "Erdos"),
        ("e\u0301clair", "éclair"),
        ("pen \N{PARTY POPPER}", "pen [U+1F389]"),
        ("قلم", "[U+0642][U+0644][U+0645]"),
        ("two\nlines\tand a tab", "two lines and a tab"),
        ("bell\x07 escape\x1b", "bell escape"),
        ("a\u202eb\u200dc", "abc"),
        ("q\u0323\u0307", "q"),
    ],
    ids=ascii,
)
def test_what_is_printed_of_a_sku(sku: str, on_paper: str) -> None:
    items = [{"sku": sku, "quantity": 1, "unitPrice": "1.00"}]
    issue(read_placed(placed("o1", items=items)))

    text = pdf_text(get("/orders/o1/invoice.pdf"))

    assert f"{on_paper} 1 1.00 1.00" in text
    assert "?" not in text


@override_settings(INVOICE_SELLER="\n".join(f"Line {n}" for n in range(500)))
def test_the_longest_texts_have_room() -> None:
    order_id = "\N{PARTY POPPER}" * 50  # 200 bytes
    items = [{"sku": "\n\N{PARTY POPPER}" * 32, "quantity": 1, "unitPrice": "1.00"}] * 40
    issue(read_placed(placed(order_id, items=items)))
    credit(read_withdrawn(cancelled(order_id, reason="\n".join("x" * 250))))

    text = pdf_text(get(f"/orders/{'%F0%9F%8E%89' * 50}/credit-note.pdf"))

    assert "Line 0 Line 1" in text
    assert "Line 499" in text
    assert "Total -40.00 EUR" in text


@override_settings(TAX_RATE_PERCENT=Decimal("19"))
def test_nobody_owes_less_than_nothing() -> None:
    items = [{"sku": "sample", "quantity": 3, "unitPrice": "0.00"}]
    issue(read_placed(placed("free", items=items)))
    credit(read_withdrawn(cancelled("free")))

    for document in ("invoice", "credit-note"):
        page = get(f"/orders/free/{document}").content.decode()
        text = pdf_text(get(f"/orders/free/{document}.pdf"))
        assert "<dt>Total</dt><dd>0.00 EUR</dd>" in page
        assert "Total 0.00 EUR" in text
        assert "-0.00" not in page + text


def test_a_long_invoice_has_all_its_lines_under_a_head_on_each_page() -> None:
    lines = [{"sku": f"sku-{n}", "quantity": 10**7, "unitPrice": "99999999"} for n in range(1000)]
    issue(read_placed(placed("o1", items=lines)))

    pages = PdfReader(BytesIO(get("/orders/o1/invoice.pdf").content)).pages

    assert len(pages) > 10
    texts = [page.extract_text() for page in pages]
    assert all("Unit price" in text for text in texts[:-1])
    assert all(f"sku-{n}\n" in "\n".join(texts) for n in range(1000))
    assert "999,999,990,000,000,000.00 EUR" in texts[-1]


@pytest.mark.parametrize("document", ["invoice", "invoice.pdf", "credit-note", "credit-note.pdf"])
def test_a_document_that_was_not_issued_is_a_problem_with_its_reason(document: str) -> None:
    credit(read_withdrawn(cancelled("void")))
    issue(read_placed(placed("issued")))

    unknown, void = get(f"/orders/unknown/{document}"), get(f"/orders/void/{document}")

    for answer in (unknown, void):
        assert (answer.status_code, answer["content-type"]) == (404, "application/problem+json")
    assert "no invoice for order 'unknown'" in unknown.json()["detail"]
    assert "before it was invoiced, so nothing is owed" in void.json()["detail"]
    if document.startswith("credit-note"):
        assert "was not credited" in get(f"/orders/issued/{document}").json()["detail"]
