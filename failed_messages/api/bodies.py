"""The bodies of requests to the desk's API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from failed_messages.acting.job_control import DEFAULT_RATE, MOST_A_SECOND
from failed_messages.acting.policies import MOST_REPLAYS, wrong_choice
from failed_messages.acting.triage import LIMITS_CHARS, STATUSES
from failed_messages.api.refusals import TITLE, faults_of, refused, wrong_in_body
from failed_messages.models import REASON_LABELS
from failed_messages.reading.filters import DURATION_PATTERN, duration
from messaging.service import services
from runtime.requests.faults import MOST_FAULTS, body_fault
from runtime.requests.json_body import JsonBody
from runtime.requests.no_body import no_body
from runtime.requests.number import whole_number
from runtime.requests.refusal import Fault, Refusal

IDS_LIMIT = 500


#: Its items are looked at by `ids`; generators of clients want each array to say what is in it.
Ids = Annotated[
    list[Any],
    Meta(
        extra_json_schema={
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": IDS_LIMIT,
        }
    ),
]
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

    def text(self) -> str:
        """The edited body: an object as it is, or its text to the letter."""
        if isinstance(self.body, str):
            return self.body
        return json.dumps(self.body, ensure_ascii=False)


class Replay(Struct, forbid_unknown_fields=True, rename="camel"):
    """Replay those with these ids, or start the bulk replay of a group or a filter."""

    ids: Ids | UnsetType = UNSET
    group: str = ""
    filter: str = ""
    reason: str = ""
    dry_run: bool = False
    rate_per_second: Annotated[int, Meta(ge=1, le=MOST_A_SECOND)] = DEFAULT_RATE


class Policy(Struct, forbid_unknown_fields=True):
    """Replay what fails in a service, or of a group, after each of these times."""

    after: Annotated[list[Delay], Meta(extra_json_schema={"minItems": 1, "maxItems": MOST_REPLAYS})]
    service: Annotated[str, Meta(extra_json_schema={"enum": ["", *services()]})] = ""
    group: str = ""
    reason: Annotated[str, Meta(extra_json_schema={"enum": ["", *map(str, REASON_LABELS)]})] = ""

    def delays(self) -> list[timedelta]:
        """Raises Refusal: one is not a time like `15m`; it names what else is wrong, too."""
        faults: list[Fault] = []
        for index, text in enumerate(self.after):
            try:
                duration(text)
            except ValueError as error:
                faults.append(body_fault(("after", index), str(error), AFTER_FIX))
        if faults:
            others = wrong_choice(self.service, self.group.lower(), self.reason)
            raise Refusal(TITLE, [*faults, *faults_of(others)])
        return [duration(each) for each in self.after]


#: Empty, or an address; `triage` looks at it.
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


TEXT_FIX = "Send text, for example {}."
IDS_FIX = f"Send an array of 1 to {IDS_LIMIT} ids; more go by group or filter."
AFTER_FIX = 'Send an array of times, for example ["15m", "1h", "6h"].'
REASON = {"reason": TEXT_FIX.format('"the price was missing"')}
GROUP = {"group": TEXT_FIX.format("a group's fingerprint")}
DRY_RUN = {"dryRun": "Send true or false, or leave it out."}

FIXES_OF_ACT = {"body": 'Send a JSON object like {"reason": "the price was missing"}.', **REASON}
ACT = JsonBody(Act, TITLE, FIXES_OF_ACT, empty=Act())
#: For the API's description. It is read as an act, which says itself what the reason is for.
REASONED_ACT = JsonBody(ReasonedAct, TITLE, FIXES_OF_ACT)
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


def ids(chosen: list[Any]) -> list[str]:
    """A few ids, as they are. Raises Refusal."""
    if not 0 < len(chosen) <= IDS_LIMIT:
        raise wrong_in_body("ids", f"must be 1 to {IDS_LIMIT} ids", IDS_FIX)
    wrong = [index for index, each in enumerate(chosen) if not isinstance(each, str)]
    if wrong:
        told = wrong[:MOST_FAULTS]
        raise Refusal(TITLE, [body_fault(("ids", each), "must be text", IDS_FIX) for each in told])
    return chosen


def limit(parameters: Mapping[str, str], default: int, most: int) -> int:
    """How many items a list is to have. Raises Refusal."""
    try:
        return whole_number(parameters.get("limit", str(default)), most=most)
    except ValueError as error:
        fix = f"Send a number of items, for example limit={default}, or leave it out."
        raise refused("limit", str(error), fix) from error
