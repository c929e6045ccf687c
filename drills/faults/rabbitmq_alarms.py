"""RabbitMQ runs out of memory or disk, and blocks whoever publishes."""

from __future__ import annotations

from collections.abc import Iterator

from bson import ObjectId

from drills.cluster.rabbitmq_cluster import Node
from drills.cluster.site import IN_OUTBOX
from drills.drill import Drill
from drills.run import Run
from drills.violation import Kind, Violation
from drills.waiting import wait_until

#: rabbitmqctl's arguments that raise each alarm, and those that end it.
#: https://www.rabbitmq.com/docs/alarms
ALARMS = {
    "memory": (
        ("set_vm_memory_high_watermark", "absolute", "1MB"),
        ("set_vm_memory_high_watermark", "absolute", "2GB"),
    ),
    "disk": (("set_disk_free_limit", "900GB"), ("set_disk_free_limit", "50MB")),
}
#: How the management API tells of them.
SIGNS = {"memory": "mem_alarm", "disk": "disk_free_alarm"}
ON_SECONDS = 15
DRAIN_SECONDS = 30


def raise_alarms(run: Run) -> None:
    run.wait(0.5, 1.5)
    for alarm in run.chance.sample([*ALARMS], 2):
        raise_alarm(run, alarm, run.chance.choice(run.site.rabbitmq.nodes))
        run.wait(0.5, 1)


def raise_alarm(run: Run, alarm: str, node: Node) -> None:
    begin, end = ALARMS[alarm]
    node.control(*begin)
    with run.faults.during(f"{alarm} alarm of {node.node_name}"):
        try:
            wait_until(lambda: is_on(alarm, node), ON_SECONDS, f"The {alarm} alarm")
            run.wait(4, 6)
            blocked = in_outbox(run)
        finally:
            node.control(*end)
    if not blocked:
        run.seen.append(Violation(Kind.RECOVERY, f"the {alarm} alarm blocked nobody"))
    run.measured[f"orders in the outbox at the end of the {alarm} alarm"] = len(blocked)
    drained = wait_until(lambda: not blocked & in_outbox(run), DRAIN_SECONDS, "Draining the outbox")
    run.measured[f"drained after the {alarm} alarm in s"] = round(drained, 2)


def is_on(alarm: str, node: Node) -> bool:
    """Whether the node itself says so."""
    nodes = {each["name"]: each for each in node.management.get("/api/nodes")}
    return bool(nodes[node.node_name][SIGNS[alarm]])


def in_outbox(run: Run) -> set[ObjectId]:
    """The orders whose events the relay could not publish yet."""
    return {order["_id"] for order in run.site.database["orders"].find(IN_OUTBOX, {"_id": True})}


def orders_are_taken(run: Run) -> Iterator[Violation]:
    """Nobody who places an order notices."""
    for exchange in run.history:
        if exchange.status is None or exchange.status >= 500:
            yield Violation(
                Kind.ANSWER, f"{exchange.kind} of {exchange.user_id} was answered {exchange.status}"
            )


DRILL = Drill(
    name="rabbitmq-alarms",
    promises=(1, 8),
    promise="An order answered with 201 is never lost, even while RabbitMQ accepts no message",
    inject=raise_alarms,
    check=orders_are_taken,
    traffic_seconds=14,
)
