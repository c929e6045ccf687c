"""The bodies of requests to the desk's API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from failed_messages.acting.editing import InvalidEdit, check_edit
from failed_messages.acting.job_control import DEFAULT_RATE, MOST_A_SECOND
from failed_messages.acting.policies import MOST_REPLAYS, wrong_choice, wrong_delays
from failed_messages.acting.triage import LIMITS_CHARS, STATUSES, wrong_changes
from failed_messages.api.refusals import TITLE, faults_of
from failed_messages.models import REASON_LABELS, FailedMessage, Status
from failed_messages.reading.filters import DURATION_PATTERN, Filter, InvalidFilter, duration
from messaging.service import services
from runtime.requests.faults import body_fault
from runtime.requests.json_body import JsonBody
from runtime.requests.no_body import no_body
from runtime.requests.refusal import Fault

IDS_LIMIT = 500


Ids = Annotated[list[str], Meta(min_length=1, max_length=IDS_LIMIT)]
#: As `duration` reads it, and policies want it.
Delay = Annotated[str, Meta(extra_json_schema={"pattern": DURATION_PATTERN})]


class Act(Struct, forbid_unknown_fields=True):
    """Replay, discard or restore one message; pause, resume or cancel a bulk replay."""

    reason: str = ""


class ReasonedAct(Struct, forbid_unknown_fields=True):
    """What discards a message, or stops its retries: the reason has to be given."""

    reason: Annotated[str, Meta(pattern=r"\S")]


class Edit(Struct, forbid_unknown_fields=True, rename="camel"):
    """Send an edited copy of one message."""

    body: str | dict[str, Any]
    reason: str = ""
    dry_run: bool = False


#: A fingerprint, or nothing; `faults_in_replay` and `wrong_choice` check it.
Group = Annotated[str, Meta(extra_json_schema={"pattern": r"^[^\x00]*$"})]


class Replay(Struct, forbid_unknown_fields=True, rename="camel"):
    """Replay those with these ids, or start the bulk replay of a group or a filter."""

    ids: Ids | UnsetType = UNSET
    group: Group = ""
    filter: str = ""
    reason: str = ""
    dry_run: bool = False
    rate_per_second: Annotated[int, Meta(ge=1, le=MOST_A_SECOND)] = DEFAULT_RATE


class Policy(Struct, forbid_unknown_fields=True):
    """Replay what fails in a service, or of a group, after each of these times."""

    after: Annotated[list[Delay], Meta(extra_json_schema={"minItems": 1, "maxItems": MOST_REPLAYS})]
    service: Annotated[str, Meta(extra_json_schema={"enum": ["", *services()]})] = ""
    group: Group = ""
    reason: Annotated[str, Meta(extra_json_schema={"enum": ["", *map(str, REASON_LABELS)]})] = ""


#: Empty, or an address; `triage` checks it.
LINK_PATTERN = r"^\s*([hH][tT][tT][pP][sS]?:|$)"


def described(name: str, **bounds: Any) -> Meta:
    """What `triage` wants of the field."""
    return Meta(extra_json_schema={"maxLength": LIMITS_CHARS[name], **bounds})


class Triage(Struct, forbid_unknown_fields=True, rename="camel"):
    """What operators find out about a group."""

    owner: Annotated[str, described("owner")] | UnsetType = UNSET
    note: Annotated[str, described("note")] | UnsetType = UNSET
    link: Annotated[str, described("link", pattern=LINK_PATTERN)] | UnsetType = UNSET
    status: Annotated[str, described("status", enum=[*STATUSES])] | UnsetType = UNSET
    fixed_in: Annotated[str, described("fixed_in")] | UnsetType = UNSET

    def changes(self) -> dict[str, str]:
        asked = {name: getattr(self, name) for name in LIMITS_CHARS}
        return {name: value for name, value in asked.items() if value is not UNSET}


#: A field's name in JSON -> `triage`'s.
TRIAGED = dict(zip(Triage.__struct_encode_fields__, Triage.__struct_fields__, strict=True))

TEXT_FIX = "Send text, for example {}."
IDS_FIX = f"Send an array of 1 to {IDS_LIMIT} ids; more go by group or filter."
AFTER_FIX = 'Send an array of times, for example ["15m", "1h", "6h"].'
REASON_FIX = 'Send "reason" with some words.'
EDIT_FIX = "Send a body that its handler takes."
ONE_OF_THEM = "Send exactly one of ids, group and filter."
REASON = {"reason": TEXT_FIX.format('"the price was missing"')}
GROUP = {"group": TEXT_FIX.format("a group's fingerprint")}
DRY_RUN = {"dryRun": "Send true or false, or leave it out."}

ACT = JsonBody(
    Act,
    TITLE,
    {"body": 'Send a JSON object like {"reason": "the price was missing"}.', **REASON},
    empty=Act(),
)
REASONED_ACT = JsonBody(
    ReasonedAct,
    TITLE,
    {"body": 'Send a JSON object like {"reason": "ordered twice"}.', "reason": REASON_FIX},
)
EDIT = JsonBody(
    Edit,
    TITLE,
    {
        "body": 'Send a JSON object like {"body": …, "reason": "the price was missing"}, in which '
        "`body` is the edited body: an object, or its text.",
        **REASON,
        **DRY_RUN,
    },
)
REPLAY = JsonBody(
    Replay,
    TITLE,
    {
        "body": 'Send a JSON object like {"filter": "service=billing&newerThan=24h"}, or with '
        "`ids` or a `group` in place of the filter.",
        "ids": IDS_FIX,
        "ids[]": IDS_FIX,
        "filter": TEXT_FIX.format('"service=billing&newerThan=24h"'),
        "ratePerSecond": f"Send a whole number from 1 to {MOST_A_SECOND}, without quotes.",
        **GROUP,
        **REASON,
        **DRY_RUN,
    },
)
POLICY = JsonBody(
    Policy,
    TITLE,
    {
        "body": 'Send a JSON object like {"service": "billing", "after": ["15m", "1h", "6h"]}.',
        "after": AFTER_FIX,
        "after[]": AFTER_FIX,
        "service": TEXT_FIX.format('"billing"'),
        "reason": TEXT_FIX.format('"attempts_used_up"'),
        **GROUP,
    },
)
TRIAGE = JsonBody(
    Triage,
    TITLE,
    {
        "body": f"Send a JSON object with any of {', '.join(Triage.__struct_encode_fields__)}.",
        **dict.fromkeys(Triage.__struct_encode_fields__, "Send text."),
    },
)
NOTHING = no_body(TITLE)


def text_of(body: str | dict[str, Any]) -> str:
    """An edited body: an object as it is, or its text to the letter."""
    return body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def faults_in_replay(fields: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong in the body beside its types; what is None is known to be wrong."""
    chosen = [name for name in ("ids", "group", "filter") if fields.get(name, "") != ""]
    if not chosen:
        yield body_fault(("filter",), "must be given, or ids, or a group", ONE_OF_THEM)
    for name in chosen[1:]:
        yield body_fault((name,), f"must not be given beside {chosen[0]}", ONE_OF_THEM)
    try:
        Filter.of_text(fields.get("filter") or "")
    except InvalidFilter as error:
        # The parameter is not a field of the body, so its name is told in words.
        named = "" if error.field == "filter" else f"{error.field} "
        yield body_fault(("filter",), f"{named}{error.detail}", error.fix)
    try:
        Filter.of({"group": fields.get("group") or "any"})
    except InvalidFilter as error:
        yield body_fault(("group",), error.detail, error.fix)


def faults_in_policy(fields: Mapping[str, Any]) -> Iterator[Fault]:
    """As `faults_in_replay`, of a policy."""
    group = "one" if fields.get("group", "") is None else fields.get("group", "")
    others = wrong_choice(fields.get("service") or "", group, fields.get("reason") or "")
    yield from of_right_fields(faults_of(others), fields)
    texts = fields.get("after")
    delays = []
    for index, text in enumerate(texts or ()):
        try:
            delays += [] if text is None else [duration(text)]
        except ValueError as error:
            yield body_fault(("after", index), str(error), AFTER_FIX)
    if texts is not None and len(delays) == len(texts):
        yield from faults_of(wrong_delays(delays))


def faults_in_triage(fields: Mapping[str, Any]) -> Iterator[Fault]:
    """As `faults_in_replay`, of what is known about a group."""
    known = {name: each for name, each in fields.items() if each is not None}
    # Where none is given `triage` says so, beside nothing else.
    if known:
        changes = {TRIAGED[name]: each for name, each in known.items()}
        yield from of_right_fields(faults_of(wrong_changes(changes)), fields)


def faults_in_edit(record: FailedMessage, fields: Mapping[str, Any]) -> Iterator[Fault]:
    """As `faults_in_replay`, of an edited copy of the record."""
    reason, body = fields.get("reason", ""), fields.get("body")
    if fields.get("dryRun", False) is False and reason is not None and not reason.strip():
        yield body_fault(("reason",), "must be given to edit", REASON_FIX)
    # Of any other record its state is told.
    if body is not None and record.status == Status.FAILED and not record.body_cut:
        try:
            check_edit(vars(record), text_of(body))
        except InvalidEdit as error:
            yield body_fault(("body",), str(error), EDIT_FIX)


def of_right_fields(faults: Iterable[Fault], fields: Mapping[str, Any]) -> Iterator[Fault]:
    """Without those of a field that is told to be wrong already."""
    return (each for each in faults if fields.get(each["field"], "") is not None)
