"""What each service does with an order: acked after its work, once an order, retried alone."""

from contextlib import suppress
from datetime import UTC, datetime

from celery import shared_task
from django.db import IntegrityError, connection
from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from shop.models import Invoice, Reservation

RETRIED = {"autoretry_for": (Exception,), "retry_backoff": True, "max_retries": 5}


class OutOfStock(Exception):
    pass


@shared_task(**RETRIED)
def reserve(order):
    # Not Django's `atomic`: PyMongo runs a transaction again after a write conflict.
    try:
        with connection.database.client.start_session() as session:
            session.with_transaction(lambda session: take(order, session))
    except OutOfStock:
        Reservation.objects.create(pk=order["orderId"], state="rejected", items=order["items"])
    except DuplicateKeyError:
        pass  # it was reserved before


def take(order, session):
    reservation = {
        "_id": order["orderId"],
        "state": "reserved",
        "items": order["items"],
        "createdAt": datetime.now(UTC),
    }
    connection.database["reservations"].insert_one(reservation, session=session)
    statements = [
        UpdateOne(
            {"_id": item["sku"], "available": {"$gte": item["quantity"]}},
            {"$inc": {"available": -item["quantity"], "reserved": item["quantity"]}},
        )
        for item in order["items"]
    ]
    result = connection.database["products"].bulk_write(statements, session=session)
    if result.modified_count != len(statements):
        raise OutOfStock


@shared_task(**RETRIED)
def issue_invoice(order):
    # It may have been issued before.
    with suppress(IntegrityError):
        Invoice.objects.create(
            pk=order["orderId"],
            user_id=order["userId"],
            items=order["items"],
            total_cents=order["totalCents"],
        )
