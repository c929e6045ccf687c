"""What orders owe, and the series that numbers it."""

from __future__ import annotations

from django.db import models
from django_mongodb_backend.models import EmbeddedModel

from runtime.embedded_fields import EmbeddedModelArrayField


class InvoiceLine(EmbeddedModel):
    """Units of one SKU at one price."""

    sku = models.CharField("SKU", max_length=64)
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=15, decimal_places=4)
    #: quantity x unit_price, in whole smallest units of the currency.
    amount = models.DecimalField(max_digits=24, decimal_places=4)

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"


class Invoice(models.Model):
    """What billing has done for one order."""

    class State(models.TextChoices):
        ISSUED = "issued"
        CREDITED = "credited"
        #: The order was rejected or cancelled before it was invoiced, so it never will be.
        VOID = "void"
        #: Its number may have been issued after the backup that was restored; it is not issued
        #: again.
        LOST = "lost"

    order_id = models.CharField("order id", primary_key=True, db_column="_id", max_length=100)
    #: Gapless within its year, as "2026-000001"; null while void.
    number = models.CharField(max_length=20, unique=True, null=True)
    user_id = models.BigIntegerField("user id")
    items = EmbeddedModelArrayField(InvoiceLine)
    #: The sum of the lines' amounts, tax included.
    total = models.DecimalField(max_digits=24, decimal_places=4)
    tax_rate_percent = models.DecimalField(
        "tax rate in percent", max_digits=5, decimal_places=2, default=0
    )
    #: What of the total is tax.
    tax = models.DecimalField(max_digits=24, decimal_places=4, default=0)
    #: ISO 4217.
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State)
    created_at = models.DateTimeField()
    credited_at = models.DateTimeField(null=True)
    #: Gapless within its year, as "C2026-000001"; null unless credited.
    credit_note_number = models.CharField(max_length=20, unique=True, null=True)
    credit_reason = models.CharField(max_length=500, null=True)

    class Meta:
        db_table = "invoices"
        ordering = ["-created_at"]
        # Each begins with what the admin's list filters and ends as it sorts.
        indexes = [
            models.Index(fields=["-created_at", "-order_id"], name="invoices_newest"),
            models.Index(
                fields=["state", "-created_at", "-order_id"], name="invoices_newest_of_state"
            ),
            models.Index(
                fields=["user_id", "-created_at", "-order_id"], name="invoices_newest_of_user"
            ),
        ]

    def __str__(self) -> str:
        return self.number or f"{self.order_id} ({self.state})"


class InvoiceCounter(models.Model):
    """The last number given out of a series; only billing's transactions move it."""

    #: "2026" or "C2026", see `billing.numbering`.
    series = models.CharField(primary_key=True, db_column="_id", max_length=8)
    last = models.PositiveIntegerField()

    class Meta:
        db_table = "invoice_counters"

    def __str__(self) -> str:
        return f"{self.series}: {self.last}"
