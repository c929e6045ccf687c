"""What is on the shelves, and what of it is promised to orders."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django_mongodb_backend.fields import EmbeddedModelArrayField
from django_mongodb_backend.models import EmbeddedModel


def shop_currency() -> str:
    """ISO 4217 code of the currency that the whole catalogue is in."""
    return settings.CURRENCY


class Product(models.Model):
    """One article and its stock; available + reserved changes by restocking alone."""

    sku = models.CharField(
        "SKU",
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"\A[\w.-]+\Z", "Use letters, digits, dot, dash, underscore.")],
    )
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=11, decimal_places=2, validators=[MinValueValidator(0)])
    currency = models.CharField(max_length=3, default=shop_currency, editable=False)
    #: Units that the next order can have.
    available = models.PositiveIntegerField()
    #: Units promised to orders and not yet shipped.
    reserved = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        db_table = "products"
        ordering = ["sku"]

    def __str__(self) -> str:
        return self.name


class ReservedLine(EmbeddedModel):
    """Units of one SKU that an order has, or asked for in vain."""

    sku = models.CharField("SKU", max_length=64)
    quantity = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku}"


class Shortage(EmbeddedModel):
    """Why an order was rejected: more was asked of a SKU than was available."""

    sku = models.CharField("SKU", max_length=64)
    asked = models.PositiveIntegerField()
    available = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.sku} ({self.asked} asked, {self.available} available)"


class Reservation(models.Model):
    """What inventory answered to one order, once and for all."""

    class State(models.TextChoices):
        RESERVED = "reserved"
        REJECTED = "rejected"

    order_id = models.CharField("order id", primary_key=True, db_column="_id", max_length=100)
    user_id = models.BigIntegerField("user id")
    state = models.CharField(max_length=8, choices=State)
    items = EmbeddedModelArrayField(ReservedLine)
    #: Empty unless rejected.
    shortages = EmbeddedModelArrayField(Shortage, default=list)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "reservations"
        ordering = ["-created_at"]
        # Each begins with what the admin's list filters and ends as it sorts.
        indexes = [
            models.Index(fields=["-created_at", "-order_id"], name="reservations_newest"),
            models.Index(
                fields=["state", "-created_at", "-order_id"], name="reservations_newest_of_state"
            ),
            models.Index(
                fields=["user_id", "-created_at", "-order_id"], name="reservations_newest_of_user"
            ),
        ]

    def __str__(self) -> str:
        return self.order_id
