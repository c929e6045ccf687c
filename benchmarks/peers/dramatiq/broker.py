"""Dramatiq on quorum queues, with confirmed publishing."""

import os

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.common import xq_name


class QuorumBroker(RabbitmqBroker):
    """Dramatiq's own queues are classic ones."""

    def _build_queue_arguments(self, queue_name):
        return {
            **super()._build_queue_arguments(queue_name),
            "x-queue-type": "quorum",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }

    def _declare_xq_queue(self, queue_name):
        return self.channel.queue_declare(
            xq_name(queue_name), durable=True, arguments={"x-queue-type": "quorum"}
        )


#: What each service's actor has: a failed message waits in its service's own delay queue, and lies
#: in the service's own dead letter queue in the end.
RETRIED = {"max_retries": 4, "min_backoff": 5_000, "max_backoff": 60_000}

dramatiq.set_broker(QuorumBroker(url=os.environ["AMQP_URL"], confirm_delivery=True))
