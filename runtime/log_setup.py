"""Sets logging up, also for what nothing handles: Python would print that as it likes."""

from __future__ import annotations

import logging
import sys
import threading
from logging.config import dictConfig
from types import TracebackType
from typing import Any

logger = logging.getLogger("unhandled")


def set_up(config: dict[str, Any]) -> None:
    """Log as `config` says, and warnings and unhandled errors likewise; Django's `LOGGING_CONFIG`.

    A fork of this process does so, too.
    """
    dictConfig(config)
    logging.captureWarnings(True)
    # Whoever has put a hook of their own there, as tests and debuggers do, has a use for it.
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = log_error
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = log_error_of_thread


def log_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log what ends this process; see `sys.excepthook`."""
    if is_watched() or issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.critical("Ended by an error", exc_info=(kind, error, trace))


def log_error_of_thread(args: threading.ExceptHookArgs) -> None:
    """Log what ends a thread; see `threading.excepthook`."""
    if is_watched() or args.exc_type is SystemExit or args.exc_value is None:
        threading.__excepthook__(args)
        return
    name = args.thread.name if args.thread else "that is gone"
    error = args.exc_type, args.exc_value, args.exc_traceback
    logger.critical("The thread %s ended by an error", name, exc_info=error)


def is_watched() -> bool:
    """Whether a person at a terminal reads it, who wants the traceback as Python prints it."""
    return sys.stderr is not None and sys.stderr.isatty()
