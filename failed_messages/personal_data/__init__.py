"""What is kept of a person here: failed messages, what staff asked for, what the audit log says."""

from __future__ import annotations

from failed_messages.personal_data import acts, audit, messages
from runtime.personal_data import Holding, hold

hold(
    Holding(
        "failed messages",
        "Messages about them that a service gave up",
        messages.export,
        messages.erase,
    )
)
hold(
    Holding(
        "acts",
        "What staff asked for about them: acts to approve, bulk replays",
        acts.export,
        acts.erase,
    )
)
hold(
    Holding(
        "audit log",
        "What was done to those messages, what names them, and when their data were given out",
        audit.export,
        audit.erase,
    )
)
