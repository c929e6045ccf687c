"""A private RabbitMQ with its management page."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import amqp

from localservices import docker
from localservices.errors import NotInstalled, ServiceFailed
from localservices.installing import install
from localservices.ports import free_port, is_free
from localservices.process import Process
from localservices.rabbitmq_data import cannot_read, installed_version
from localservices.service import ATTEMPTS, POLL_SECONDS, Service

STANDARD_PORT = 5672
STANDARD_MANAGEMENT_PORT = 15672
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MEMORY_LIMIT = "2GB"

#: The server itself; the `rabbitmq-server` that Debian puts on the PATH needs root.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")

#: Of the data, within `data_folder`.
DATA = "mnesia"

PROBE_SECONDS = 5
NAME_SERVER_SECONDS = 5

CONFIGURATION = """\
listeners.tcp.default = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management_port}
max_message_size = {max_message_bytes}
vm_memory_high_watermark.absolute = {memory_limit}
"""


class RabbitMQ(Service):
    """A RabbitMQ node of our own, on loopback, with its data in `data_folder`.

        with RabbitMQ(Path(".local/rabbitmq")) as rabbitmq:
            kombu.Connection(rabbitmq.url)

    It shares nothing with other nodes of this machine: its own name server (epmd), cookie and
    data. Without ports it takes free ones; after a move to other ports the data stay usable.
    """

    name = "RabbitMQ"
    listening_line = "Starting broker... completed"
    clients_ports: tuple[str, ...] = ("port", "management_port")
    own_ports: tuple[str, ...] = ("distribution_port", "name_server_port")
    #: Threads for half of the cores: messages that pass from thread to thread cost half as much
    #: again, and MongoDB and the pipeline have the other half.
    #: https://www.erlang.org/doc/man/erl.html#+SP
    schedulers = "+SP 50:50"

    def __init__(
        self, data_folder: Path, port: int | None = None, management_port: int | None = None
    ) -> None:
        super().__init__(data_folder)
        self.port = port or free_port()
        self.management_port = management_port or free_port()
        #: For other nodes, of which there are none.
        self.distribution_port = free_port()
        #: Erlang nodes find each other through it; ours answers for this node alone.
        self.name_server: Process | None = None
        self.name_server_port = free_port()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    @property
    def management_url(self) -> str:
        """The management page and API; user and password are `guest`."""
        return f"http://127.0.0.1:{self.management_port}"

    @property
    def node_name(self) -> str:
        """What Erlang calls it."""
        return "ordersite@localhost"

    def stop(self) -> None:
        super().stop()
        self._stop_name_server()

    def kill(self) -> None:
        super().kill()
        self._stop_name_server()

    def _prepare(self) -> Process:
        server = rabbitmq_server()
        if server is None and docker.is_available():
            return docker.compose_service(
                "rabbitmq",
                self.data_folder / "rabbitmq.log",
                AMQP_PORT=self.port,
                RABBITMQ_MANAGEMENT_PORT=self.management_port,
            )
        if server is None:
            server = _install()
        data = self.data_folder / DATA
        if reason := cannot_read(data, installed_version(server)):
            raise ServiceFailed(reason)
        (self.data_folder / "home").mkdir(exist_ok=True)
        self._write_configuration()
        self._stop_name_server()
        self._leave_taken_ports(self.own_ports)
        self._start_name_server()
        env = self._environment()
        return Process(self.name, [server], self.data_folder / "rabbitmq.log", env)

    def _is_ready(self) -> bool:
        """Whether a client can log in and open a channel."""
        try:
            with amqp.Connection(
                f"127.0.0.1:{self.port}",
                connect_timeout=PROBE_SECONDS,
                read_timeout=PROBE_SECONDS,
                write_timeout=PROBE_SECONDS,
            ) as connection:
                connection.channel().close()
        except (OSError, amqp.AMQPError):
            return False
        return True

    def _write_configuration(self) -> None:
        (self.data_folder / "rabbitmq.conf").write_text(self._configuration())
        (self.data_folder / "enabled_plugins").write_text("[rabbitmq_management].\n")

    def _configuration(self) -> str:
        return CONFIGURATION.format(
            port=self.port,
            management_port=self.management_port,
            max_message_bytes=MAX_MESSAGE_BYTES,
            memory_limit=MEMORY_LIMIT,
        )

    def _environment(self) -> dict[str, str]:
        """What makes the node private; see https://www.rabbitmq.com/docs/configure."""
        folder = self.data_folder.resolve()
        return {
            **{name: value for name, value in os.environ.items() if "RABBITMQ" not in name},
            "HOME": str(folder / "home"),
            "RABBITMQ_NODENAME": self.node_name,
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(folder / DATA),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            # The machine's own settings are for the machine's own node.
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            # Erlang would leave a name server of its own behind.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                f"{self.schedulers} -start_epmd false -kernel inet_dist_use_interface {{127,0,0,1}}"
            ),
            "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.name_server_port),
            # Its start script then becomes the server instead of watching over it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _start_name_server(self) -> None:
        """On another port where another program has its port, of which only the node hears."""
        log = self.data_folder / "epmd.log"
        for _ in range(ATTEMPTS):
            self.name_server = start_name_server(log, self._environment())
            if self.name_server.running:
                return
            self.name_server_port = free_port()
        raise ServiceFailed(f"Erlang's name server (epmd) does not start; its log is {log}.")

    def _lost_a_port(self) -> bool:
        has_name_server = self.name_server is None or self.name_server.running
        return super()._lost_a_port() or not has_name_server

    def _stop_name_server(self) -> None:
        if self.name_server is not None:
            self.name_server.stop()


def start_name_server(log: Path, env: dict[str, str]) -> Process:
    """Start Erlang's name server where the environment says; return when it listens or has ended.

    It ends where another program listens there, another name server included.
    """
    port = int(env["ERL_EPMD_PORT"])
    name_server = Process("epmd", ["epmd", "-port", str(port)], log, env)
    name_server.start()
    deadline = time.monotonic() + NAME_SERVER_SECONDS
    while is_free(port) and name_server.running and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    # It ends soon after it found another one there.
    time.sleep(POLL_SECONDS)
    return name_server


def rabbitmq_server() -> Path | None:
    """Find RabbitMQ's server program on this machine."""
    if SERVER.exists():
        return SERVER
    on_path = shutil.which("rabbitmq-server")
    return Path(on_path) if on_path else None


def _install() -> Path:
    install("rabbitmq-server")
    server = rabbitmq_server()
    if server is None:
        raise NotInstalled(
            "RabbitMQ's package is installed, but its server program was not found at "
            f"{SERVER} nor on the PATH. Set AMQP_URL to a broker that you run yourself, e.g. "
            "AMQP_URL='amqp://guest:guest@localhost:5672//'."
        )
    return server
