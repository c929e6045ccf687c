"""Endpoints, what is delivered to them, and the orders that were heard of."""

from __future__ import annotations

from django.db import models
from django_mongodb_backend.fields import ArrayField
from django_mongodb_backend.models import EmbeddedModel

from runtime.embedded_fields import EmbeddedModelArrayField
from runtime.moment import exact


class Secret(EmbeddedModel):
    """Signs what is sent; while a rotation lasts there are two."""

    #: Encrypted, see `runtime.stored_secret`: signing needs it, so no hash would do. In it are
    #: `whsec_` and base64, as Standard Webhooks has it.
    value = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    #: Null for the newest.
    expires_at = models.DateTimeField(null=True)


class Endpoint(models.Model):
    """A URL that hears of events, and how it has been lately."""

    class State(models.TextChoices):
        ENABLED = "enabled"
        DISABLED = "disabled"

    id = models.CharField("id", primary_key=True, db_column="_id", max_length=16)
    #: The customer whose orders alone it hears of; null for a shop's, which hears of all.
    user_id = models.BigIntegerField("user id", null=True)
    url = models.CharField("URL", max_length=2000)
    #: For its owner, in words.
    description = models.CharField(max_length=200, default="")
    types = ArrayField(models.CharField(max_length=100))
    secrets = EmbeddedModelArrayField(Secret)
    state = models.CharField(max_length=8, choices=State)
    #: Why it is disabled; empty while it is not.
    reason = models.CharField(max_length=300, default="")
    disabled_at = models.DateTimeField("disabled", null=True)
    #: Whether failures have disabled it, and the operators are yet to be told.
    is_untold = models.BooleanField(default=False)
    created_at = models.DateTimeField("created")
    created_by = models.CharField(max_length=150)
    #: Of the request with an Idempotency-Key that made it; empty where it had none.
    fingerprint = models.CharField(max_length=64, default="", editable=False)
    #: Failures since the last success, and when the first of them was.
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField("last success", null=True)
    #: Whether an answer took long lately.
    is_slow = models.BooleanField(default=False)
    #: Until then nothing is sent to it, since it failed again and again.
    held_until = models.DateTimeField(null=True)
    #: When it has something to send next; null for nothing.
    next_at = models.DateTimeField(null=True)
    #: While what has failed is sent again: what was noted since the one moment, and had failed by
    #: the other.
    again_since = models.DateTimeField("sent again since", null=True)
    again_until = models.DateTimeField(null=True)
    #: One more with each event for it, so that whoever finds nothing to send sees that it came.
    woken = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "webhook_endpoints"
        ordering = ["-created_at", "-id"]
        default_permissions = ("view", "change")
        indexes = [
            models.Index(fields=["next_at"], name="webhook_endpoints_next"),
            models.Index(fields=["again_since"], name="webhook_endpoints_again"),
            models.Index(fields=["-created_at", "-id"], name="webhook_endpoints_newest"),
            models.Index(
                fields=["user_id", "-created_at", "-id"], name="webhook_endpoints_of_user"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.url} ({self.id})"


class Attempt(EmbeddedModel):
    """One request, and what was answered."""

    at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    #: The request's header fields, as JSON.
    headers = models.TextField()
    #: Null where there was no answer; `error` says why.
    status = models.PositiveIntegerField(null=True)
    #: The first bytes of its body.
    answer = models.TextField(default="")
    error = models.CharField(max_length=300, default="")

    def __str__(self) -> str:
        said = self.error or f"{self.status} {self.answer[:100]}"
        return f"{exact(self.at)} ({self.milliseconds:,} ms): {said}"


class Delivery(models.Model):
    """One event for one endpoint."""

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        #: All attempts failed, or its endpoint was disabled; it can be sent again.
        FAILED = "failed"

    id = models.CharField("id", primary_key=True, db_column="_id", max_length=32)
    endpoint = models.CharField(max_length=16)
    #: The header `webhook-id`: the same for every attempt, and for every endpoint of the event.
    message_id = models.CharField("webhook-id", max_length=40)
    type = models.CharField(max_length=100)
    order_id = models.CharField("order id", max_length=100, default="")
    #: Whose order it is about; null where the event does not say it.
    user_id = models.BigIntegerField("user id", null=True)
    #: What is sent, byte for byte.
    body = models.TextField()
    state = models.CharField(max_length=9, choices=State)
    #: The next attempt, unless whoever makes it now settles it before.
    due_at = models.DateTimeField()
    #: Attempts of this round; sending it again begins another.
    tries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("created")
    settled_at = models.DateTimeField(null=True)
    attempts = EmbeddedModelArrayField(Attempt)

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name_plural = "deliveries"
        ordering = ["-created_at", "-id"]
        default_permissions = ("view", "change")
        indexes = [
            models.Index(fields=["endpoint", "state", "due_at"], name="webhook_deliveries_due"),
            models.Index(
                fields=["endpoint", "-created_at", "-id"], name="webhook_deliveries_newest"
            ),
            models.Index(fields=["-created_at", "-id"], name="webhook_deliveries_all"),
            models.Index(fields=["order_id"], name="webhook_deliveries_of_order"),
            models.Index(fields=["user_id", "created_at"], name="webhook_deliveries_of_user"),
            models.Index(fields=["settled_at"], name="webhook_deliveries_settled"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.order_id}"


class NotedOrder(models.Model):
    """An order that was heard of."""

    id = models.CharField("order id", primary_key=True, db_column="_id", max_length=100)
    user_id = models.BigIntegerField("user id")
    at = models.DateTimeField()
    #: Of the events that were noted; null of an earlier release, which stored `order.placed` alone.
    types = ArrayField(models.CharField(max_length=100), null=True)

    class Meta:
        db_table = "webhook_noted_orders"
        default_permissions = ()
        indexes = [
            models.Index(fields=["at"], name="webhook_noted_orders_at"),
            models.Index(fields=["user_id"], name="webhook_noted_orders_of_user"),
        ]

    def __str__(self) -> str:
        return self.pk
