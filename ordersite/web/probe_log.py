"""What the log leaves out: the answer "not ready" to a probe is not an error."""

from __future__ import annotations

import logging

PROBES = {"/health/ready", "/health/serving"}


class NotAProbe(logging.Filter):
    """Lets pass what Django says of every request but of those that ask for readiness."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path", None) not in PROBES
