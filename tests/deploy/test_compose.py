"""compose.yaml starts what the Procfile starts, in containers that may do little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from localservices import environment_file
from localservices.pipeline import lines_of, procfile
from ordersite.rights import mongodb_users
from ordersite.rights.logins import with_login
from runtime import health

ROOT = Path(__file__).parents[2]
LINES = {**procfile(), **lines_of(ROOT / "Procfile.webhooks")}
#: Of MongoDB its `shutdownTimeoutMillisForSignaledShutdown`, and then it writes a checkpoint.
OF_SERVERS_SECONDS = {"mongodb": 15, "rabbitmq": 15}
Services = dict[str, dict[str, Any]]


def services_of(file: str) -> Services:
    return yaml.safe_load((ROOT / file).read_text())["services"]


SERVICES = services_of("compose.yaml")
PRODUCTION = services_of("compose.production.yaml")
PROCESSES = {name: service for name, service in SERVICES.items() if service["image"] == "ordersite"}


def test_every_process_runs_by_its_own_command() -> None:
    commands = {
        name: service["command"] for name, service in PROCESSES.items() if "command" in service
    }
    preparing = commands.pop("prepare")

    # The image's own command is web's.
    assert commands == {name: line for name, line in LINES.items() if name != "web"}
    assert "web" in PROCESSES
    for services in (SERVICES, PRODUCTION):
        asked_for = {name for name, service in services.items() if "profiles" in service}
        assert asked_for == LINES.keys() - procfile().keys(), (
            "webhooks run where they are asked for"
        )
    assert "python manage.py migrate" in preparing[-1]


def test_every_process_logs_in_as_itself() -> None:
    assert "access apply --folder /logins" in PROCESSES["prepare"]["command"][-1]
    for name in LINES:
        assert PROCESSES[name]["env_file"] == f"deploy/compose/{name}.env"
        assert PROCESSES[name]["environment"].keys().isdisjoint({"AMQP_URL", "MONGODB_URL"})
        login = environment_file.read(ROOT / f"deploy/compose/{name}.env")
        urls = (
            with_login("amqp://guest:guest@rabbitmq:5672//", f"ordersite-{name}", "known-to-all"),
            mongodb_users.with_login(
                "mongodb://mongodb:27017/?replicaSet=rs0", f"ordersite-{name}", "known-to-all"
            ),
        )
        # As `access apply` writes them, so that it has nothing to write.
        assert (login["AMQP_URL"], login["MONGODB_URL"]) == urls


@pytest.mark.parametrize("services", [SERVICES, PRODUCTION])
def test_a_new_release_of_web_is_where_the_proxy_looks_for_it(services: Services) -> None:
    """nginx asks for the address when it starts; a container that is made anew may have another."""
    assert services["proxy"]["depends_on"] == {
        "web": {"condition": "service_healthy", "restart": True}
    }


def test_the_image_is_built_once() -> None:
    assert [name for name, service in PROCESSES.items() if "build" in service] == ["prepare"]


@pytest.mark.parametrize("services", [SERVICES, PRODUCTION], ids=["development", "production"])
@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_a_container_may_do_little(services: Services, name: str) -> None:
    service = services[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert {"mem_limit", "cpus", "stop_grace_period", "logging"} <= set(service)


@pytest.mark.parametrize("services", [SERVICES, PRODUCTION], ids=["development", "production"])
def test_every_container_is_probed_and_limited(services: Services) -> None:
    for name in services.keys() - {"prepare"}:
        probe = services[name]["healthcheck"]["test"]
        if name in PROCESSES:
            process = name if name in health.PROCESSES else "worker"
            assert probe == ["CMD", "python", "-m", "runtime.health", process]
        assert "mem_limit" in services[name]
        assert services[name]["restart" if name in PROCESSES else "logging"]


@pytest.mark.parametrize("services", [SERVICES, PRODUCTION], ids=["development", "production"])
@pytest.mark.parametrize("name", ["mongodb", "rabbitmq"])
def test_a_server_that_is_up_is_seldom_asked(services: Services, name: str) -> None:
    """Each time starts a shell of MongoDB's, or an Erlang of RabbitMQ's."""
    probe = services[name]["healthcheck"]

    assert (probe["interval"], probe["start_interval"]) == ("1m", "2s")
    # Docker's compose waits for it this long, as `interval` begins after it.
    assert probe["start_period"] == "5m"


@pytest.mark.parametrize("services", [SERVICES, PRODUCTION], ids=["development", "production"])
def test_pulling_images_upgrades_rabbitmq_to_no_other_minor_release(services: Services) -> None:
    assert services["rabbitmq"]["image"] == "rabbitmq:4.3-management"


@pytest.mark.parametrize("services", [SERVICES, PRODUCTION], ids=["development", "production"])
def test_it_starts_on_a_server_with_one_core(services: Services) -> None:
    assert [name for name, each in services.items() if float(each.get("cpus", 1)) > 1] == []


@pytest.mark.parametrize("services", [SERVICES, PRODUCTION], ids=["development", "production"])
def test_each_has_time_to_stop(services: Services) -> None:
    """Docker kills what has not ended within ten seconds; MongoDB alone waits for longer."""
    for name, service in services.items():
        worker_seconds = settings.TASK_TIME_LIMIT_SECONDS if name in PROCESSES else 0
        grace = service.get("stop_grace_period", "10s")
        seconds = int(grace[:-1]) * {"s": 1, "m": 60}[grace[-1]]
        assert seconds > max(worker_seconds, OF_SERVERS_SECONDS.get(name, 0)), name


def test_ports_are_open_to_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_no_secret_gets_into_the_image() -> None:
    left_out = (ROOT / ".dockerignore").read_text().splitlines()

    assert {".env*", ".git", ".local", "**/*.env", "**/*.key", "**/*.pem"} <= set(left_out)
    # An export of a person's data, which a command puts where it is started.
    assert "personal-data-*.zip" in left_out
    # What the page makes for Kubernetes, it makes in a folder that Git leaves out, too.
    page = (ROOT / "docs/deploying.md").read_text()
    assert "umask 077\nmkdir --parents .local/secrets\ncd .local/secrets\n" in page
    # No copied line deletes what is nowhere else: keys and certificates.
    assert "rm -r .local" not in page
    assert ".local/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_image_s_user_is_a_number_that_is_not_root() -> None:
    (user,) = [
        line.split()[1]
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("USER")
    ]

    assert all(number.isdigit() and number != "0" for number in user.split(":"))
