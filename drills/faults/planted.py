"""Handlers that fail for some of a run's users, as a developer makes them fail."""

from __future__ import annotations

from drills.run import Run
from drills.traffic.placed import of_users

SHARE_OF_USERS = 15


def plant_faults(
    run: Run, service: str, kind: str = "error", share_of_users: int = SHARE_OF_USERS
) -> None:
    """From now on the service fails, attempt by attempt, for about one in so many users.

    Args:
        kind: how; `slow` is longer than a handler may take.
    """
    users = run.users[:: run.chance.randint(share_of_users * 2 // 3, share_of_users)]
    run.failing_users[service].update(users)
    run.site.database["simulated_faults"].insert_many(
        {"service": service, "user_id": user_id, "kind": kind} for user_id in users
    )


def remove_faults(run: Run) -> None:
    run.site.database["simulated_faults"].delete_many(of_users(run.users))


def retrying(run: Run, service: str) -> int:
    """How many messages wait for their next attempt."""
    return sum(
        queue.get("messages", 0)
        for queue in run.site.queues()
        if queue["name"].startswith(f"{service}.retry.")
    )
