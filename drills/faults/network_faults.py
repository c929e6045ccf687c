"""The network between two parts is cut, half open, slow, or resets; RabbitMQ's nodes part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from drills.cluster.partition import cut_off
from drills.cluster.proxy import BOTH, Direction, Proxy
from drills.drill import Drill
from drills.fault import Missed
from drills.faults.moment import until_met
from drills.run import Run

LinkFault = Callable[[Proxy, Sequence[Direction]], None]

FAULTS_OF_A_RUN = 4
SLOW_SECONDS = 0.3
SHORT_SECONDS = (1.0, 6.0)
#: Longer than every time-out: 5 s for RabbitMQ's confirms, 10 s for MongoDB's sockets.
LONG_SECONDS = (12.0, 15.0)
PARTITION_SECONDS = (2.0, 8.0)
DIRECTIONS: tuple[tuple[Direction, ...], ...] = (
    BOTH,
    (Direction.TO_SERVER,),
    (Direction.TO_CLIENT,),
)


def break_network(run: Run) -> None:
    for _ in range(FAULTS_OF_A_RUN):
        run.wait(0.3, 1)
        until_met(run, partial(break_a_link, run))
    if run.seed % 2 == 0:
        part_a_node(run)


def break_a_link(run: Run) -> None:
    """Raises Missed where nothing came by meanwhile."""
    link = run.chance.choice(LINKS)(run)
    fault = run.chance.choice(FAULTS)
    directions = run.chance.choice(DIRECTIONS) if fault in ONE_WAY else BOTH
    seconds = (
        run.chance.choice((SHORT_SECONDS, LONG_SECONDS)) if fault is stalled else SHORT_SECONDS
    )
    with run.faults.during(f"{in_words(fault, directions)}: {link.parts}"):
        hits = sum(proxy.hits for proxy in link.proxies)
        for proxy in link.proxies:
            if link.client:
                proxy.only(link.client)
            fault(proxy, directions)
        run.wait(*seconds)
        for proxy in link.proxies:
            proxy.restore()
        if sum(proxy.hits for proxy in link.proxies) == hits:
            raise Missed(f"nothing came by between {link.parts}")


def in_words(fault: LinkFault, directions: Sequence[Direction]) -> str:
    what = fault.__name__.replace("_", " ")
    return f"{what} ({' and '.join(directions)})" if fault in ONE_WAY else what


def part_a_node(run: Run) -> None:
    """One node of RabbitMQ and the two others lose each other; it pauses, being the minority."""
    victim = run.chance.choice(run.site.rabbitmq.nodes)
    with (
        run.faults.during(f"partition: {victim.node_name} and the other nodes"),
        cut_off(run.site.rabbitmq, victim),
    ):
        run.wait(*PARTITION_SECONDS)


class Between(NamedTuple):
    """Two parts that talk, and what stands between them."""

    parts: str
    proxies: Sequence[Proxy]
    #: Whose connections alone are meant; empty where that is everybody.
    client: str = ""


def clients_and_web(run: Run) -> Between:
    return Between("clients and web", [run.site.web_proxy])


def everybody_and_mongodb(run: Run) -> Between:
    return Between("everybody and MongoDB", run.site.replica_set.proxies)


def everybody_and_a_member(run: Run) -> Between:
    number, proxy = run.chance.choice([*enumerate(run.site.replica_set.proxies)])
    return Between(f"everybody and MongoDB's member {number}", [proxy])


def a_process_and_mongodb(run: Run) -> Between:
    name = run.chance.choice([*run.site.pipeline.processes])
    return Between(f"{name} and MongoDB", run.site.replica_set.proxies, name)


def a_process_and_rabbitmq(run: Run) -> Between:
    name, proxies = run.chance.choice([*run.site.amqp_proxies.items()])
    return Between(f"{name} and RabbitMQ", proxies)


def a_process_and_its_node(run: Run) -> Between:
    """One that has a connection at this moment."""
    in_use = [
        Between(f"{name} and a node of RabbitMQ", [proxy])
        for name, proxies in run.site.amqp_proxies.items()
        for proxy in proxies
        if proxy.connections
    ]
    if not in_use:
        raise Missed("nobody has a connection to RabbitMQ")
    return run.chance.choice(in_use)


#: Every two parts that talk; each kind is as likely as the others.
LINKS = (
    clients_and_web,
    everybody_and_mongodb,
    everybody_and_a_member,
    a_process_and_mongodb,
    a_process_and_rabbitmq,
    a_process_and_its_node,
)


def cut(proxy: Proxy, directions: Sequence[Direction]) -> None:
    proxy.cut()


def half_open(proxy: Proxy, directions: Sequence[Direction]) -> None:
    proxy.swallow(directions)


def stalled(proxy: Proxy, directions: Sequence[Direction]) -> None:
    proxy.hold(directions)


def slow(proxy: Proxy, directions: Sequence[Direction]) -> None:
    proxy.slow(SLOW_SECONDS, directions)


def reset(proxy: Proxy, directions: Sequence[Direction]) -> None:
    proxy.reset()


#: Those that may be in one direction alone; the others end whole connections.
ONE_WAY: tuple[LinkFault, ...] = (half_open, stalled, slow)
FAULTS: tuple[LinkFault, ...] = (cut, reset, *ONE_WAY)

DRILL = Drill(
    name="network-faults",
    promises=(2, 8),
    promise="The system recovers by itself from every fault of the network",
    inject=break_network,
)
