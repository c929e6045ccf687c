"""What can go wrong between a publisher and a handler.

MessagingError
├── TransientError       running it again can help
├── PermanentError       running it again cannot help
│   ├── InvalidMessage   the message itself is at fault; `reason` says how
│   ├── WorkerKilled     its workers died of it, too often
│   └── Stopped          an operator has ended its retries
└── PublishError         the broker has not taken responsibility for a message
    └── Unroutable       no queue is bound where it was published
"""

from __future__ import annotations

from collections.abc import Iterable


class MessagingError(Exception):
    """Anything that messaging raises."""


class TransientError(MessagingError):
    """Something that a handler needs did not answer; a retry can help."""


class PermanentError(MessagingError):
    """A retry cannot help: the message becomes a failed message at once."""


class InvalidMessage(PermanentError):
    """The message itself is at fault.

    `reason` is the `messaging.certificate.Reason` that its death certificate will name.
    """

    def __init__(self, detail: str, reason: str = "invalid_body") -> None:
        super().__init__(detail)
        self.reason = reason


class WorkerKilled(PermanentError):
    """The message killed its workers, so often that it is not run again."""

    def __init__(self, kills: int) -> None:
        times = "once" if kills == 1 else f"{kills} times"
        super().__init__(
            f"the worker process was killed {times} while it handled this message (out of memory, "
            "the hard time limit, or a crash in native code)"
        )
        self.kills = kills


class Stopped(PermanentError):
    """An operator has ended the message's retries, so its next attempt does not take place."""

    def __init__(self, by: str, reason: str) -> None:
        super().__init__(f"stopped by {by}: {reason}")


class PublishError(MessagingError):
    """The broker has not confirmed every message, so some may or may not be in their queues.

    `confirmed` holds the indexes, in the published sequence, of those that are safe.
    """

    def __init__(self, detail: str, confirmed: Iterable[int] = ()) -> None:
        super().__init__(detail)
        self.confirmed = set(confirmed)


class Unroutable(PublishError):
    """The exchange has no queue bound for a message, so it would be lost."""
