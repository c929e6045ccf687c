"""A message's call as Celery knows it, which also counts how it ended.

https://docs.celeryq.dev/en/stable/userguide/tasks.html#custom-requests
"""

from __future__ import annotations

import time
from typing import Any

from messaging.adapters import billiard, celery
from messaging.adapters.celery import Request
from messaging.consuming import counts
from messaging.incoming import Delivery


class CountedRequest(Request):
    """Celery calls `on_failure` where it did not end well, and then settles the message."""

    _began = 0.0
    _has_failed = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        celery.keep_on_success(cls)

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        self._began = time.monotonic()
        super().on_accepted(pid, time_accepted)

    def on_success(self, failed__retval__runtime: tuple[Any, Any, float], **kwargs: Any) -> Any:
        has_failed, result, _ = failed__retval__runtime
        if not has_failed:
            counts.led_to(counts.types_in(result))
        return super().on_success(failed__retval__runtime, **kwargs)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> Any:
        self._has_failed = True
        self._count(counts.outcome_of(billiard.error_of(exc_info)))
        return super().on_failure(exc_info, send_failed_event, return_ok)

    def acknowledge(self) -> None:
        if not self._has_failed and not self.acknowledged:
            self._count(counts.HANDLED)
        super().acknowledge()

    def _count(self, outcome: str) -> None:
        delivery: Delivery = self.request_dict["delivery"]
        counts.called(delivery.service, delivery.type, time.monotonic() - self._began)
        if outcome == counts.HANDLED:
            sent_at = [delivery.timestamp_seconds]
            counts.handled(delivery.service, delivery.type, sent_at, delivery.message_id)
        else:
            settled = delivery.service, delivery.type, outcome
            counts.settled(*settled, message_id=delivery.message_id)
