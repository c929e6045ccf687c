"""Does RabbitMQ accept messages?

https://www.rabbitmq.com/docs/alarms
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ordersite.broker import management_api
from ordersite.doctor.report import Finding, Severity

CONSEQUENCE = (
    "It accepts no messages until that is over: orders are accepted and wait in the outbox, "
    "workers pause, nothing is lost."
)
MEBIBYTE = 1024 * 1024


def of_nodes() -> Iterator[Finding]:
    for node in management_api.get("nodes").content:
        if not node.get("running"):
            yield _stopped(node["name"])
            continue
        if node.get("mem_alarm"):
            yield _memory(node)
        if node.get("disk_free_alarm"):
            yield _disk(node)


def _stopped(name: str) -> Finding:
    return Finding(
        Severity.WARNING,
        f"RabbitMQ node {name}",
        "It does not run.",
        "Fewer nodes may fail now; without a majority no queue accepts a message.",
        "sudo systemctl restart rabbitmq-server",
        f"On {name.partition('@')[2]}.",
    )


def _memory(node: dict[str, Any]) -> Finding:
    return Finding(
        Severity.ERROR,
        f"RabbitMQ node {node['name']}",
        f"Memory alarm: it uses {_mib(node['mem_used'])} of {_mib(node['mem_limit'])}.",
        CONSEQUENCE,
        f"rabbitmqctl --node {node['name']} set_vm_memory_high_watermark 0.8",
        "Until the node restarts, and if the host has memory left. rabbitmq-diagnostics "
        "memory_breakdown shows what takes it; where queues are long, start more workers.",
    )


def _disk(node: dict[str, Any]) -> Finding:
    return Finding(
        Severity.ERROR,
        f"RabbitMQ node {node['name']}",
        f"Disk alarm: {_mib(node['disk_free'])} are free, {_mib(node['disk_free_limit'])} are "
        "wanted.",
        CONSEQUENCE,
        "df -h",
        "On that node's machine make room where RabbitMQ has its data, or lower disk_free_limit in "
        "rabbitmq.conf if it is more than that disk can have. What is full:",
    )


def _mib(size_bytes: int | str) -> str:
    """RabbitMQ says `disk_free_monitoring_disabled` and the like where it does not know."""
    return f"{size_bytes / MEBIBYTE:,.0f} MiB" if isinstance(size_bytes, int) else str(size_bytes)
