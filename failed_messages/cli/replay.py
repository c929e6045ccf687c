"""The verbs `replay` and `jobs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bson import ObjectId

from failed_messages.acting.job_control import CONTROLS, DEFAULT_RATE, control, start, why_not
from failed_messages.acting.replay import replay
from failed_messages.cli.arguments import (
    add_filter,
    add_verb,
    add_who,
    items_shown,
    selected,
)
from failed_messages.cli.terminal import Refusal, Terminal
from failed_messages.models import ReplayJob
from failed_messages.reading.act_result import record_id
from failed_messages.reading.preview import Preview, preview, preview_of
from failed_messages.reading.representation import job_json
from messaging.readable_records import listed
from runtime.terminal import printable

JOBS_LIMIT = 20
COLUMNS = ("id", "state", "filter", "ratePerSecond", "by", "at")


def add_replay(verbs: Any) -> None:
    verb = add_verb(verbs, "replay", "send failed messages to their service again", run_replay)
    verb.add_argument("ids", nargs="*", metavar="ID", help="ids, as `list` shows them")
    verb.add_argument(
        "--group", metavar="FINGERPRINT", help="the failed messages of this failure group"
    )
    add_filter(verb)
    verb.add_argument("--dry-run", action="store_true", help="only show what would happen")
    verb.add_argument(
        "--rate",
        type=int,
        default=DEFAULT_RATE,
        metavar="N",
        help="of a bulk replay: messages a second; default %(default)s",
    )
    add_who(verb)


def run_replay(options: dict[str, Any], terminal: Terminal) -> None:
    ways = [way for way in ("ids", "group", "filter") if options[way]]
    if len(ways) != 1:
        raise Refusal("name the messages: ids, --group FINGERPRINT, or --filter service=billing")
    if options["dry_run"]:
        known = _preview(options)
        terminal.show(known.json(), known.sentences())
    elif ways == ["ids"]:
        terminal.verdicts(replay(options["ids"], options["by"], options["reason"]))
    else:
        _start(options, terminal)


def _preview(options: dict[str, Any]) -> Preview:
    if not options["ids"]:
        return preview(selected(options))
    return preview_of([key for key in map(record_id, options["ids"]) if key])


def _start(options: dict[str, Any], terminal: Terminal) -> None:
    selection = selected(options)
    known = preview(selection)
    id_ = start(selection, options["by"], options["reason"], options["rate"])
    told = f"Started bulk replay {id_}; watch it with `failed_messages jobs {id_}`."
    terminal.show(job_json(_job(str(id_))), [*known.sentences(), told])


def add_jobs(verbs: Any) -> None:
    verb = add_verb(verbs, "jobs", "bulk replays: list, show, pause, resume or cancel", run_jobs)
    verb.add_argument(
        "id", nargs="?", metavar="ID", help="one bulk replay; without it the newest are listed"
    )
    verb.add_argument("what", nargs="?", choices=tuple(CONTROLS), help="pause, resume or cancel it")
    verb.add_argument(
        "--limit",
        type=items_shown,
        default=JOBS_LIMIT,
        help="how many bulk replays; default %(default)s",
    )
    add_who(verb)


def run_jobs(options: dict[str, Any], terminal: Terminal) -> None:
    if options["id"] is None:
        newest = ReplayJob.objects.all()[: options["limit"]]
        jobs = listed(newest, job_json, lambda each: f"bulk replay {each.pk}")
        terminal.items(jobs, COLUMNS, "No bulk replays.")
        return
    job = _job(options["id"])
    if what := options["what"]:
        if not control(job.pk, what, options["by"], options["reason"]):
            raise Refusal(why_not(job.pk, what))
        job.refresh_from_db()
    terminal.show(told := job_json(job), job_lines(told))


def _job(id_: str) -> ReplayJob:
    job = ReplayJob.objects.filter(pk=id_).first() if ObjectId.is_valid(id_) else None
    if job is None:
        raise Refusal(
            f"{printable(id_)} is not a bulk replay; `failed_messages jobs` shows them all"
        )
    return job


def job_lines(job: Mapping[str, Any]) -> Iterator[str]:
    """How far a bulk replay is; `job` is its JSON."""
    counts = job["messages"]
    total = sum(counts.values())
    yield f"Bulk replay {job['id']}: {job['state']}, {counts['resolved']:,} of {total:,} resolved"
    if job["why"]:
        yield job["why"]
    yield f"{job['filter']}, at most {job['ratePerSecond']} a second, by {job['by']}"
    yield from (f"{state}: {count:,}" for state, count in counts.items() if count)
