"""Endpoints of which some are slow, broken or hang, while the processes of webhooks are killed.

Webhooks are turned on before the traffic begins, as docs/webhooks.md says.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from urllib.request import Request, urlopen

from drills.checks.recovery import when
from drills.cluster.pipeline import kind_of
from drills.drill import Drill
from drills.run import Run
from drills.traffic.placed import order_ids
from drills.traffic.receivers import ALIVE, BEHAVIOURS, Received, Receivers
from drills.violation import Kind, Violation
from localservices.pipeline import ROOT, lines_of

NAME = "webhooks"
TYPE = "order.placed"
WORKERS = ("webhooks-1", "webhooks-2")
DELIVERERS = ("deliverer-1", "deliverer-2")
#: Of each behaviour.
ENDPOINTS = {"good": 6, "slow": 2, "failing_at_times": 2, "broken": 3, "hanging": 3}
KILLS = 8
#: Of a good endpoint, from the order's event to the first request, while others hang and processes
#: are killed: another process takes over when a lease ends.
SOON_SECONDS = 75.0
ANSWER_SECONDS = 10

#: The receivers of each run, by its folder, and the secret of each path.
_listening: dict[str, Receivers] = {}
_secrets: dict[str, dict[str, str]] = defaultdict(dict)


def turn_on(run: Run) -> None:
    """Set WEBHOOKS for every process, start two more kinds, and make the endpoints."""
    site = run.site
    site.manage("declare_topology", WEBHOOKS="true").check_returncode()
    for process in site.pipeline.processes.values():
        process.env = {**(process.env or {}), "WEBHOOKS": "true"}
    names = [*site.pipeline.processes]
    site.pipeline.stop(names)
    commands = lines_of(ROOT / f"Procfile.{NAME}")
    for name in (*WORKERS, *DELIVERERS):
        command = commands[kind_of(name)].replace("@%h", f"-{name}@%h")
        site.pipeline.add(name, command, like="billing-1", cwd=ROOT)
    site.pipeline.start()
    run.note_processes()
    listening = _listening[str(run.folder)] = Receivers()
    threading.Thread(target=listening.server.serve_forever, daemon=True).start()
    for behaviour, count in ENDPOINTS.items():
        for number in range(count):
            make_endpoint(run, f"/{behaviour}/{number}")


def make_endpoint(run: Run, path: str) -> None:
    url = _listening[str(run.folder)].url(path)
    content = json.dumps({"url": url, "types": [TYPE]}).encode()
    request = Request(
        f"http://127.0.0.1:{run.site.web_port}/webhooks/endpoints",
        content,
        {"Content-Type": "application/json"},
    )
    with urlopen(request, timeout=ANSWER_SECONDS) as answer:
        _secrets[str(run.folder)][path] = json.load(answer)["secret"]


def kill_processes(run: Run) -> None:
    for _ in range(KILLS):
        run.wait(0.3, 2)
        name = run.chance.choice([*WORKERS, *DELIVERERS])
        run.faults.now(f"kill -9 of {name}")
        run.kill(name)
        run.wait(0, 1)
        run.site.pipeline[name].kill()
        run.site.pipeline.start([name])


def everything_arrived(run: Run) -> Iterator[Violation]:
    """Each order at each endpoint that lives, with one id everywhere, and rightly signed."""
    orders = set(order_ids(run.site.database, run.users))
    ids: defaultdict[str, set[str]] = defaultdict(set)
    received = {path: list(found) for path, found in _listening[str(run.folder)].received.items()}
    for path, secret in _secrets[str(run.folder)].items():
        behaviour = path.split("/")[1]
        came = received.get(path, [])
        for each in came:
            if each.headers["webhook-signature"] != signature(secret, each.headers, each.body):
                yield Violation(Kind.CONTRADICTION, f"{path} got {each.id} with a wrong signature")
            ids[each.event["orderId"]].add(each.id)
        missing = orders - {each.event["orderId"] for each in came}
        if behaviour in ALIVE and missing:
            yield Violation(Kind.LOST, f"{path} never heard of {len(missing)}: {min(missing)}")
    for order_id, found in ids.items():
        if len(found) > 1:
            yield Violation(Kind.TWICE, f"{order_id} came with several ids: {found}")
    yield from too_late(run, [*received.get("/good/0", ())])
    counted = dict.fromkeys(BEHAVIOURS, 0)
    for path, came in received.items():
        counted[path.split("/")[1]] += len(came)
    run.measured |= {f"requests to {name} endpoints": count for name, count in counted.items()}


def too_late(run: Run, came: list[Received]) -> Iterator[Violation]:
    """How long a good endpoint had to wait."""
    placed = {
        str(order["_id"]): when(order)
        for order in run.site.database["orders"].find({}, {"created_at": True})
    }
    first: dict[str, float] = {}
    for each in came:
        first.setdefault(each.event["orderId"], each.at)
    waits = [at - placed[order_id] for order_id, at in first.items() if order_id in placed]
    longest = max(waits, default=0.0)
    run.measured["a good endpoint's longest wait in s"] = round(longest, 1)
    if longest > SOON_SECONDS:
        yield Violation(Kind.RECOVERY, f"a good endpoint waited {longest:.0f} s for an event")


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """As Standard Webhooks has it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


DRILL = Drill(
    name="webhooks",
    promises=(5, 6),
    promise="Every event arrives at each endpoint that lives, at least once and with one id",
    prepare=turn_on,
    inject=kill_processes,
    check=everything_arrived,
    orders=100,
    traffic_seconds=25,
    own_site=True,
)
