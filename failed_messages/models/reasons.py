"""The reasons of a death in words."""

from __future__ import annotations

from messaging.certificate import Reason

#: Why a message died, in an operator's words; forms list them in this order.
REASON_LABELS: dict[str, str] = {
    Reason.ATTEMPTS_USED_UP: "Every attempt failed",
    Reason.STOPPED: "Somebody stopped its retries",
    Reason.PERMANENT_ERROR: "A retry cannot help",
    Reason.INVALID_BODY: "The body is not what the handler needs",
    Reason.UNDECODABLE: "The body is not readable",
    Reason.UNKNOWN_TYPE: "No handler for this type",
    Reason.INVALID_PROPERTIES: "Properties or headers are invalid",
    Reason.TOO_LARGE: "Too large",
    Reason.TIME_LIMIT: "Ran into the time limit",
    Reason.UNROUTABLE: "No queue for what it publishes",
    Reason.DELIVERY_LIMIT: "Its worker was killed each time",
    Reason.UNTRUSTED_PUBLISHER: "Its publisher may not publish it",
    Reason.CONTRADICTS_RECORD: "Not what the publishing service stored",
    Reason.RETURNED: "Came back too often without an outcome",
    Reason.REJECTED: "Rejected without a certificate",
    Reason.EXPIRED: "Waited too long in the queue",
    Reason.QUEUE_FULL: "The queue was full",
}


def reason_label(reason: str) -> str:
    """The reason in words; one that only a newer release knows, as it is called there."""
    return REASON_LABELS.get(reason, reason)
