"""The reconciler: sends again what the broker lost, to the one service that has not heard of it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings

from inventory import shipping
from messaging.isolation import isolated
from messaging.publishing.publisher import Publisher
from orders import unanswered
from orders.facts import Facts, facts
from ordersite.pipeline.conservation import Missing, lines
from runtime.mongodb_clock import mongodb_now

logger = logging.getLogger(__name__)

NOT_SENT = (
    "Events that %s never answered could not be sent again; the next run tries again. Those of the "
    "other services are sent."
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
    again = sum(len(ids) for of_types in missing.values() for ids in of_types.values())
    return again + reconcile_shipments()


def reconcile_shipments() -> int:
    """Let shipments that orders never noted be published once more; return how many it was.

    A person ships, so no event of the order awaits it.
    """
    before = mongodb_now() - timedelta(seconds=settings.RECONCILE_AFTER_SECONDS)
    published = shipping.unheard(before)
    known = facts(published)
    lost = [each for each in published if each in known and not is_noted(known[each])]
    shipping.heard([each for each in published if each not in lost])
    shipping.publish_again(lost)
    if lost:
        logger.warning(
            "orders never noted that %d order(s) were shipped, published again: %s …",
            len(lost),
            ", ".join(lost[:3]),
        )
    return len(lost)


def is_noted(order: Facts) -> bool:
    return order.ledger["inventory"] == "shipped"


def by_type(missing: Iterable[Missing]) -> dict[str, list[str]]:
    order_ids = defaultdict(list)
    for each in missing:
        order_ids[each.type].append(each.order_id)
    return order_ids
