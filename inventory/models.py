"""Products with their stock, and the reservations of orders."""

from __future__ import annotations

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django_mongodb_backend.models import EmbeddedModel

from inventory.frozen import shop_currency
from inventory.stock import Kind
from runtime.embedded_fields import EmbeddedModelArrayField
from runtime.mongodb_clock import EPOCH


class Product(models.Model):
    """One article; available + reserved + shipped changes by restocking alone."""

    sku = models.CharField(
        "SKU",
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"\A[\w.-]+\Z", "Use letters, digits, dot, dash, underscore.")],
    )
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=13, decimal_places=4, validators=[MinValueValidator(0)])
    #: ISO 4217.
    currency = models.CharField(max_length=3, default=shop_currency)
    #: Units that the next order can have.
    available = models.PositiveIntegerField()
    #: Units promised to orders and not yet shipped.
    reserved = models.PositiveIntegerField(default=0, editable=False)
    #: Units that have left for the customers.
    shipped = models.PositiveIntegerField(default=0, editable=False)
    #: Since when it is no longer sold; absent while it is.
    withdrawn_at = models.DateTimeField("withdrawn", null=True, editable=False)

    class Meta:
        db_table = "products"
        ordering = ["sku"]
        permissions = [("restock_product", "Can restock product")]

    def __str__(self) -> str:
        # Another program may have left the name out.
        return self.name or self.sku


class ReservedLine(EmbeddedModel):
    """Units of one SKU that an order has, or asked for and did not get."""

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
    """What inventory did for one order."""

    class State(models.TextChoices):
        RESERVED = "reserved"
        REJECTED = "rejected"
        #: The order was cancelled: what it had is available again, and it gets nothing more.
        RELEASED = "released"
        SHIPPED = "shipped"

    order_id = models.CharField("order id", primary_key=True, db_column="_id", max_length=100)
    user_id = models.BigIntegerField("user id")
    state = models.CharField(max_length=8, choices=State)
    items = EmbeddedModelArrayField(ReservedLine)
    #: Empty unless rejected.
    shortages = EmbeddedModelArrayField(Shortage, default=list)
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    shipped_at = models.DateTimeField(null=True)
    #: Why it was shipped although another service had failed for the order; null where none had.
    shipped_anyway = models.CharField("shipped anyway", max_length=1000, null=True)
    #: Since when the event that it was shipped waits to be published; absent when none waits.
    pending_since = models.DateTimeField(null=True)
    #: Since when the event is published and orders may not have noted it; absent once it has.
    unheard_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "reservations"
        ordering = ["-created_at"]
        permissions = [("ship_reservation", "Can ship reservation")]
        # Each begins with what the admin's list filters and ends as it sorts.
        indexes = [
            models.Index(fields=["-created_at", "-order_id"], name="reservations_newest"),
            models.Index(
                fields=["state", "-created_at", "-order_id"], name="reservations_newest_of_state"
            ),
            models.Index(
                fields=["user_id", "-created_at", "-order_id"], name="reservations_newest_of_user"
            ),
            models.Index(
                fields=["pending_since"],
                name="reservations_pending",
                condition=models.Q(pending_since__gt=EPOCH),
            ),
            models.Index(
                fields=["unheard_since"],
                name="reservations_unheard",
                condition=models.Q(unheard_since__gt=EPOCH),
            ),
        ]

    def __str__(self) -> str:
        return self.order_id


class Movement(models.Model):
    """One change of a product's quantities, see `inventory.movements`."""

    movement_id = models.CharField(primary_key=True, db_column="_id", max_length=200)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in Kind])
    sku = models.CharField("SKU", max_length=64)
    order_id = models.CharField("order id", max_length=100, null=True)
    #: The user, where a person moved the units.
    by = models.CharField(max_length=150, null=True)
    available = models.IntegerField()
    reserved = models.IntegerField()
    shipped = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "stock_movements"
        verbose_name = "stock movement"
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["-at", "-movement_id"], name="movements_newest"),
            models.Index(fields=["sku", "-at", "-movement_id"], name="movements_newest_of_sku"),
        ]

    def __str__(self) -> str:
        return self.movement_id
