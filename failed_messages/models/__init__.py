"""What the desk stores, as the admin and the migrations see it."""

from failed_messages.models.act_alone import ActAlone
from failed_messages.models.audit_entry import AppendOnly, AuditEntry, Subject
from failed_messages.models.discard_job import DiscardJob, DiscardState
from failed_messages.models.failed_message import Act, FailedMessage, Replay, Status
from failed_messages.models.failure_count import FailureCount
from failed_messages.models.failure_group import FailureGroup, GroupStatus
from failed_messages.models.pending_act import PendingAct, PendingState
from failed_messages.models.reasons import REASON_LABELS, reason_label
from failed_messages.models.replay_job import JobState, PartState, ReplayJob
from failed_messages.models.replay_policy import ReplayPolicy

__all__ = [
    "REASON_LABELS",
    "Act",
    "ActAlone",
    "AppendOnly",
    "AuditEntry",
    "DiscardJob",
    "DiscardState",
    "FailedMessage",
    "FailureCount",
    "FailureGroup",
    "GroupStatus",
    "JobState",
    "PartState",
    "PendingAct",
    "PendingState",
    "Replay",
    "ReplayJob",
    "ReplayPolicy",
    "Status",
    "Subject",
    "reason_label",
]
