"""What clients are told of failed messages; `failed_messages.reading.representation` makes it."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from runtime.requests.cursor import Next

Time = Annotated[str, Meta(description="RFC 3339, in UTC.", examples=["2026-11-28T12:00:00.000Z"])]
RecordId = Annotated[str, Meta(description="24 hexadecimal digits.", examples=["6743" + "0" * 20])]
RetryId = Annotated[
    str,
    Meta(
        description="The order's id, and what tells its retries apart.",
        examples=["6743" + "0" * 20 + "-0123456789ab"],
    ),
]
Fingerprint = Annotated[
    str, Meta(description="The group's fingerprint.", examples=["0123456789abcdef"])
]


class FailedMessage(TypedDict):
    """A message that a service gave up."""

    id: RecordId
    service: str
    type: str
    orderId: str
    userId: str
    messageId: str
    reason: str
    exception: str
    message: str
    attempts: int
    group: Fingerprint
    status: str
    firstFailedAt: Time | None
    lastFailedAt: Time | None


class FailedMessagePage(TypedDict):
    """Failed messages, newest first."""

    items: list[FailedMessage]
    next: Next


class LatestReplay(TypedDict):
    """The latest replay."""

    id: str
    by: str
    at: Time | None
    publishedAt: Time | None


class HistoryLine(TypedDict):
    """One act on a failed message."""

    at: Time | None
    by: str
    act: str
    reason: str
    detail: str


class FailedMessageDetails(FailedMessage):
    """Everything about a failed message."""

    body: str
    bodyBytes: int
    bodyCut: Annotated[bool, Meta(description="Whether only the body's beginning was kept.")]
    contentType: str
    correlationId: str
    properties: dict[str, Any]
    headers: dict[str, Any]
    certificates: Annotated[
        list[dict[str, Any]], Meta(description="Why and how it died, the newest first.")
    ]
    replay: LatestReplay | None
    resolvedAt: Time | None
    resolvedBy: str
    discardedAt: Time | None
    discardedBy: str
    discardReason: str
    parent: Annotated[str | None, Meta(description="The message that this is an edited copy of.")]
    editedAs: list[RecordId]
    expiresAt: Time | None
    history: list[HistoryLine]


class FailureGroup(TypedDict):
    """Failures of one cause, with their figures."""

    fingerprint: Fingerprint
    service: str
    exception: str
    reason: str
    frame: str
    pattern: str
    example: str
    release: str
    failedNow: int
    deaths: int
    orders: int
    ordersAreAtLeast: bool
    value: str
    deathsByHour: list[int]
    firstFailedAt: Time | None
    lastFailedAt: Time | None
    status: str
    fixedIn: str
    regressedAt: Time | None
    owner: str
    note: str
    link: str


class FailureGroups(TypedDict):
    """Groups, that with the newest failure first."""

    items: list[FailureGroup]
    next: Next


class BulkReplay(TypedDict):
    """A replay of many messages, as far as it is."""

    id: RecordId
    by: str
    at: Time | None
    reason: str
    filter: str
    ratePerSecond: int
    state: str
    why: Annotated[str, Meta(description="Why it stopped by itself.")]
    finishedAt: Time | None
    messages: Annotated[dict[str, int], Meta(description="How many, by what became of them.")]


class BulkReplays(TypedDict):
    """A page of them, the newest first."""

    items: list[BulkReplay]
    next: Next


class ReplayPolicy(TypedDict):
    """What is replayed by itself, and after which times."""

    scope: str
    service: str
    group: str
    reason: str
    afterSeconds: list[int]
    enabled: bool
    by: str
    at: Time | None


class ReplayPolicies(TypedDict):
    """A page of them, what was set last first."""

    items: list[ReplayPolicy]
    next: Next


class Verdict(TypedDict):
    """What became of one message that was acted on."""

    id: str
    done: bool
    detail: str


class RetryVerdict(TypedDict):
    """What became of a message that waited for its next attempt."""

    id: RetryId
    done: bool
    detail: str


class Verdicts(TypedDict):
    """One for each message."""

    items: list[Verdict]


class LeftOut(TypedDict):
    """Messages that a replay leaves out, by why."""

    cancelled: int
    stale: int
    cut: int


class ReplayPreview(TypedDict):
    """What a replay amounts to, before it is done."""

    messages: int
    services: Annotated[dict[str, int], Meta(description="Messages, by the service they go to.")]
    orders: int
    value: str
    leftOut: LeftOut
    isAtLeast: bool
    sentences: list[str]


class EditPreview(TypedDict):
    """How the edited body differs, line by line; `+` and `-` begin the lines that do."""

    diff: list[str]


class PendingAct(TypedDict):
    """An act that waits for a second person, or has been decided."""

    id: RecordId
    act: str
    messages: int
    by: str
    at: Time | None
    reason: str
    arguments: dict[str, Any]
    state: str
    decidedBy: str
    outcome: str


class PendingActs(TypedDict):
    """A page of them, the newest first."""

    items: list[PendingAct]
    next: Next


class Waiting(TypedDict):
    """Nothing was done: another person has to approve it."""

    pending: RecordId
    detail: str
