"""The reconciler: sends an event of an order again to the one service that has not answered it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings

from messaging.isolation import isolated
from messaging.publisher import Publisher
from orders import unanswered
from ordersite.conservation import Missing, lines

logger = logging.getLogger(__name__)

NOT_SENT = (
    "What %s never answered could not be sent again; the next run tries to. The other service's "
    "orders are sent."
)


def reconcile() -> int:
    """Send what is unaccounted for again, to the service that owes an answer; return how much.

    Raises:
        PublishError: RabbitMQ has not confirmed all; the next run sends them again.
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    if dated := unanswered.date_those_of_the_future():
        logger.warning("%d order(s) were dated in the future; a clock was, or is, ahead", dated)
    missing = {line.service: by_type(line.missing) for line in lines() if line.missing}
    with Publisher(settings.AMQP_URL) as publisher:
        for service, order_ids_by_type in missing.items():
            for type_, order_ids in order_ids_by_type.items():
                with isolated(logger, NOT_SENT, service):
                    unanswered.send_again(service, type_, order_ids, publisher)
                    logger.warning(
                        "%s never answered %s of %d order(s), sent again to it alone: %s …",
                        service,
                        type_,
                        len(order_ids),
                        ", ".join(order_ids[:3]),
                    )
    return sum(len(ids) for of_types in missing.values() for ids in of_types.values())


def by_type(missing: Iterable[Missing]) -> dict[str, list[str]]:
    order_ids = defaultdict(list)
    for each in missing:
        order_ids[each.type].append(each.order_id)
    return order_ids
