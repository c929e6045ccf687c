"""What the log leaves out: a probe that hears "not ready" is not an error, and has its answer."""

from __future__ import annotations

import logging

READINESS = "/health/ready"


class NotAProbe(logging.Filter):
    """Lets pass what Django says of every request but the readiness probe."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", None) != READINESS
