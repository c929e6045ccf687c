"""The process that started this one.

Granian's main process starts those that answer requests, and stops them. Killed itself, it leaves
them to themselves: they would go on answering beside those of the next start, with the code of the
release before.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from multiprocessing.process import BaseProcess
from threading import Thread

logger = logging.getLogger(__name__)


def end_with_it() -> None:
    """End this process in an orderly way once the one that started it is gone."""
    if parent := multiprocessing.parent_process():
        Thread(target=_end_after, args=(parent,), name="end-with-parent", daemon=True).start()


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    logger.error("The web server's main process is gone, so this one ends, too.")
    os.kill(os.getpid(), signal.SIGTERM)
