"""Which options a worker may have: with others the promises do not hold, so it does not start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from messaging.adapters import celery
from messaging.service import services

EXAMPLE = "celery -A celery_app worker -Q billing -n billing@%h --concurrency 2"


def check_options(options: Mapping[str, Any], **_: Any) -> None:
    """Celery calls this before it sets a worker up, with the options of its command line.

    Raises:
        SystemExit: one of them cannot be used; its text says why, and what to do instead.
    """
    for reason in reasons_against(options):
        raise SystemExit(f"The worker does not start: {reason}\nFor example: {EXAMPLE}")


def reasons_against(options: Mapping[str, Any]) -> Iterator[str]:
    """Why the options cannot be used, and what to use."""
    pool = options.get("pool")
    if isinstance(pool, type) and not celery.is_prefork(pool):
        name = pool.__module__.rpartition(".")[2]
        yield (
            f"--pool {name} has no processes that a time limit can end, or whose death costs no "
            "other message. Leave --pool out, which is prefork."
        )
    unknown = [name for name in _names(options.get("queues")) if name not in services()]
    if unknown:
        yield (
            f"-Q names {', '.join(map(repr, unknown))}; a worker consumes {', '.join(services())}. "
            "Dead letters and replay_outcomes are the archiver's (python manage.py archiver)."
        )
    if options.get("autoscale"):
        yield (
            "--autoscale would change how many messages the worker holds. Use "
            "--concurrency, and start further workers on other machines."
        )
    if options.get("beat"):
        yield "-B is not used here. The scheduler runs the periodic jobs: manage.py scheduler."
    if options.get("purge"):
        yield "--purge would delete the orders in its queues. Leave it out."
    if (options.get("prefetch_multiplier") or 1) < 1:
        yield "--prefetch-multiplier must be 1 or more messages a pool child."


def _names(queues: str | list[str] | None) -> list[str]:
    return queues.split(",") if isinstance(queues, str) else list(queues or ())
