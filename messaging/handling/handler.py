"""A handler: the function of a service for one type of event, and what it declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from messaging.message import Message

Body = dict[str, Any]
Handle = Callable[[Body], list[Message]]
#: Takes many bodies; returns each one's events, or None for a body that must be handled alone.
HandleBatch = Callable[[list[Body]], list[list[Message] | None]]
#: Raises InvalidMessage for a body that the handler cannot take; what it returns is not used.
Validate = Callable[[Body], object]


@dataclass(frozen=True, slots=True)
class Handler:
    """What the operator's desk shows about a handler, beside its code."""

    name: str
    handle: Handle
    replay_safe: bool
    runbook: str
    handle_batch: HandleBatch | None
    #: The newest format of the body that it reads; it reads every older one, too.
    version: int
    #: Checks a body as the handler does, before an edited one is sent; None where nothing does.
    validate: Validate | None
    #: What is missing until it has succeeded; `{order}` stands for "order X" or "its order".
    consequence: str = ""
    #: The same by the state of the order in the service, where that makes it another one.
    consequence_if: Mapping[str, str] = field(default_factory=dict)
