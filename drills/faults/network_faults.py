"""The network between two parts is cut, half open, slow, or resets connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drills.drill import Drill
from drills.proxy import BOTH, Direction, Proxy
from drills.run import Run

FAULTS_OF_A_RUN = 4
SLOW_SECONDS = 0.3
DIRECTIONS: tuple[tuple[Direction, ...], ...] = (
    BOTH,
    (Direction.TO_SERVER,),
    (Direction.TO_CLIENT,),
)


def break_network(run: Run) -> None:
    for _ in range(FAULTS_OF_A_RUN):
        run.wait(0.3, 1)
        link, proxies = run.chance.choice([*links(run).items()])
        what, fault = run.chance.choice([*FAULTS.items()])
        directions = run.chance.choice(DIRECTIONS)
        with run.faults.during(f"{what} ({' and '.join(directions)}): {link}"):
            for proxy in proxies:
                fault(proxy, directions)
            run.wait(1, 6)
            for proxy in proxies:
                proxy.restore()


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


FAULTS: dict[str, Callable[[Proxy, Sequence[Direction]], None]] = {
    "cut": cut,
    "half open": half_open,
    "stalled": stalled,
    "slow": slow,
    "reset": reset,
}

DRILL = Drill(
    name="network-faults",
    promise="The system recovers unaided from whatever the network does",
    inject=break_network,
)
