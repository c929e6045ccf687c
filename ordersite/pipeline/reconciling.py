"""The reconciler: sends again what the broker lost, to the one service that has not got it."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable

from django.conf import settings

from messaging.isolation import isolated
from messaging.publishing.publisher import Publisher
from messaging.service import events
from messaging.unasked_events import keeper
from orders import events_again, unanswered
from ordersite.pipeline.conservation import missing
from ordersite.pipeline.lost_events import Missing, forget_noted

logger = logging.getLogger(__name__)

NOT_SENT = (
    "Lost events (%s of %s) could not be sent again; the next run tries again. The others are sent."
)


def reconcile() -> int:
    """Send what is unaccounted for again, to the service that has not answered it; return how much.

    At most `MOST_SENT_AGAIN` events of a service; the next run sends the others.

    Raises:
        PublishError: RabbitMQ has not confirmed all; the next run sends them again.
        pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    if dated := unanswered.date_those_of_the_future():
        logger.warning("%d order(s) were dated in the future; a clock was, or is, ahead", dated)
    lost = {service: by_type(found) for service, found in missing().items()}
    forget_noted()
    with Publisher(settings.AMQP_URL) as publisher:
        for service, order_ids_by_type in lost.items():
            for type_, order_ids in order_ids_by_type.items():
                with isolated(logger, NOT_SENT, type_, service):
                    send_again(service, type_, order_ids, publisher)
    return sum(len(ids) for of_types in lost.values() for ids in of_types.values())


def send_again(service: str, type_: str, order_ids: list[str], publisher: Publisher) -> None:
    """Send an event of these orders again, to the service that has not answered it."""
    event = events()[type_]
    if event.kept_by:
        keeper(event).publish_again(order_ids)
        lost = f"orders never noted {type_}, published by {service} again"
    else:
        events_again.send_again(service, type_, order_ids, publisher)
        lost = f"{service} never answered {type_}, sent again to it alone"
    logger.warning("%s: %d order(s), %s …", lost, len(order_ids), ", ".join(order_ids[:3]))


def by_type(missing: Iterable[Missing]) -> dict[str, list[str]]:
    order_ids = defaultdict(list)
    for each in missing:
        order_ids[each.type].append(each.order_id)
    return order_ids
