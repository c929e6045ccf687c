"""MongoDB and RabbitMQ of `make run`, which go on as the pipeline's processes do."""

from __future__ import annotations

import signal
from collections.abc import Callable

from localservices.service import Service

#: A service that was asked to stop ends with one of these.
STOPPED = (0, -signal.SIGTERM, -signal.SIGINT)


class Keeper:
    """Starts a service again that has died; one that somebody stopped stays so."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._kept: list[Service] = []

    def keep(self, service: Service) -> None:
        """From now on; it serves clients already."""
        # The pipeline's processes know its ports.
        service.on_move = None
        self._kept.append(service)

    def check(self) -> None:
        """Start again what has died; call this from the thread that has started it.

        Raises:
            ServiceFailed: it does not start any more.
        """
        for service in tuple(self._kept):
            exit_code = service.process.exit_code
            if exit_code in STOPPED:
                self._kept.remove(service)
                self._say(
                    f"{service.name} was stopped, and stays so; all others go on. To have it "
                    "back, press Ctrl-C and start all again."
                )
            elif exit_code is not None:
                self._say(f"{service.name} ended with exit code {exit_code}. It is started again.")
                # With what it has left behind.
                service.kill()
                service.start()
