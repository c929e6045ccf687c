"""The operator's desk in the admin: Django finds its pages by these names."""

from failed_messages.admin.audit import AuditEntryAdmin
from failed_messages.admin.discards import DiscardJobAdmin
from failed_messages.admin.groups import FailureGroupAdmin
from failed_messages.admin.jobs import ReplayJobAdmin
from failed_messages.admin.messages import FailedMessageAdmin
from failed_messages.admin.pending import PendingActAdmin
from failed_messages.admin.policies import ReplayPolicyAdmin

__all__ = [
    "AuditEntryAdmin",
    "DiscardJobAdmin",
    "FailedMessageAdmin",
    "FailureGroupAdmin",
    "PendingActAdmin",
    "ReplayJobAdmin",
    "ReplayPolicyAdmin",
]
