"""A partition of the RabbitMQ cluster: one node loses both others, and keeps its clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from drills.cluster.rabbitmq_cluster import COOKIE, Node, RabbitMQCluster
from drills.waiting import wait_until

#: How long the node may take to see that it is alone, and to pause.
PAUSE_SECONDS = 30


@contextmanager
def cut_off(cluster: RabbitMQCluster, victim: Node) -> Iterator[None]:
    """Neither side can connect to the other while the block runs, as each asks for its own cookie.

    Two nodes connect only if both have the same cookie for one another.
    https://www.erlang.org/doc/apps/kernel/erlang.html#set_cookie/2

    Raises:
        TookTooLong: the node, which is in the minority, has not paused.
    """
    others = [node for node in cluster.nodes if node is not victim]
    try:
        part(victim, others, "nobody-here")
        for other in others:
            part(other, [victim], "nobody-there")
        wait_until(lambda: is_paused(victim), PAUSE_SECONDS, f"Pausing {victim.node_name}")
        yield
    finally:
        share_cookie(victim, others, COOKIE)
        for other in others:
            share_cookie(other, [victim], COOKIE)


def part(node: Node, peers: list[Node], cookie: str) -> None:
    share_cookie(node, peers, cookie)
    node.control("eval", f"[erlang:disconnect_node(N) || N <- {names(peers)}].")


def share_cookie(node: Node, peers: list[Node], cookie: str) -> None:
    node.control("eval", f"[erlang:set_cookie(N, '{cookie}') || N <- {names(peers)}].")


def names(nodes: list[Node]) -> str:
    """An Erlang list of their names."""
    return "[" + ", ".join(f"'{node.node_name}'" for node in nodes) + "]"


def is_paused(node: Node) -> bool:
    """Whether it serves no clients: its processes run, RabbitMQ in them does not."""
    with suppress(OSError):
        node.management.get("/api/overview")
        return False
    return True
