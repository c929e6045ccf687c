"""The network between two parts is cut, half open, slow, or resets; RabbitMQ's nodes part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drills.drill import Drill
from drills.partition import cut_off
from drills.proxy import BOTH, Direction, Proxy
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
        break_a_link(run)
    if run.seed % 2 == 0:
        part_a_node(run)


def break_a_link(run: Run) -> None:
    link, proxies = run.chance.choice([*links(run).items()])
    fault = run.chance.choice(FAULTS)
    directions = run.chance.choice(DIRECTIONS) if fault in ONE_WAY else BOTH
    seconds = (
        run.chance.choice((SHORT_SECONDS, LONG_SECONDS)) if fault is stalled else SHORT_SECONDS
    )
    with run.faults.during(f"{in_words(fault, directions)}: {link}"):
        for proxy in proxies:
            fault(proxy, directions)
        run.wait(*seconds)
        for proxy in proxies:
            proxy.restore()


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


def links(run: Run) -> dict[str, Sequence[Proxy]]:
    """Every two parts that talk, with what stands between them."""
    site = run.site
    return {
        "clients and web": [site.web_proxy],
        **{
            f"everybody and MongoDB's member {number}": [proxy]
            for number, proxy in enumerate(site.replica_set.proxies)
        },
        "everybody and MongoDB": site.replica_set.proxies,
        **{f"{name} and RabbitMQ": proxies for name, proxies in site.amqp_proxies.items()},
        **{
            f"{name} and a node of RabbitMQ": [run.chance.choice(proxies)]
            for name, proxies in site.amqp_proxies.items()
        },
    }


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
    promise="The system recovers unaided from whatever the network does",
    inject=break_network,
)
