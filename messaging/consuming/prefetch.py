"""How many messages a consumer holds."""

from __future__ import annotations

from typing import Any


def begin_again(consumer: Any, count: int) -> None:
    """Let kombu's consumer hold at most `count` messages from now on, beside those it has.

    A consumer's count is fixed when it begins. https://www.rabbitmq.com/docs/consumer-prefetch
    """
    consumer.cancel()
    consumer.qos(prefetch_count=count)
    consumer.consume()
