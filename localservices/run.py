"""`make run`: both services, the prepared database, and every process of the pipeline.

`python -m localservices.run services` stops at the services, for those who start processes by hand.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from threading import Thread
from types import FrameType

from localservices import environment_file, mongodb, rabbitmq
from localservices.environment_file import FOLDER, remembered_port
from localservices.errors import LocalServiceError, ServiceFailed
from localservices.keeper import Keeper
from localservices.mongodb import MongoDB
from localservices.pipeline import ROOT, Pipeline, process_environment, procfile
from localservices.ports import free_port, is_free
from localservices.process import Process
from localservices.rabbitmq import RabbitMQ
from localservices.run_lock import only_run
from localservices.service import Service
from localservices.welcome import welcome

WEB_STANDARD_PORT = 8000
#: The files of settings with each process's own login, which `manage.py access apply` writes.
LOGINS = FOLDER / "logins"
#: Before `remember` adds to it.
GIVEN = frozenset(os.environ)
#: A variable of the environment wins over what is remembered.
SETTINGS = (
    "MONGODB_URL",
    "AMQP_URL",
    "RABBITMQ_MANAGEMENT_URL",
    "DJANGO_DEBUG",
    "DJANGO_SECRET_KEY",
    "RETRY_DELAYS_SECONDS",
)
#: A developer sees a message fail within seconds; in production a fault has minutes to end.
RETRY_DELAYS_SECONDS = "1,2,4,8"
#: From one check whether MongoDB and RabbitMQ have ended to the next.
CHECK_SECONDS = 0.5


def main() -> int:
    """Run until Ctrl-C or until a process ends; returns the exit code."""
    end_on_signals()
    try:
        keeper = Keeper(say)
        with only_run(FOLDER / "run.lock"), ExitStack() as services:
            if sys.argv[1:] == ["services"]:
                return wait_for_ever(start_services(services, keeper), keeper)
            # It imports the libraries while the services start.
            with Pipeline() as pipeline:
                return run_pipeline(pipeline, start_services(services, keeper), keeper)
    except LocalServiceError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def start_services(running: ExitStack, keeper: Keeper) -> dict[str, str]:
    """Start what the environment names no URL for, prepare the database, and remember it all.

    Returns the settings that every process needs, also put into our own environment.
    """
    remembered = environment_file.read()
    if "WEB_PORT" in os.environ:
        remembered["WEB_PORT"] = os.environ["WEB_PORT"]
    database = None if "MONGODB_URL" in os.environ else local_mongodb(remembered)
    broker = None if "AMQP_URL" in os.environ else local_rabbitmq(remembered)
    for service in (database, broker):
        if service is not None:
            print(f"Starting {service.name} …", flush=True)
            running.callback(stop_service, service)
            service.on_move = say
            service.launch()
    given = {name: os.environ[name] for name in SETTINGS if name in os.environ}
    if database is not None:
        database.wait_until_ready()
    settings = settings_for(database, broker, remembered) | given
    remember(settings)
    prepare_database()
    if broker is not None:
        broker.wait_until_ready()
        # A port that another program took has become another one.
        settings |= addresses_of(broker) | given
        remember(settings)
    for service in (database, broker):
        if service is not None:
            keeper.keep(service)
    if database is not None and broker is not None:
        print("Giving each process its logins …", flush=True)
        prepare(str(LOGINS))
    return settings


def remember(settings: Mapping[str, str]) -> None:
    """For every terminal, and for the processes that we start."""
    environment_file.write(settings)
    os.environ.update(settings)


def say(line: str) -> None:
    print(line, flush=True)


def stop_service(service: Service) -> None:
    print(f"Stopping {service.name} …", flush=True)
    service.stop()


def local_mongodb(remembered: Mapping[str, str]) -> MongoDB:
    port = port_for("MongoDB", remembered_port(remembered, "MONGODB_URL"), mongodb.STANDARD_PORT)
    return MongoDB(FOLDER / "mongodb", port, logins=True)


def local_rabbitmq(remembered: Mapping[str, str]) -> RabbitMQ:
    port = port_for("RabbitMQ", remembered_port(remembered, "AMQP_URL"), rabbitmq.STANDARD_PORT)
    management_port = port_for(
        "RabbitMQ's management page",
        remembered_port(remembered, "RABBITMQ_MANAGEMENT_URL"),
        rabbitmq.STANDARD_MANAGEMENT_PORT,
    )
    return RabbitMQ(FOLDER / "rabbitmq", port, management_port)


def port_for(what: str, remembered: int | None, standard: int) -> int:
    """The port of the last run, the standard one, or another one, which is said."""
    port, wanted = free_port(remembered, standard), remembered or standard
    if port != wanted:
        say(f"Port {wanted} is taken, so {what} has port {port} instead.")
    return port


def addresses_of(broker: RabbitMQ) -> dict[str, str]:
    return {"AMQP_URL": broker.url, "RABBITMQ_MANAGEMENT_URL": broker.management_url}


def settings_for(
    database: MongoDB | None, broker: RabbitMQ | None, remembered: Mapping[str, str]
) -> dict[str, str]:
    """What `.local/services.env` remembers."""
    web_port = port_for(
        "web", int(remembered.get("WEB_PORT", WEB_STANDARD_PORT)), WEB_STANDARD_PORT
    )
    settings = {
        "WEB_PORT": str(web_port),
        "DJANGO_DEBUG": "true",
        "RETRY_DELAYS_SECONDS": RETRY_DELAYS_SECONDS,
        "DJANGO_SECRET_KEY": remembered.get("DJANGO_SECRET_KEY", secrets.token_urlsafe(50)),
    }
    if database is not None:
        settings["MONGODB_URL"] = database.url
    if broker is not None:
        settings |= addresses_of(broker)
    return settings


def prepare_database() -> None:
    """Migrate, load the demo products, and create the development admin."""
    print("Preparing the database …", flush=True)
    prepare()


def prepare(*arguments: str) -> None:
    """Let `localservices.preparing` do its part."""
    log = FOLDER / "preparing.log"
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "localservices.preparing", *arguments]
    preparing = Process("preparing", command, log, env=process_environment(), cwd=ROOT)
    preparing.start()
    if preparing.wait() != 0:
        raise ServiceFailed(f"Preparing failed:\n{preparing.log_tail()}")


def run_pipeline(pipeline: Pipeline, settings: Mapping[str, str], keeper: Keeper) -> int:
    """Run every process until one cannot run, which ends all of them; returns the exit code.

    Each has logins of its own, where both servers are ours.

    Another program may have taken web's port a moment ago: then all start again with another one.
    """
    print("Starting the processes …", flush=True)
    commands = procfile()
    own = logins(commands) if GIVEN.isdisjoint({"AMQP_URL", "MONGODB_URL"}) else {}
    pipeline.start(
        {
            name: {"command": command, "environment": {**settings, **own.get(name, {})}}
            for name, command in commands.items()
        }
    )
    Thread(target=say_welcome, args=(pipeline, settings), daemon=True).start()
    while pipeline.runs:
        keeper.check()
        time.sleep(CHECK_SECONDS)
    exit_code = pipeline.wait()
    port = int(settings["WEB_PORT"])
    if is_free(port):
        return exit_code
    moved = {**settings, "WEB_PORT": str(port_for("web", port, WEB_STANDARD_PORT))}
    remember(moved)
    with Pipeline() as again:
        return run_pipeline(again, moved, keeper)


def say_welcome(pipeline: Pipeline, settings: Mapping[str, str]) -> None:
    text = welcome(settings)
    if pipeline.runs:
        say(text)


def logins(processes: Iterable[str]) -> dict[str, dict[str, str]]:
    """What each process is told of its own logins, by its name."""
    return {name: environment_file.read(LOGINS / f"{name}.env") for name in processes}


def wait_for_ever(settings: Mapping[str, str], keeper: Keeper) -> int:
    print("\nBoth services run; manage.py and celery in any terminal find them.\n")
    for name in ("MONGODB_URL", "AMQP_URL", "RABBITMQ_MANAGEMENT_URL"):
        print(f"  {name}={settings.get(name, '')}", flush=True)
    while True:
        keeper.check()
        time.sleep(CHECK_SECONDS)


def end_on_signals() -> None:
    """Turn the first Ctrl-C, SIGTERM or closed terminal into an orderly end, ignore the rest."""
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, frame: FrameType | None) -> None:
        for each in ending:
            signal.signal(each, signal.SIG_IGN)
        print("\nStopping …", flush=True)
        raise SystemExit(128 + number)

    for each in ending:
        signal.signal(each, end)


if __name__ == "__main__":
    sys.exit(main())
