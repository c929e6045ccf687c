"""The whole pipeline, each process with a login of its own and no more rights than it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from localservices.environment_file import read
from localservices.mongodb import MongoDB
from localservices.pipeline import process_environment, procfile
from tests.journeys.api import Api
from tests.journeys.own_services import own_services
from tests.polling import eventually
from tests.processes import ROOT, Processes
from tests.settled_rabbitmq import SettledRabbitMQ

DATABASE = "least"
PREPARATIONS = (
    ("migrate", "--verbosity", "0"),
    ("load_demo_products",),
    ("declare_topology",),
)
#: Nobody listens there, so that each attempt fails.
ENDPOINT = {"url": "http://127.0.0.1:9/", "types": ["order.placed"]}
#: What a process says that a server refuses something.
REFUSALS = ("not authorized", "ACCESS_REFUSED", "access to ", "refuses")


@pytest.fixture
def mongodb_with_logins(tmp_path: Path) -> Iterator[MongoDB]:
    with MongoDB(tmp_path / "mongodb", logins=True) as mongodb:
        yield mongodb
        mongodb.kill()


@pytest.fixture
def amqp_url(mongodb: MongoDB, rabbitmq: SettledRabbitMQ) -> Iterator[str]:
    """Of a virtual host of its own, as webhooks add a queue."""
    with own_services(mongodb, rabbitmq, DATABASE) as settings:
        yield settings["AMQP_URL"]


def manage(settings: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**process_environment(), **settings},
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_everything_works_and_nothing_more_is_allowed(
    processes: Processes,
    mongodb_with_logins: MongoDB,
    amqp_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Given processes that log in with what `access apply` wrote
    When orders are placed, cancelled, and replayed
    Then every one gets where it should, endpoints are tried, no server has refused anything,
    billing cannot change an order, nobody an entry of the audit log, the scheduler makes nobody a
    superuser, and what reaches the internet reads no order.
    """
    monkeypatch.setenv("WEBHOOKS", "true")
    administrator = {
        "MONGODB_URL": mongodb_with_logins.url,
        "MONGODB_DATABASE": DATABASE,
        "AMQP_URL": amqp_url,
    }
    for arguments in PREPARATIONS:
        manage(administrator, *arguments)
    folder = tmp_path / "logins"
    manage(administrator, "access", "apply", "--folder", str(folder))
    own = {name: read(folder / f"{name}.env") for name in (*procfile(), "operator")}
    others = [name for name in procfile() if name != "web"]
    started = []
    api = Api(processes.start_web(MONGODB_DATABASE=DATABASE, **own["web"]))
    for name in others:
        started += processes.start(name, MONGODB_DATABASE=DATABASE, **own[name])
    endpoint = api.ask(
        "POST",
        "/webhooks/endpoints",
        json.dumps(ENDPOINT).encode(),
        content_type="application/json",
    )
    assert endpoint.status == 201, endpoint

    kept, cancelled, failing = (api.place(user, "book") for user in (101, 102, 103))
    for order_id in (kept, cancelled, failing):
        api.await_status(order_id, "confirmed")
    answer = api.ask("POST", f"/orders/{cancelled}/cancel", b"{}", content_type="application/json")
    assert answer.status == 200, answer
    eventually(lambda: api.states(cancelled) == ("released", "credited"))
    sent = f"/webhooks/endpoints/{endpoint.json['endpointId']}/deliveries"
    eventually(lambda: api.ask("GET", sent).json["deliveries"][-1]["tries"])
    scheduler = {**administrator, **own["scheduler"]}
    manage(administrator, "api_keys", "create", "phone", "--user", "101", "--scope", "orders:read")
    erased = manage(scheduler, "personal_data", "erase", "--user", "101", "--by", "anna")
    assert "API keys: 1 erased\n" in erased
    refused = [line.partition(":")[0] for line in erased.splitlines() if "does not let" in line]
    assert refused == ["acts with keys", "audit log"]
    manage(scheduler, "clearsessions")
    operator = {**administrator, **own["operator"]}
    manage(operator, "conservation")
    manage(operator, "failed_messages", "list")
    manage(operator, "migrate", "--verbosity", "0")
    manage(operator, "declare_topology")

    for process in (*started, processes.web):
        log = process.log.read_text(errors="replace")
        assert process.running, log[-3000:]
        assert not [each for each in REFUSALS if each in log], log[-6000:]
    assert_refused(own["billing"], "orders", lambda orders: orders.update_one({}, {"$set": {}}))
    assert_refused(own["inventory"], "orders", lambda orders: orders.delete_many({}))
    superuser = {"$set": {"is_superuser": True}}
    assert_refused(own["scheduler"], "auth_user", lambda users: users.update_many({}, superuser))
    assert_refused(own["scheduler"], "django_session", lambda logins: logins.find_one({}))
    assert_refused(own["deliverer"], "orders", lambda orders: orders.find_one({}))
    assert_refused(own["deliverer"], "webhook_endpoints", lambda kept: kept.delete_many({}))
    for name in ("web", "archiver", "scheduler", "operator"):
        audit = "failed_messages_audit"
        change = {"$set": {"by": "somebody else"}}
        assert_refused(own[name], audit, lambda log: log.update_many({}, change))  # noqa: B023
        assert_refused(own[name], audit, lambda log: log.delete_many({}))


def assert_refused(login: dict[str, str], collection: str, act: Any) -> None:
    with MongoClient(login["MONGODB_URL"]) as client, pytest.raises(OperationFailure) as refused:
        act(client[DATABASE][collection])
    assert refused.value.code == 13
