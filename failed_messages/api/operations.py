"""The desk's routes, for their clients."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from failed_messages.api.bodies import (
    ACT,
    EDIT,
    NOTHING,
    POLICY,
    REASONED_ACT,
    REPLAY,
    TRIAGE,
)
from failed_messages.api.operation_examples import (
    GROUP,
    JOB,
    MESSAGE,
    MESSAGE_DETAILS,
    PENDING,
    POLICY_SET,
    PREVIEW,
)
from failed_messages.api.parameters import GroupFilters, MessageFilters
from failed_messages.problem_types import NOT_IN_THIS_STATE, PERSON_UNKNOWN
from failed_messages.reading import answers
from runtime.requests.json_body import JsonBody
from runtime.requests.newest_first import PageFilters
from runtime.requests.operation import Answer, Link, Operation
from runtime.requests.problem_types import NOT_FOUND

ID = {"id_": answers.RecordId}
GROUP_ID = {"fingerprint": answers.Fingerprint}
CONTROL = {**ID, "what": Literal["pause", "resume", "cancel"]}
DECISION = {**ID, "what": Literal["approve", "reject"]}
SCOPE = {"scope": Annotated[str, Meta(description="Of the policy.", examples=["service billing"])]}
DONE: dict[str, Any] = {
    "id": "674300000000000000000001",
    "done": True,
    "detail": "replayed to billing only",
}
WAITS = Answer(
    "Nothing was done: a second person has to approve it (SECOND_PERSON_ABOVE).",
    answers.Waiting,
    {
        "pending": "674300000000000000000005",
        "detail": "nothing was done yet: another person with the permission has to approve it, "
        "as act 674300000000000000000005.",
    },
)


def page(type_: Any, example: Any, *links: Link) -> dict[int, Answer]:
    shown = {"items": [example], "next": None}
    return {200: Answer("A page of them.", type_, shown, links=links)}


OF_A_MESSAGE = ("getFailedMessage", "replayFailedMessage", "discardFailedMessage")
OF_A_GROUP = ("getFailureGroup", "triageFailureGroup")


LIST = Operation(
    id="listFailedMessages",
    summary="List failed messages, newest first",
    query=MessageFilters,
    answers=page(answers.FailedMessagePage, MESSAGE, Link("id", "/items/0/id", OF_A_MESSAGE)),
)
SHOW = Operation(
    id="getFailedMessage",
    summary="Everything about one failed message",
    path=ID,
    answers={200: Answer("The message.", answers.FailedMessageDetails, MESSAGE_DETAILS)},
)


def act(verb: str, summary: str, example: Any, detail: str, body: JsonBody[Any] = ACT) -> Operation:
    return Operation(
        id=f"{verb}FailedMessage",
        summary=summary,
        path=ID,
        body=body,
        example=example,
        answers={
            200: Answer("It is done.", answers.Verdict, {**DONE, "detail": detail}),
            202: WAITS,
        },
        problems=(NOT_IN_THIS_STATE, PERSON_UNKNOWN),
    )


#: By the last part of the address.
ACTS = {
    "replay": act(
        "replay",
        "Send a failed message to its service once more, to no other",
        {"reason": "the price was missing"},
        DONE["detail"],
    ),
    "discard": act(
        "discard",
        "Give a failed message up, with the reason",
        {"reason": "ordered twice"},
        "discarded",
        REASONED_ACT,
    ),
    "restore": act("restore", "Take a discarded message back", {"reason": "a mistake"}, "restored"),
    "edit": Operation(
        id="editFailedMessage",
        summary="Replay a corrected copy of a failed message",
        description="Needs `failed-messages:replay` as well. The order and its money stay; of an "
        "order that is not one of this site also the user, SKUs and quantities, where they are "
        "valid. With `dryRun` nothing is sent, and the answer shows what differs.",
        path=ID,
        body=EDIT,
        example={"body": MESSAGE_DETAILS["body"], "reason": "the price was missing"},
        answers={
            200: Answer(
                "The copy is sent; with `dryRun`, what differs.",
                (answers.Verdict, answers.EditPreview),
                {**DONE, "detail": "replayed to billing only, as 674300000000000000000002"},
            ),
            202: WAITS,
        },
        problems=(NOT_IN_THIS_STATE, PERSON_UNKNOWN),
    ),
}
RETRY_ID = {"id_": answers.RetryId}
RETRY = {"id": f"{'6743' + '0' * 20}-0123456789ab", "done": True}
TOO_LATE = "409 says that it came too late: the attempt runs, or the message is settled."
#: On a message that waits for its next attempt, by the last part of the address.
OF_RETRIES = {
    "retry-now": Operation(
        id="retryNow",
        summary="Run the next attempt of a message now",
        description=f"The order's timeline has the `retryId`. {TOO_LATE}",
        path=RETRY_ID,
        body=ACT,
        example={"reason": "the card service is back"},
        answers={
            200: Answer("It is done.", answers.RetryVerdict, {**RETRY, "detail": "sent to billing"})
        },
        problems=(NOT_FOUND, NOT_IN_THIS_STATE),
    ),
    "stop-retrying": Operation(
        id="stopRetrying",
        summary="Make a message that waits for its next attempt a failed message",
        description=f"The order's timeline has the `retryId`. {TOO_LATE}",
        path=RETRY_ID,
        body=REASONED_ACT,
        example={"reason": "the card was blocked"},
        answers={
            200: Answer(
                "It is done.",
                answers.RetryVerdict,
                {
                    **RETRY,
                    "detail": "stopped; the worker of billing makes it a failed message now",
                },
            )
        },
        problems=(NOT_FOUND, NOT_IN_THIS_STATE),
    ),
}
REPLAY_MANY = Operation(
    id="replayFailedMessages",
    summary="Replay some failed messages, a group, or all that a filter finds",
    description="`ids` are replayed at once; a `group` or a `filter` becomes a bulk replay. With "
    "`dryRun` nothing is sent, and the answer shows what a replay amounts to.",
    body=REPLAY,
    example={"filter": "service=billing&newerThan=24h", "reason": "the price was missing"},
    answers={
        200: Answer(
            "The messages with these ids, one by one; with `dryRun`, the preview.",
            (answers.Verdicts, answers.ReplayPreview),
            PREVIEW,
        ),
        202: Answer(
            "The bulk replay has begun, or waits for a second person.",
            (answers.BulkReplay, answers.Waiting),
            JOB,
            links=(Link("id", "/id", ("getBulkReplay",)),),
        ),
    },
    problems=(NOT_FOUND, PERSON_UNKNOWN),
)
LIST_GROUPS = Operation(
    id="listFailureGroups",
    summary="List the groups of failures, that with the newest failure first",
    query=GroupFilters,
    answers=page(
        answers.FailureGroups, GROUP, Link("fingerprint", "/items/0/fingerprint", OF_A_GROUP)
    ),
)
SHOW_GROUP = Operation(
    id="getFailureGroup",
    summary="A group of failures with its figures",
    path=GROUP_ID,
    answers={200: Answer("The group.", answers.FailureGroup, GROUP)},
)
TRIAGE_GROUP = Operation(
    id="triageFailureGroup",
    summary="Note what is known about a group",
    description="What is not given stays as it is.",
    path=GROUP_ID,
    body=TRIAGE,
    example={"owner": "billing team", "note": "the card service was down"},
    answers={
        200: Answer(
            "The group as it now is.",
            answers.FailureGroup,
            {**GROUP, "owner": "billing team", "note": "the card service was down"},
        )
    },
)
LIST_JOBS = Operation(
    id="listBulkReplays",
    summary="List bulk replays, the newest first",
    query=PageFilters,
    answers=page(answers.BulkReplays, JOB, Link("id", "/items/0/id", ("getBulkReplay",))),
)
SHOW_JOB = Operation(
    id="getBulkReplay",
    summary="One bulk replay, as far as it is",
    path=ID,
    answers={200: Answer("The bulk replay.", answers.BulkReplay, JOB)},
)
CONTROL_JOB = Operation(
    id="controlBulkReplay",
    summary="Pause, resume or cancel a bulk replay",
    path=CONTROL,
    body=ACT,
    example={"reason": "billing is down"},
    answers={
        200: Answer("The bulk replay as it now is.", answers.BulkReplay, {**JOB, "state": "paused"})
    },
    problems=(NOT_IN_THIS_STATE,),
)
LIST_POLICIES = Operation(
    id="listReplayPolicies",
    summary="List what is replayed by itself, what was set last first",
    query=PageFilters,
    answers=page(answers.ReplayPolicies, POLICY_SET),
)
SET_POLICY = Operation(
    id="setReplayPolicy",
    summary="Replay by itself what fails in a service, or of a group",
    body=POLICY,
    example={"service": "billing", "after": ["15m", "1h", "6h"]},
    answers={
        200: Answer(
            "The policy.",
            answers.ReplayPolicy,
            POLICY_SET,
            links=(Link("scope", "/scope", ("switchOffReplayPolicy",)),),
        ),
        202: WAITS,
    },
    problems=(NOT_FOUND, PERSON_UNKNOWN),
)
END_POLICY = Operation(
    id="switchOffReplayPolicy",
    summary="Stop replaying it by itself",
    path=SCOPE,
    body=NOTHING,
    answers={
        200: Answer(
            "The policy, switched off.", answers.ReplayPolicy, {**POLICY_SET, "enabled": False}
        )
    },
)
LIST_PENDING = Operation(
    id="listPendingActs",
    summary="List the acts that wait for a second person",
    query=PageFilters,
    answers=page(answers.PendingActs, PENDING),
)
DECIDE = Operation(
    id="decidePendingAct",
    summary="Approve or reject an act of another person",
    description="Needs the scopes of the act as well. A key may reject, and a person approve.",
    path=DECISION,
    body=NOTHING,
    answers={
        200: Answer(
            "The act as it now is.",
            answers.PendingAct,
            {**PENDING, "state": "rejected", "decidedBy": "grace"},
        )
    },
    problems=(NOT_IN_THIS_STATE,),
)
