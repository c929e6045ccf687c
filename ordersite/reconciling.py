"""The reconciler: sends an order again to the one service that has never answered it."""

from __future__ import annotations

import logging

from django.conf import settings

from messaging.isolation import isolated
from messaging.publisher import Publisher
from orders import unanswered
from ordersite.conservation import lines

logger = logging.getLogger(__name__)

NOT_SENT = (
    "What %s never answered could not be sent again; the next run tries to. The other service's "
    "orders are sent."
)


def reconcile() -> int:
    """Send every unaccounted order again, to the service that owes an answer; return how many.

    Raises:
        PublishError: RabbitMQ has not confirmed all; the next run sends them again.
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    if dated := unanswered.date_those_of_the_future():
        logger.warning("%d order(s) were dated in the future; a clock was, or is, ahead", dated)
    missing = {line.service: line.orders for line in lines() if line.orders}
    with Publisher(settings.AMQP_URL) as publisher:
        for service, order_ids in missing.items():
            with isolated(logger, NOT_SENT, service):
                unanswered.send_again(service, order_ids, publisher)
                logger.warning(
                    "%s never answered %d order(s), sent again to it alone: %s …",
                    service,
                    len(order_ids),
                    ", ".join(order_ids[:3]),
                )
    return sum(map(len, missing.values()))
