"""Orders, the stock, and what each service has done for an order."""

from django.db import models


class Order(models.Model):
    user_id = models.BigIntegerField(db_column="userId")
    items = models.JSONField()
    total_cents = models.BigIntegerField(db_column="totalCents")
    status = models.CharField(max_length=20, default="placed")
    created_at = models.DateTimeField(auto_now_add=True, db_column="createdAt")

    class Meta:
        db_table = "orders"


class Product(models.Model):
    sku = models.CharField(primary_key=True, max_length=64, db_column="_id")
    cents = models.IntegerField()
    available = models.IntegerField()
    reserved = models.IntegerField()

    class Meta:
        db_table = "products"


class Reservation(models.Model):
    # The order's id is the key, here and of the invoice, so that neither can be there twice.
    order_id = models.CharField(primary_key=True, max_length=24, db_column="_id")
    state = models.CharField(max_length=8)
    items = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True, db_column="createdAt")

    class Meta:
        db_table = "reservations"


class Invoice(models.Model):
    order_id = models.CharField(primary_key=True, max_length=24, db_column="_id")
    user_id = models.BigIntegerField(db_column="userId")
    items = models.JSONField()
    total_cents = models.BigIntegerField(db_column="totalCents")
    created_at = models.DateTimeField(auto_now_add=True, db_column="createdAt")

    class Meta:
        db_table = "invoices"
