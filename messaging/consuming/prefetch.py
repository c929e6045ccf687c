"""How many messages a consumer holds."""

from __future__ import annotations

from typing import Any

from messaging.consuming.batching import BATCH_MESSAGES

#: For each process of a worker. With two, one batch is running and the next one gathering; all of
#: them return when the worker dies.
USUAL_A_CHILD = BATCH_MESSAGES
#: While handlers are slow: one that runs and the next one.
FEW_A_CHILD = 2


def begin_again(consumer: Any, count: int) -> None:
    """Let kombu's consumer hold at most `count` messages from now on, beside those it has.

    A consumer's count is fixed when it begins. https://www.rabbitmq.com/docs/consumer-prefetch
    """
    consumer.cancel()
    consumer.qos(prefetch_count=count)
    consumer.consume()
