"""What billing shows of an order."""

from django.urls import path

from billing import operations
from billing.views import CreditNoteView, InvoiceView

PDF = {"as_pdf": True}
INVOICE_FILE = InvoiceView.as_view(operations={"GET": operations.INVOICE_FILE})
CREDIT_NOTE_FILE = CreditNoteView.as_view(operations={"GET": operations.CREDIT_NOTE_FILE})

urlpatterns = [
    path("orders/<str:order_id>/invoice", InvoiceView.as_view(), name="invoice"),
    path("orders/<str:order_id>/invoice.pdf", INVOICE_FILE, PDF, name="invoice-pdf"),
    path("orders/<str:order_id>/credit-note", CreditNoteView.as_view(), name="credit-note"),
    path(
        "orders/<str:order_id>/credit-note.pdf",
        CREDIT_NOTE_FILE,
        PDF,
        name="credit-note-pdf",
    ),
]
