"""Invoices and credit notes, for people to read, print and keep."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from billing import operations
from billing.invoicing import Invoice, invoices
from billing.pdf_cache import printed, tag
from billing.printable_document import PrintableDocument, credit_note_document, invoice_document
from messaging.order_id import canonical
from runtime.requests import entity_tag
from runtime.requests.caller import Caller, caller_of

PDF = "application/pdf"
PAGE = "text/html"

#: The page shows untrusted text: were one not escaped, a browser would still run nothing.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'"


class PrintView(APIView):
    """A page, or a PDF where the address ends with `.pdf` or the client prefers one."""

    scopes = {"GET": "invoices:read"}

    def answer(self, request: Request, document: PrintableDocument, as_pdf: bool) -> HttpResponse:
        # Django's own: the REST framework negotiates JSON alone here.
        prefers = request.get_preferred_type([PAGE, PDF])
        if as_pdf or prefers == PDF:
            response = as_file(request, document)
        else:
            response = render(request, "billing/printable_document.html", {"document": document})
            response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        patch_vary_headers(response, ["Accept"])
        return response


def as_file(request: Request, document: PrintableDocument) -> HttpResponse:
    """The PDF; only that it is the same one still, where the client has it.

    Raises:
        Refusal: the client asks for another one alone (412).
    """
    etag = f'"{tag(document)}"'
    response = entity_tag.unchanged(request, etag)
    if response is None:
        response = HttpResponse(printed.pdf(document), content_type=PDF)
        response["Content-Disposition"] = f'inline; filename="{document.number}.pdf"'
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


class InvoiceView(PrintView):
    """The invoice of an order."""

    operations = {"GET": operations.INVOICE}

    def get(self, request: Request, order_id: str, as_pdf: bool = False) -> HttpResponse:
        found = find(order_id, caller_of(request), lambda invoice: invoice["number"])
        return self.answer(request, invoice_document(found), as_pdf)


class CreditNoteView(PrintView):
    """The credit note of an order's invoice."""

    operations = {"GET": operations.CREDIT_NOTE}

    def get(self, request: Request, order_id: str, as_pdf: bool = False) -> HttpResponse:
        found = find(order_id, caller_of(request), lambda invoice: invoice["credit_note_number"])
        return self.answer(request, credit_note_document(found), as_pdf)


def find(order_id: str, caller: Caller, has: Callable[[Invoice], object]) -> Invoice:
    """The order's invoice, if the caller may see it.

    Raises:
        NotFound: there is none, it is another customer's, or it is not what `has` asks of it.
    """
    invoice = invoices().find_one({"_id": canonical(order_id)})
    if invoice is None or not caller.sees(invoice.get("user_id")):
        raise NotFound(
            f"Billing has no invoice for order {order_id[:40]!r}. If the order was placed a moment "
            "ago, try again; GET /orders lists the orders."
        )
    if invoice["state"] == "lost" or not has(invoice):
        raise NotFound(f"There is none: {STATES[invoice['state']]}.")
    return invoice


STATES = {
    "issued": "the invoice stands and was not credited",
    "credited": "the invoice was credited before credit notes had numbers",
    "void": "the order was rejected or cancelled before it was invoiced, so nothing is owed",
    "lost": "it was issued after the backup that was restored, and is lost",
}
