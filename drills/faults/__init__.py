"""Every drill, in the order of the table: each file breaks one kind of thing."""

from __future__ import annotations

from drills.drill import Drill
from drills.faults import (
    mongodb_outages,
    network_faults,
    process_kills,
    rabbitmq_alarms,
    rabbitmq_kills,
    worker_kills,
)

DRILLS: tuple[Drill, ...] = (
    worker_kills.DRILL,
    process_kills.DRILL,
    rabbitmq_kills.DRILL,
    mongodb_outages.DRILL,
    rabbitmq_alarms.DRILL,
    network_faults.DRILL,
)
