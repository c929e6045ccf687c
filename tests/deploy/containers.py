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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".local" / "podman"
COMMAND_SECONDS = 60
STOP_SECONDS = 35

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
    """The services of one compose file; all answer at 127.0.0.1, by their names."""

    def __init__(self, file: Path) -> None:
        self.name = f"ordersite-{file.stem}"
        self.folder = file.parent
        self._hosts = FOLDER / f"{self.name}.hosts"
        self.services: dict[str, Service] = yaml.safe_load(interpolated(file.read_text()))[
            "services"
        ]

    def create(self) -> None:
        """Without containers yet."""
        self._hosts.write_text(f"127.0.0.1 localhost {' '.join(self.services)}\n")
        podman("pod", "create", "--name", self.name, "--network=none", "--share=net")

    def remove(self) -> None:
        """With all its containers and their data."""
        podman("pod", "rm", "--force", "--ignore", "--time=0", self.name)
        podman("volume", "prune", "--force")

    def start(self, name: str) -> None:
        """In the background."""
        podman("run", "--detach", *self._arguments(name))

    def run(self, name: str, within_seconds: float) -> str:
        """To its end; returns what it said, raises as `podman`."""
        arguments = [each for each in self._arguments(name) if not each.startswith("--restart")]
        return podman("run", *arguments, within_seconds=within_seconds)

    def execute(self, name: str, *command: str) -> str:
        """What a command prints in the container; raises as `podman`."""
        return podman("exec", self._container(name), *command)

    def is_healthy(self, name: str) -> bool:
        """True where its own health check finds nothing.

        Raises:
            AssertionError: what it finds, and the end of the container's log.
        """
        try:
            self.execute(name, *self.services[name]["healthcheck"]["test"][1:])
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

    def run_python(self, program: str) -> str:
        """What a program prints that runs beside the services; raises as `podman`."""
        options = [*self._in_the_pod(), "--rm", "--entrypoint=python"]
        return podman("run", *options, "ordersite", "-c", program)

    def _process(self, name: str) -> int:
        return int(self._inspect(name, "{{.State.Pid}}"))

    def _inspect(self, name: str, template: str) -> str:
        return podman("container", "inspect", "--format", template, self._container(name))

    def _container(self, name: str) -> str:
        return f"{self.name}-{name}"

    def _in_the_pod(self) -> list[str]:
        return [f"--pod={self.name}", "--no-hosts", f"--volume={self._hosts}:/etc/hosts:ro"]

    def _arguments(self, name: str) -> list[str]:
        service = self.services[name]
        return [
            *self._in_the_pod(),
            f"--name={self._container(name)}",
            "--log-driver=k8s-file",
            *options(service, self.folder),
            image(service),
            *command(service),
        ]


def options(service: Service, folder: Path) -> Iterator[str]:
    """A service's keys as podman's options."""
    for key, option in {"user": "user", "mem_limit": "memory", "cpus": "cpus"}.items():
        if key in service:
            yield f"--{option}={service[key]}"
    if service.get("read_only"):
        yield from ("--read-only", "--read-only-tmpfs=false")
    yield f"--restart={service.get('restart', 'no')}"
    yield from (f"--cap-drop={each}" for each in service.get("cap_drop", ()))
    yield from (f"--security-opt={each.split(':')[0]}" for each in service.get("security_opt", ()))
    yield from (f"--tmpfs={each}" for each in service.get("tmpfs", ()))
    yield from (f"--env={name}={value}" for name, value in service.get("environment", {}).items())
    if "env_file" in service:
        yield f"--env-file={folder / service['env_file']}"
    if "hostname" in service:
        yield f"--hostname={service['hostname']}"
    for volume in service.get("volumes", ()):
        yield f"--volume={folder / volume if volume.startswith('./') else volume}"


def image(service: Service) -> str:
    name = service["image"]
    return name if name == "ordersite" else f"docker.io/library/{name}"


def command(service: Service) -> list[str]:
    """Split as compose does it: a text at its blanks."""
    parts = service.get("command", [])
    if isinstance(parts, str):
        return [part.strip('"') for part in re.findall(r'"[^"]*"|\S+', parts)]
    return [*parts]


def interpolated(text: str) -> str:
    """With each ${NAME:-default} replaced by its default, as on a machine that sets nothing."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def images() -> set[str]:
    """The names of the images that there are, with their tags."""
    listed = json.loads(podman("images", "--format=json"))
    return {name for each in listed for name in each.get("Names") or ()}
