"""The documents' routes, for their clients."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from runtime.requests import entity_tag
from runtime.requests.operation import Answer, Operation
from runtime.requests.problem_types import PRECONDITION_FAILED

PATH = {
    "order_id": Annotated[
        str, Meta(description="24 hexadecimal digits.", examples=["674300000000000000000001"])
    ]
}
PAGE, FILE = "<!doctype html> …", b"%PDF-1.4"


def as_page(id_: str, what: str) -> Operation:
    """A page, or a PDF for who prefers one."""
    return Operation(
        id=id_,
        summary=f"The {what} of an order, to read or print",
        description="A page; a PDF where `Accept` prefers application/pdf.",
        path=PATH,
        headers=entity_tag.READ_FIELDS,
        answers={
            200: Answer(
                f"The {what}.",
                other={"text/html": PAGE, "application/pdf": FILE},
                headers=(entity_tag.FIELD,),
            ),
            304: entity_tag.SAME,
        },
        problems=(PRECONDITION_FAILED,),
    )


def as_file(id_: str, what: str) -> Operation:
    return Operation(
        id=id_,
        summary=f"The {what} of an order, as PDF",
        path=PATH,
        headers=entity_tag.READ_FIELDS,
        answers={
            200: Answer(
                f"The {what}.", other={"application/pdf": FILE}, headers=(entity_tag.FIELD,)
            ),
            304: entity_tag.SAME,
        },
        problems=(PRECONDITION_FAILED,),
    )


INVOICE = as_page("getInvoice", "invoice")
INVOICE_FILE = as_file("getInvoicePdf", "invoice")
CREDIT_NOTE = as_page("getCreditNote", "credit note")
CREDIT_NOTE_FILE = as_file("getCreditNotePdf", "credit note")
