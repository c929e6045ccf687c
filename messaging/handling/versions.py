"""Messages in a format that only a newer release reads, as during a rolling upgrade."""

from __future__ import annotations

from messaging.errors import TransientError
from messaging.handling.call import Answers, GoOn, MessageCall


def check_version(call: MessageCall, go_on: GoOn) -> Answers:
    """Middleware: leave a newer format to a worker of the newer release, which gets the retry.

    Where there is no such worker it becomes a failed message, to be replayed after the upgrade.

    Raises:
        TransientError: the body's `schema-version` is newer than the handler knows.
    """
    version, known = call.delivery.schema_version, call.handler.version
    if version > known:
        raise TransientError(
            f"schema-version {version} of {call.type} is newer than {known}, "
            "which this release knows; upgrade the workers, then replay it"
        )
    return go_on()
