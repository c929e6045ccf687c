"""RabbitMQ's nodes die or freeze, while orders flow and messages wait in retry queues."""

from __future__ import annotations

from collections.abc import Sequence

from drills.drill import Drill
from drills.planted import remove_faults, wait_for_retries
from drills.rabbitmq_cluster import Node
from drills.run import Run
from localservices.service import start_together

QUEUES = ("inventory", "billing", "orders", "billing.retry.1s")


def break_nodes(run: Run) -> None:
    wait_for_retries(run, "billing")
    variants = (kill_a_node, kill_a_leader, kill_all_nodes, freeze_a_node)
    variants[run.seed % len(variants)](run)
    remove_faults(run)


def kill_a_node(run: Run) -> None:
    kill(run, [run.chance.choice(run.site.rabbitmq.nodes)])


def kill_a_leader(run: Run) -> None:
    """The node which leads the replicas of a queue."""
    leaders = {queue["name"]: queue["leader"] for queue in run.site.queues()}
    leader = leaders[run.chance.choice(QUEUES)]
    kill(run, [node for node in run.site.rabbitmq.nodes if node.node_name == leader])


def kill_all_nodes(run: Run) -> None:
    kill(run, run.site.rabbitmq.nodes)


def freeze_a_node(run: Run) -> None:
    """SIGSTOP: neither its clients nor the other nodes hear that it is gone."""
    node = run.chance.choice(run.site.rabbitmq.nodes)
    with run.faults.during(f"SIGSTOP of {node.node_name}"):
        node.freeze()
        run.wait(5, 15)
        node.thaw()


def kill(run: Run, nodes: Sequence[Node]) -> None:
    names = ", ".join(node.node_name for node in nodes)
    with run.faults.during(f"kill -9 of {names}"):
        for node in nodes:
            node.kill()
        run.wait(0, 4)
        start_together(nodes)


DRILL = Drill(
    name="rabbitmq-kills",
    promises=(1, 8),
    promise="The system recovers unaided from the loss of its broker, and nothing is lost",
    inject=break_nodes,
)
