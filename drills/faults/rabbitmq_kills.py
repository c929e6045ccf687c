"""RabbitMQ's nodes die or freeze, while orders flow and messages wait in retry queues."""

from __future__ import annotations

from collections.abc import Sequence

from drills.cluster.pipeline import SERVICES
from drills.cluster.rabbitmq_cluster import Node, start_nodes
from drills.drill import Drill
from drills.faults.planted import plant_faults, remove_faults, retrying
from drills.run import Run
from drills.waiting import wait_until

QUEUES = (*SERVICES, "billing.retry.1s")
#: Where none waits in a retry queue by then, the drill would not test what it says: it fails.
RETRYING_SECONDS = 20


def break_nodes(run: Run) -> None:
    plant_faults(run, "billing")
    wait_until(lambda: retries_wait(run), RETRYING_SECONDS, "A message in a retry queue")
    variants = (kill_a_node, kill_a_leader, kill_all_nodes, freeze_a_node)
    variants[run.seed % len(variants)](run)
    remove_faults(run)


def retries_wait(run: Run) -> bool:
    """Whether messages wait for their next attempt; how many, is in the report."""
    run.measured["messages in retry queues"] = waiting = retrying(run, "billing")
    return waiting > 0


def kill_a_node(run: Run) -> None:
    kill(run, [run.chance.choice(run.site.rabbitmq.nodes)])


def kill_a_leader(run: Run) -> None:
    """The node which leads the replicas of a queue."""
    leaders = {queue["name"]: queue["leader"] for queue in run.site.queues()}
    nodes = {node.node_name: node for node in run.site.rabbitmq.nodes}
    kill(run, [nodes[leaders[run.chance.choice(QUEUES)]]])


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
        start_nodes(nodes)


DRILL = Drill(
    name="rabbitmq-kills",
    promises=(1, 8),
    promise="The system recovers by itself from the loss of its broker, and nothing is lost",
    inject=break_nodes,
)
