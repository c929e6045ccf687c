"""One bad item of a shared loop costs itself alone: it is logged, and the next one is handled."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from messaging.outages import is_outage


@contextmanager
def isolated(logger: logging.Logger, consequence: str, *arguments: object) -> Iterator[None]:
    """Log what is raised within, and go on.

    Args:
        consequence: what follows for the item and what to do, as a format for `arguments`; the
            log has the error itself below it.

    Raises:
        Exception: what says that the database or the broker is down, which is not an item's fault.
    """
    try:
        yield
    except Exception as error:
        if is_outage(error):
            raise
        logger.exception(consequence, *arguments)
