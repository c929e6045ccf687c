"""`kill -9` of RabbitMQ's nodes, while orders flow and messages wait in retry queues."""

from __future__ import annotations

from collections.abc import Sequence

from drills.drill import Drill
from drills.planted import remove_faults, wait_for_retries
from drills.rabbitmq_cluster import Node
from drills.run import Run

QUEUES = ("inventory", "billing", "orders", "billing.retry.1s")


def kill_nodes(run: Run) -> None:
    wait_for_retries(run, "billing")
    variants = (a_node, a_leader, all_nodes)
    kill(run, variants[run.seed % len(variants)](run))
    remove_faults(run)


def a_node(run: Run) -> Sequence[Node]:
    return [run.chance.choice(run.site.rabbitmq.nodes)]


def a_leader(run: Run) -> Sequence[Node]:
    """The node which leads the replicas of a queue."""
    leaders = {queue["name"]: queue["leader"] for queue in run.site.queues()}
    leader = leaders[run.chance.choice(QUEUES)]
    return [node for node in run.site.rabbitmq.nodes if node.node_name == leader]


def all_nodes(run: Run) -> Sequence[Node]:
    return run.site.rabbitmq.nodes


def kill(run: Run, nodes: Sequence[Node]) -> None:
    names = ", ".join(node.node_name for node in nodes)
    with run.faults.during(f"kill -9 of {names}"):
        for node in nodes:
            node.kill()
        run.wait(0, 4)
        for node in nodes:
            node.launch()
        for node in nodes:
            node.wait_until_ready()


DRILL = Drill(
    name="rabbitmq-kills",
    promise="The system recovers unaided from the loss of its broker, and nothing is lost",
    inject=kill_nodes,
)
