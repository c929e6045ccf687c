"""Every drill, in the order of the table: each file breaks one kind of thing."""

from __future__ import annotations

from drills.drill import Drill
from drills.faults import (
    added_service,
    clock_jumps,
    credential_rotation,
    failed_message_replays,
    hostile_clients,
    mongodb_outages,
    network_faults,
    new_rabbitmq,
    poison_matrix,
    process_kills,
    rabbitmq_alarms,
    rabbitmq_kills,
    repeated_deliveries,
    restore_from_backup,
    rolling_restarts,
    rolling_upgrade,
    slow_handlers,
    stopped_service,
    warm_shutdowns,
    webhooks,
    worker_kills,
)

DRILLS: tuple[Drill, ...] = (
    worker_kills.DRILL,
    process_kills.DRILL,
    rabbitmq_kills.DRILL,
    mongodb_outages.DRILL,
    rabbitmq_alarms.DRILL,
    network_faults.DRILL,
    poison_matrix.DRILL,
    repeated_deliveries.DRILL,
    stopped_service.DRILL,
    rolling_upgrade.DRILL,
    new_rabbitmq.DRILL,
    added_service.DRILL,
    warm_shutdowns.DRILL,
    rolling_restarts.DRILL,
    failed_message_replays.DRILL,
    clock_jumps.DRILL,
    restore_from_backup.DRILL,
    credential_rotation.DRILL,
    slow_handlers.DRILL,
    hostile_clients.DRILL,
    webhooks.DRILL,
)
