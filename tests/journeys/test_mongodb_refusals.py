"""MongoDB refuses the pipeline its login or its rights, at the start and while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from localservices.mongodb import MongoDB
from localservices.pipeline import procfile
from localservices.process import Process
from tests.journeys.api import Api
from tests.polling import eventually
from tests.processes import Processes
from tests.settled_rabbitmq import SettledRabbitMQ

pytestmark = pytest.mark.usefixtures("clean")

DATABASE = "shop"
RIGHTS = [{"role": "readWrite", "db": DATABASE}, {"role": "dbAdmin", "db": DATABASE}]

Admin = Any


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[MongoDB]:
    """A MongoDB with access control, whose administrator is `admin`."""
    mongodb = MongoDB(tmp_path / "mongodb")
    mongodb.start()
    with MongoClient[dict[str, Any]](mongodb.url) as client:
        client.admin.command("createUser", "admin", pwd="admin", roles=["root"])
    mongodb.stop()
    key = tmp_path / "key"
    key.write_text("onlyForTestsOfAccessControl")
    key.chmod(0o400)
    mongodb.arguments = ("--auth", f"--keyFile={key}")
    mongodb.start()
    yield mongodb
    mongodb.kill()


@pytest.fixture
def admin(guarded: MongoDB) -> Iterator[Admin]:
    url = guarded.url.replace("mongodb://", "mongodb://admin:admin@")
    with MongoClient[dict[str, Any]](url) as client:
        yield client.admin


def url_of(mongodb: MongoDB) -> str:
    return mongodb.url.replace("mongodb://", "mongodb://shop:s3%2Fcret@")


def said(process: Process) -> str:
    return process.log.read_text(errors="replace")


def each_says(started: list[Process], text: str) -> None:
    for process in started:
        eventually(lambda process=process: text in said(process))


def test_a_login_that_comes_later_and_rights_that_go_and_come(
    processes: Processes, guarded: MongoDB, admin: Admin, rabbitmq: SettledRabbitMQ
) -> None:
    settings = {"MONGODB_URL": url_of(guarded), "MONGODB_DATABASE": DATABASE}
    lines = {name: line for name, line in procfile().items() if name != "web"}
    started = [processes.run(name, line, **settings) for name, line in lines.items()]
    api = Api(processes.start_web(**settings))
    each_says(started, "MongoDB refuses the login in MONGODB_URL")
    assert api.post(101).status == 503

    admin.command("createUser", "shop", pwd="s3/cret", roles=[])
    each_says(started, "MongoDB answers: ")
    admin.command("grantRolesToUser", "shop", roles=RIGHTS)
    for command in ("migrate", "load_demo_products"):
        done = processes.run(command, f"python manage.py {command}", **settings)
        eventually(lambda done=done: done.exit_code == 0)
    works(api)

    admin.command("revokeRolesFromUser", "shop", roles=RIGHTS)
    assert api.post(101).status == 503
    each_says([started[0]], "MongoDB answers: not authorized on shop")
    admin.command("grantRolesToUser", "shop", roles=RIGHTS)
    works(api)

    for process in [*started, processes.web]:
        log = said(process)
        assert process.running, log[-3000:]
        assert "Traceback" not in log, log[-6000:]
        assert log.count("MongoDB refuses the login in MONGODB_URL") <= 2, log[-6000:]


def works(api: Api) -> None:
    """An order is taken, reserved and invoiced."""
    eventually(lambda: api.post(101).status == 201)
    order_id = api.place(101)
    eventually(lambda: api.states(order_id) == ("reserved", "invoiced"))
