"""AMQP's byte array, as RabbitMQ writes it in a table: `x`, which is not text.

https://www.rabbitmq.com/amqp-0-9-1-errata#section_3
"""

from __future__ import annotations


class ByteArray(bytes):
    """Bytes of a header; plain bytes are a text that is not UTF-8."""
