"""Failed messages are replayed: at once by many, by people who may not, and while processes die."""

from __future__ import annotations

import os
import pwd
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bson import ObjectId

from drills.checks.invariant import RECORDS
from drills.cluster.replica_set import Document
from drills.drill import Drill
from drills.faults.planted import plant_faults, remove_faults, retrying
from drills.run import Run
from drills.traffic.desk import Person, hire
from drills.traffic.placed import order_ids
from drills.traffic.tap import tapped
from drills.violation import Kind, Violation
from drills.waiting import wait_until

LEAST_FAILED = 16
FAILING_SECONDS = 300
AT_ONCE = 20
#: Slow enough that the processes die while it goes on.
REPLAYS_A_SECOND = 2
#: A bulk replay whose scheduler died goes on after its lease of 30 s; a message that was claimed
#: and not published is published after 30 s.
RESOLVED_SECONDS = 180
REASON = "the planted fault is gone"


def replay_failed_messages(run: Run) -> None:
    failing, other = run.chance.sample([*RECORDS], 2)
    with tapped(run, *(f"{service}_events" for service in RECORDS)) as tap:
        with run.faults.during(f"{failing} fails for some users"):
            fail_for_some(run, failing)
        before = records(run, other)
        run.measured["failed messages"] = len(failed_messages(run))
        hire(run.site, operator(run), trainee(run))
        boss = Person(run.site, operator(run))
        run.seen += nobody_else_may(run)
        one = failed_messages(run, type="order.placed")[-1]
        run.seen += one_of_many_is_granted(run, boss, one)
        replay_in_bulk(run, boss, failing)
        answers = tap.messages()
    run.seen += answered_once(failing, [one["order_id"]], answers)
    run.seen += not_twice(other, before.keys() & confirmed(run), answers)
    run.seen += untouched(run, other, before)


def operator(run: Run) -> str:
    return f"operator-{run.users[0]}"


def operators(run: Run) -> set[str]:
    """What the audit log may call the operator: in the browser, and on the command line."""
    user = pwd.getpwuid(os.getuid()).pw_name
    return {operator(run), f"{user} for {operator(run)}"}


def trainee(run: Run) -> str:
    return f"trainee-{run.users[0]}"


def fail_for_some(run: Run, service: str) -> None:
    """Until a good many messages have died, and nothing is tried again any more."""
    plant_faults(run, service)
    wait_until(lambda: len(failed_messages(run)) >= LEAST_FAILED, FAILING_SECONDS, "Failing")
    remove_faults(run)
    wait_until(lambda: not retrying(run, service), FAILING_SECONDS, "The last retries")


def failed_messages(run: Run, **wanted: Any) -> list[Document]:
    """Those of the run's orders, oldest first."""
    ids = order_ids(run.site.database, run.users)
    found = run.site.database["failed_messages"].find({"order_id": {"$in": ids}} | wanted)
    return list(found.sort("_id"))


def records(run: Run, service: str) -> dict[str, Document]:
    """What the service has recorded for the orders with a failed message, by order id."""
    ids = [failed["order_id"] for failed in failed_messages(run)]
    found = run.site.database[RECORDS[service]].find({"_id": {"$in": ids}})
    return {document["_id"]: document for document in found}


def nobody_else_may(run: Run) -> Iterator[Violation]:
    """Requests without a login or the permission are refused, and nothing changes."""
    before = failed_messages(run)
    one, group = str(before[0]["_id"]), before[0]["fingerprint"]
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        (f"/failed-messages/{one}/replay", {}),
        (f"/failed-messages/{one}/discard", {"reason": REASON}),
        ("/failed-messages/replay", {"ids": [one]}),
        ("/failed-messages/replay", {"group": group, "reason": REASON}),
    )
    for name in ("", trainee(run)):
        person = Person(run.site, name)
        for path, body in asked:
            if (status := person.post(path, body)) not in (401, 403):
                yield Violation(
                    Kind.ANSWER, f"{name or 'a client without login'} got {status} for {path}"
                )
    if failed_messages(run, _id={"$lte": before[-1]["_id"]}) != before:
        yield Violation(Kind.CONTRADICTION, "refused replays changed failed messages")


def one_of_many_is_granted(run: Run, boss: Person, one: Document) -> Iterator[Violation]:
    """The same message, many times at once: one is granted, all others hear of a conflict."""
    path, body = f"/failed-messages/{one['_id']}/replay", {"reason": REASON}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        statuses = Counter(threads.map(lambda _: boss.post(path, body), range(AT_ONCE)))
    if statuses != {200: 1, 409: AT_ONCE - 1}:
        yield Violation(Kind.TWICE, f"{AT_ONCE} replays at once were answered {dict(statuses)}")
    wait_until(lambda: not unresolved(run, [one["_id"]]), RESOLVED_SECONDS, "The first replay")
    if (again := boss.post(path, body)) != 409:
        yield Violation(Kind.TWICE, f"the replay of a resolved message was answered {again}")


def replay_in_bulk(run: Run, boss: Person, service: str) -> None:
    """Each cause twice at the same time, over HTTP and in a terminal, while processes die."""
    groups = sorted({each["fingerprint"] for each in failed_messages(run, status="failed")})
    with ThreadPoolExecutor(len(groups)) as terminals:
        for group in groups:
            whole = {"group": group, "reason": REASON, "ratePerSecond": REPLAYS_A_SECOND}
            boss.post("/failed-messages/replay", whole)
            terminals.submit(in_terminal, run, "--group", group, "--rate", str(REPLAYS_A_SECOND))
        kill_each(run, ["archiver", "scheduler", "web", *run.site.pipeline.workers(service)])
    wait_until(lambda: not going_on(run), RESOLVED_SECONDS, "The bulk replays")
    replay_what_was_left_out(run)
    wait_until(lambda: not unresolved(run), RESOLVED_SECONDS, "Resolving every failed message")


def kill_each(run: Run, names: list[str]) -> None:
    run.chance.shuffle(names)
    for name in names:
        with run.faults.during(f"kill -9 of {name} during a bulk replay"):
            run.kill(name)
            run.wait(0.1, 0.5)
            run.site.pipeline[name].start()
        run.wait(0.3, 1.5)


def in_terminal(run: Run, *what: str) -> None:
    command = ["failed_messages", "replay", *what, "--by", operator(run), "--reason", REASON]
    done = run.site.manage(*command)
    if done.returncode:
        refusal = f"`failed_messages replay` ended with {done.returncode}: {done.stdout[-500:]}"
        run.seen.append(Violation(Kind.ANSWER, refusal))


def going_on(run: Run) -> bool:
    """Whether a bulk replay of the run has not ended."""
    jobs = run.site.database["replay_jobs"]
    return jobs.find_one({"by": {"$in": [*operators(run)]}, "finished_at": None}) is not None


def replay_what_was_left_out(run: Run) -> None:
    """A bulk replay leaves out cancelled orders: whoever means those, too, names them."""
    left_out = [str(each["_id"]) for each in failed_messages(run, status="failed")]
    if left_out:
        in_terminal(run, *left_out)


def unresolved(run: Run, ids: list[ObjectId] | None = None) -> list[Document]:
    of_these = {"_id": {"$in": ids}} if ids else {}
    return failed_messages(run, status={"$ne": "resolved"}, **of_these)


def answered_once(service: str, orders: Collection[str], answers: list[Any]) -> Iterator[Violation]:
    """The service has answered each of these orders, and none twice."""
    answered = {id_.partition(":")[2] for id_ in told(service, answers)}
    for order_id in {*orders} - answered:
        yield Violation(Kind.LOST, f"nobody heard {service}'s answer for {order_id}")
    yield from not_twice(service, orders, answers)


def not_twice(service: str, orders: Collection[str], answers: list[Any]) -> Iterator[Violation]:
    """The service was heard, and no answer of it for these orders came twice."""
    heard = told(service, answers)
    if not heard:
        yield Violation(Kind.LOST, f"nobody heard an answer of {service}")
    for message_id, times in heard.items():
        if times > 1 and message_id.partition(":")[2] in orders:
            yield Violation(Kind.TWICE, f"{message_id} was published {times} times")


def told(service: str, answers: list[Any]) -> Counter[str]:
    """How often each answer of the service was published, by its id: `TYPE:ORDER`."""
    ids = Counter(str(answer.properties["message_id"]) for answer in answers)
    return Counter({id_: times for id_, times in ids.items() if id_.startswith(f"{service}.")})


def untouched(run: Run, service: str, before: dict[str, Document]) -> Iterator[Violation]:
    """What the service had recorded for confirmed orders is as it was."""
    since = records(run, service)
    for order_id in before.keys() & confirmed(run):
        if since.get(order_id) != before[order_id]:
            yield Violation(Kind.TWICE, f"{service} ran again for {order_id}: another one failed")


def confirmed(run: Run) -> set[str]:
    """Orders of the run that nobody cancelled or rejected: each service hears of them once."""
    return set(order_ids(run.site.database, run.users, status={"$in": ["confirmed", "shipped"]}))


def resolved_and_audited(run: Run) -> Iterator[Violation]:
    """Each failed message is resolved, and the audit log says who replayed it, once."""
    log = audit_log(run)
    for failed in failed_messages(run):
        subject, state = f"failed message {failed['_id']}", failed["status"]
        if state != "resolved" or failed["resolved_by"] not in operators(run):
            yield Violation(Kind.LOST, f"{subject} is {state} by {failed['resolved_by']!r}")
        acts = log.pop(str(failed["_id"]), [])
        if acts != [("replay", failed["resolved_by"])]:
            yield Violation(Kind.TWICE, f"{subject} has the audit entries {acts}")
    for job in run.site.database["replay_jobs"].find({"by": {"$in": [*operators(run)]}}):
        acts = log.pop(str(job["_id"]), [])
        if acts != [("bulk replay", job["by"]), ("done", "bulk replay")]:
            yield Violation(Kind.CONTRADICTION, f"{job['selection']} has the audit entries {acts}")


def audit_log(run: Run) -> dict[str, list[tuple[str, str]]]:
    """What was done by whom, oldest first, by the id of what it was done to."""
    log = defaultdict(list)
    for entry in run.site.database["failed_messages_audit"].find().sort("at"):
        log[entry["subject_id"]].append((entry["act"], entry["by"]))
    return log


DRILL = Drill(
    name="failed-message-replays",
    promises=(5, 9),
    promise="A replay is safe, authorised, audited and happens once, also if processes die",
    inject=replay_failed_messages,
    check=resolved_and_audited,
    orders=360,
    traffic_seconds=18,
)
