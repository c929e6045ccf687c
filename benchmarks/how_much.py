"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """How many orders each measure takes, and how often all of it is done."""

    rounds: int
    #: Before anything is measured: first work loads, connects and compiles.
    warm_up_orders: int
    #: (connections, orders), in this sequence.
    post: tuple[tuple[int, int], ...]
    #: A load that is not over by then is cut.
    load_seconds: float
    end_to_end_orders: int
    drain_orders: int
    idle_orders: int
    #: Orders stored before 1,000 more are measured.
    growth_stored: tuple[int, int]
    #: Processes of each consumer.
    growth_copies: tuple[int, int]
    growth_orders: int
    limit_documents: int


FULL = Scale(
    rounds=3,
    warm_up_orders=1_000,
    post=((1, 500), (32, 4_000), (256, 4_000)),
    load_seconds=300,
    end_to_end_orders=5_000,
    drain_orders=20_000,
    idle_orders=100,
    growth_stored=(1_000, 1_000_000),
    growth_copies=(1, 4),
    growth_orders=3_000,
    limit_documents=20_000,
)

#: To see that everything works; its figures mean little.
QUICK = Scale(
    rounds=1,
    warm_up_orders=100,
    post=((1, 50), (32, 200), (256, 300)),
    load_seconds=20,
    end_to_end_orders=200,
    drain_orders=300,
    idle_orders=10,
    growth_stored=(200, 2_000),
    growth_copies=(1, 4),
    growth_orders=200,
    limit_documents=2_000,
)
