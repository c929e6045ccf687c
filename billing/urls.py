"""What billing shows of an order."""

from django.urls import path

from billing.views import CreditNoteView, InvoiceView

PDF = {"as_pdf": True}

urlpatterns = [
    path("orders/<str:order_id>/invoice", InvoiceView.as_view(), name="invoice"),
    path("orders/<str:order_id>/invoice.pdf", InvoiceView.as_view(), PDF, name="invoice-pdf"),
    path("orders/<str:order_id>/credit-note", CreditNoteView.as_view(), name="credit-note"),
    path(
        "orders/<str:order_id>/credit-note.pdf",
        CreditNoteView.as_view(),
        PDF,
        name="credit-note-pdf",
    ),
]
