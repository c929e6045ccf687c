"""The orders collection, as the admin and the migrations see it.

The fast path's routes read and write the same documents through `orders.collection`.
"""

from __future__ import annotations

from django.db import models
from django_mongodb_backend.models import EmbeddedModel

from orders.frozen import Document
from runtime.embedded_fields import EmbeddedModelArrayField, EmbeddedModelField
from runtime.mongodb_clock import EPOCH


class Status(models.TextChoices):
    PLACED = "placed"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class OrderLine(EmbeddedModel):
    sku = models.CharField(max_length=64)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=20, decimal_places=4)


class Step(EmbeddedModel):
    """One thing that a service did about an order, and when orders heard of it."""

    service = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    at = models.DateTimeField()
    message_id = models.CharField(max_length=128)
    detail = models.TextField(null=True)
    #: How many attempts the service needed; absent in orders of an earlier release.
    attempt = models.IntegerField(null=True)


class Cancellation(EmbeddedModel):
    at = models.DateTimeField()
    reason = models.TextField(null=True)
    #: The order's, by the cancellation.
    version = models.IntegerField(null=True)


class PendingEvent(EmbeddedModel):
    """An event in the outbox: it happened, and the relay has yet to publish it."""

    event_id = models.CharField(max_length=64, db_column="id")
    type = models.CharField(max_length=32)
    #: The order's version at the event.
    version = models.IntegerField()
    at = models.DateTimeField()


class Order(models.Model):
    user_id = models.BigIntegerField("user id")
    items = EmbeddedModelArrayField(OrderLine)
    total = models.DecimalField(max_digits=26, decimal_places=4)
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=16, choices=Status.choices)
    #: 1 when placed, one more with each step and with the cancellation.
    version = models.IntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    #: By service: its state, when it was heard of, the message's id, a detail.
    ledger = Document()
    #: What the ledger's states came from, oldest first, each once; absent before the first.
    steps = EmbeddedModelArrayField(Step, null=True)
    #: When its goods left the house; absent before, and in orders of an earlier release.
    shipped_at = models.DateTimeField(null=True)
    cancellation = EmbeddedModelField(Cancellation, null=True)
    pending_events = EmbeddedModelArrayField(PendingEvent)
    #: When the oldest pending event happened; absent when none is pending.
    pending_since = models.DateTimeField(null=True)
    #: Which request placed the order, see `orders.idempotency`; absent where it named no key.
    idempotency_key = models.CharField(max_length=300, unique=True, null=True)
    #: SHA-256 of how that request was written, in hex; only the release before this one reads it.
    request_fingerprint = models.CharField(max_length=64, null=True)

    class Meta:
        db_table = "orders"
        indexes = [
            models.Index(fields=["user_id", "id"], name="orders_user"),
            models.Index(fields=["status", "id"], name="orders_status"),
            models.Index(
                fields=["pending_since"],
                name="orders_pending",
                condition=models.Q(pending_since__gt=EPOCH),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
