"""Scheduled replay: after 15 minutes, an hour, six hours; then an operator has to act.

Off until an operator sets a policy for a service or a group. What a policy replays obeys every
guard: never a handler that is not safe to replay, never an order that has moved on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from failed_messages.acting.replay import replay
from failed_messages.acting.second_person import POLICY, ask_if_needed
from failed_messages.models import REASON_LABELS, PartState, Status
from failed_messages.reading.next_step import replay_safe_types
from failed_messages.records import audit
from failed_messages.records.collection import failed_messages, failure_groups, replay_policies
from failed_messages.records.invalid_request import Invalid, refuse
from messaging.isolation import isolated
from messaging.service import services
from runtime.moment import exact
from runtime.mongodb_clock import mongodb_now
from runtime.requests.text import fault_in
from runtime.transactions import in_transaction

#: Messages that one run replays for one policy and one delay; the next run takes the rest.
MESSAGES_A_RUN = 100
SHORTEST_DELAY_SECONDS = 60
LONGEST_DELAY_SECONDS = 7 * 86_400
MOST_REPLAYS = 10


CANNOT_APPLY = (
    "The policy of %s cannot be applied, so nothing of it is replayed; the others are applied. Set "
    "it anew with `python manage.py failed_messages policy`, or switch it off."
)

log = logging.getLogger(__name__)


class InvalidPolicy(Invalid):
    """A policy cannot be set so."""


def set_policy(
    by: str,
    *,
    delays: Sequence[timedelta],
    service: str = "",
    group: str = "",
    reason: str = "",
    approved: bool = False,
) -> str:
    """Replay what fails in a service, or of a group, after each of the delays.

    Args:
        group: its fingerprint, in small letters or in capitals.
        approved: whether a second person has approved it already.

    Returns: the policy's scope, which names it.

    Raises:
        InvalidPolicy: a value is not one that there is.
        Waits: a second person has to approve it first.
    """
    group = group.lower()
    check(delays, service, group, reason)
    scope = f"service {service}" if service else f"group {group}"
    policy = {
        "service": service,
        "group": group,
        "reason": reason,
        "delays_seconds": seconds_of(delays),
        "enabled": True,
    }
    known = replay_policies().find_one({"_id": scope})
    if not approved and not is_same(known, policy):
        asked = {"service": service, "group": group, "diedFor": reason}
        ask_if_needed(POLICY, _due_now(policy), by, "", **asked, seconds=policy["delays_seconds"])
    in_transaction(partial(_write, scope, policy, by))
    return scope


def is_same(known: Mapping[str, Any] | None, policy: Mapping[str, Any]) -> bool:
    """Whether the stored policy is this one, and on."""
    return known is not None and all(
        name in known and known[name] == value for name, value in policy.items()
    )


def seconds_of(delays: Sequence[timedelta]) -> list[int]:
    """The delays as they are stored."""
    return [round(delay.total_seconds()) for delay in delays]


def in_words(policy: Mapping[str, Any]) -> str:
    """`after 15 min, 60 min, set by anna at 2026-11-28 19:00:12 UTC`, of a stored policy."""
    stored = policy.get("delays_seconds") or ()
    delays = ", ".join(f"{seconds / 60:g} min" for seconds in stored) or "no delay"
    reason = f" of {policy['reason']}" if policy.get("reason") else ""
    state = "set" if policy.get("enabled") else "ended"
    at = f" at {exact(policy['at'])}" if policy.get("at") else ""
    return f"after {delays}{reason}, {state} by {policy.get('by') or 'nobody known'}{at}"


def switch_off(scope: str, by: str) -> bool:
    """End a policy. Returns: False where there is none that is on."""
    return in_transaction(partial(_switch_off, scope, by))


def apply_policies() -> int:
    """Replay what is due; the scheduler runs this every 30 s.

    Returns: how many messages it took up.
    """
    taken_up = 0
    for policy in list(replay_policies().find({"enabled": True}).sort("_id", 1)):
        with isolated(log, CANNOT_APPLY, policy["_id"]):
            for index, delay in enumerate(policy["delays_seconds"]):
                taken_up += _apply(policy, index, delay)
    return taken_up


def failed_of(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Finds what is failed now and the policy's to replay."""
    return {
        **({"service": policy["service"]} if policy["service"] else {}),
        **({"fingerprint": policy["group"]} if policy["group"] else {}),
        **({"reason": policy["reason"]} if policy["reason"] else {}),
        "status": Status.FAILED,
    }


def _due_now(policy: Mapping[str, Any]) -> int:
    return failed_messages().count_documents(failed_of(policy))


def _apply(policy: dict[str, Any], replays_before: int, delay_seconds: int) -> int:
    due = mongodb_now() - timedelta(seconds=delay_seconds)
    wanted = {
        **failed_of(policy),
        # In the query: what no policy may replay stays failed, and would come first each time.
        "type": {"$in": replay_safe_types(_service_of(policy))},
        "last_failed_at": {"$lte": due},
        # By a clock that is behind it failed long ago.
        "archived_at": {"$not": {"$gt": due}},
        "scheduled_replays": replays_before,
        "body_cut": False,
        "job_state": {"$ne": PartState.WAITING},
    }
    found = failed_messages().find(wanted, {"_id": True}).limit(MESSAGES_A_RUN)
    ids = [each["_id"] for each in found]
    _count_replay(ids, replays_before)
    replay(ids, f"policy of {policy['_id']}", approved=True)
    return len(ids)


def _service_of(policy: Mapping[str, Any]) -> str:
    """Of the messages that it is about; empty where its group is not known."""
    if policy["service"]:
        return str(policy["service"])
    group = failure_groups().find_one({"_id": policy["group"]}, {"service": True})
    return str(group["service"]) if group else ""


def _count_replay(ids: list[ObjectId], replays_before: int) -> None:
    """Before the replay, so that a crash costs one rather than adds one."""
    if ids:
        failed_messages().update_many(
            {"_id": {"$in": ids}, "scheduled_replays": replays_before},
            {"$inc": {"scheduled_replays": 1}},
        )


def check(delays: Sequence[timedelta], service: str, group: str, reason: str) -> None:
    """Raises InvalidPolicy: a value is not one that there is."""
    refuse([*wrong_choice(service, group, reason), *wrong_delays(delays)])


def wrong_choice(service: str, group: str, reason: str) -> Iterator[InvalidPolicy]:
    """What of a policy's messages cannot be chosen."""
    if bool(service) == bool(group):
        fix = "Name either a service or a group."
        yield InvalidPolicy("service", "must be given, or a group, and not both", fix)
    if service and service not in services():
        detail = f"must be one of {', '.join(services())}"
        yield InvalidPolicy("service", detail, "Name one of them.")
    if fault := fault_in(group):
        yield InvalidPolicy("group", fault, "Name a group by its fingerprint.")
    if reason and reason not in REASON_LABELS:
        detail = f"must be one of {', '.join(REASON_LABELS)}"
        yield InvalidPolicy("reason", detail, "Name one of them, or none.")


def wrong_delays(delays: Sequence[timedelta]) -> Iterator[InvalidPolicy]:
    """What is wrong with when it replays."""
    if not 1 <= len(delays) <= MOST_REPLAYS:
        detail = f"must be 1 to {MOST_REPLAYS} delays"
        yield InvalidPolicy("after", detail, "Name some, for example 15m, 1h and 6h.")
    seconds = [each.total_seconds() for each in delays]
    if not all(SHORTEST_DELAY_SECONDS <= each <= LONGEST_DELAY_SECONDS for each in seconds):
        yield InvalidPolicy("after", "must be delays from 1m to 7d", "Name others.")


def _write(scope: str, policy: dict[str, Any], by: str, session: ClientSession) -> None:
    known = replay_policies().find_one({"_id": scope}, session=session)
    if is_same(known, policy):
        return
    before = replay_policies().find_one_and_update(
        {"_id": scope},
        {"$set": {**policy, "by": by, "at": mongodb_now()}},
        upsert=True,
        session=session,
    )
    was = {name: before.get(name) for name in policy} if before else {}
    audit.note(session, "set policy", audit.POLICY, scope, by=by, before=was, after=policy)


def _switch_off(scope: str, by: str, session: ClientSession) -> bool:
    updated = replay_policies().update_one(
        {"_id": scope, "enabled": True},
        {"$set": {"enabled": False, "by": by, "at": mongodb_now()}},
        session=session,
    )
    if not updated.modified_count:
        return False
    before, after = {"enabled": True}, {"enabled": False}
    audit.note(session, "end policy", audit.POLICY, scope, by=by, before=before, after=after)
    return True
