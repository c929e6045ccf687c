"""Starts the services of a compose file with podman, in one network without a way out.

Without Docker's engine, and without an image that must be pulled: tests/deploy/stand_ins has others
in place of those that compose.yaml names.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".local" / "podman"
COMMAND_SECONDS = 60
STOP_SECONDS = 35
#: The first of them.
METRICS_PORTS = 9101

Service = dict[str, Any]


def podman(*arguments: object, within_seconds: float = COMMAND_SECONDS) -> str:
    """What podman prints, with images and containers of this checkout alone.

    Raises:
        AssertionError: it failed; the text has all that it said.
        TimeoutExpired: it was not done within that time.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    settings = FOLDER / "containers.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    # Its own are higher than what a container may set.
    settings.write_text(
        f'[containers]\ndefault_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]\n'
    )
    storage = [f"--root={FOLDER / 'storage'}", f"--runroot={FOLDER / 'run'}", "--runtime=runc"]
    done = subprocess.run(
        ["podman", *storage, *map(str, arguments)],
        env={**os.environ, "CONTAINERS_CONF": str(settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within_seconds,
    )
    assert done.returncode == 0, f"podman {' '.join(map(str, arguments))}:\n{done.stdout}"
    return done.stdout.strip()


class Pod:
    """The services of one compose file; all answer at 127.0.0.1, by their names.

    `services` replaces or adds some.
    """

    def __init__(
        self, file: Path, services: Mapping[str, Service] | None = None, **variables: str
    ) -> None:
        self.name = f"ordersite-{file.stem}"
        self.folder = file.parent
        self._hosts = FOLDER / f"{self.name}.hosts"
        content = yaml.safe_load(interpolated(file.read_text(), variables))
        self.services: dict[str, Service] = {**content["services"], **(services or {})}
        self._secrets = {name: each["file"] for name, each in content.get("secrets", {}).items()}

    def create(self) -> None:
        """Without containers yet."""
        self._hosts.write_text(f"127.0.0.1 localhost {' '.join(self.services)}\n")
        kernel = {
            f"--sysctl={name}={value}"
            for service in self.services.values()
            for name, value in service.get("sysctls", {}).items()
        }
        podman("pod", "create", f"--name={self.name}", "--network=none", "--share=net", *kernel)

    def remove(self) -> None:
        """With all its containers and their data."""
        podman("pod", "rm", "--force", "--ignore", "--time=0", self.name)
        podman("volume", "prune", "--force")

    def start(self, name: str) -> None:
        """In the background."""
        service = self.services[name]
        options = ["--detach", f"--name={self._container(name)}", *self._options(name)]
        podman("run", *options, image(service), *command_of(service))

    def run(self, name: str, *command: str, within_seconds: float) -> str:
        """To its end, or another command in its place; returns what it said, raises as `podman`."""
        of_service = [*self._options(name), image(self.services[name])]
        once = [each for each in of_service if not each.startswith("--restart")]
        command = command or (*command_of(self.services[name]),)
        return podman("run", "--rm", *once, *command, within_seconds=within_seconds)

    def execute(self, name: str, *command: str) -> str:
        """What a command prints in the container; raises as `podman`."""
        return podman("exec", self._container(name), *command)

    def is_healthy(self, name: str) -> bool:
        """True where its own health check finds nothing.

        Raises:
            AssertionError: what it finds, and the end of the container's log.
        """
        return self.answers(name, name, *self.services[name]["healthcheck"]["test"][1:])

    def answers(self, name: str, asking: str, *command: str) -> bool:
        """True where what a probe of the container runs, in the one that is `asking`, ends with 0.

        Raises:
            AssertionError: what it finds, and the end of the container's log.
        """
        try:
            self.execute(asking, *command)
        except AssertionError as error:
            log = podman("logs", "--tail=40", self._container(name))
            raise AssertionError(f"{error}\n{log}") from None
        return True

    def kill(self, name: str) -> None:
        """Its first process, as a crash would: podman's own `kill` would not start it again."""
        os.kill(self._process(name), signal.SIGKILL)

    def has_started_again(self, name: str) -> bool:
        return int(self._inspect(name, "{{.RestartCount}}")) > 0

    def stop(self, name: str) -> int:
        """Ask it to stop; returns its exit code, 137 where it had to be killed."""
        podman("stop", f"--time={STOP_SECONDS}", self._container(name))
        return int(self._inspect(name, "{{.State.ExitCode}}"))

    def _process(self, name: str) -> int:
        return int(self._inspect(name, "{{.State.Pid}}"))

    def _inspect(self, name: str, template: str) -> str:
        return podman("container", "inspect", "--format", template, self._container(name))

    def _container(self, name: str) -> str:
        return f"{self.name}-{name}"

    def _options(self, name: str) -> list[str]:
        service = self.services[name]
        return [
            f"--pod={self.name}",
            "--no-hosts",
            f"--volume={self._hosts}:/etc/hosts:ro",
            "--log-driver=k8s-file",
            *limits(service),
            *(f"--env={name}={value}" for name, value in self._environment(name).items()),
            *(f"--env-file={self.folder / each}" for each in [service.get("env_file")] if each),
            *(f"--volume={self._volume(each)}" for each in service.get("volumes", ())),
            *(f"--volume={self._secret(each)}" for each in service.get("secrets", ())),
        ]

    def _environment(self, name: str) -> dict[str, str]:
        """In one network each has a port of its own for what it counts."""
        written = self.services[name].get("environment", {})
        # What stands for nothing is an empty text, as compose replaces it once the file is read.
        environment = {key: "" if value is None else value for key, value in written.items()}
        if "METRICS_PORT" in environment:
            environment["METRICS_PORT"] = str(METRICS_PORTS + [*self.services].index(name))
        return environment

    def _volume(self, volume: str | dict[str, Any]) -> str:
        if isinstance(volume, dict):
            return f"{volume['source']}:{volume['target']}:ro"
        return str(self.folder / volume) if volume.startswith("./") else volume

    def _secret(self, secret: str | dict[str, str]) -> str:
        if isinstance(secret, str):
            secret = {"source": secret, "target": f"/run/secrets/{secret}"}
        return f"{self._secrets[secret['source']]}:{secret['target']}:ro"


def limits(service: Service) -> Iterator[str]:
    """What a service may use and do, as podman's options."""
    for key, option in {"user": "user", "mem_limit": "memory", "cpus": "cpus"}.items():
        if key in service:
            yield f"--{option}={service[key]}"
    if service.get("read_only"):
        yield from ("--read-only", "--read-only-tmpfs=false")
    if "hostname" in service:
        yield f"--hostname={service['hostname']}"
    if "entrypoint" in service:
        yield f"--entrypoint={json.dumps(service['entrypoint'])}"
    yield f"--restart={service.get('restart', 'no')}"
    yield from (f"--cap-drop={each}" for each in service.get("cap_drop", ()))
    yield from (f"--security-opt={each.split(':')[0]}" for each in service.get("security_opt", ()))
    yield from (f"--tmpfs={each}" for each in service.get("tmpfs", ()))


def image(service: Service) -> str:
    name = service["image"]
    return name if name == "ordersite" else f"docker.io/library/{name}"


def command_of(service: Service) -> list[str]:
    """Split as compose does it: a text at its blanks."""
    parts = service.get("command", [])
    if isinstance(parts, str):
        return [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', parts)]
    return [*parts]


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """With each ${NAME:-default} replaced by its value or default; one that is `:?` has a value."""
    return re.sub(
        r"\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}", lambda found: variables.get(found[1], found[2]), text
    )


def images() -> set[str]:
    """The names of the images that there are, with their tags."""
    listed = json.loads(podman("images", "--format=json"))
    return {name for each in listed for name in each.get("Names") or ()}
