"""A RabbitMQ cluster of three nodes, each a server of its own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from drills.cluster.management import Management
from drills.waiting import wait_until
from localservices.errors import ServiceFailed
from localservices.ports import free_port
from localservices.process import Process
from localservices.rabbitmq import RabbitMQ, start_name_server
from localservices.service import start_together

NODES = 3
COOKIE = "only-for-drills"
CONTROL = "/usr/lib/rabbitmq/bin/rabbitmqctl"
CONTROL_SECONDS = 180
#: Debian's unit has `Restart=on-failure` and `RestartSec=10`, and does not count.
RESTARTS = 3
RESTART_SECONDS = 10

#: https://www.rabbitmq.com/docs/cluster-formation#peer-discovery-classic-config and
#: https://www.rabbitmq.com/docs/partitions#which-mode-to-pick
#: The write-ahead log is in memory, too, by default up to 512 MiB of it: as much as all queues got
#: lately, whether it waits or not. With a small one a node's memory tells of what waits.
#: https://www.rabbitmq.com/docs/quorum-queues#resource-use
CONFIGURATION = """\
cluster_formation.peer_discovery_backend = classic_config
{peers}
cluster_partition_handling = pause_minority
queue_leader_locator = balanced
collect_statistics_interval = 1000
raft.wal_max_size_bytes = 33554432
"""

#: The management API tells of a quorum queue what its leader reported at its last tick, once the
#: API's collector has fetched it. Each comes every 5 s by default, so that a count may be 10 s old;
#: here, every second. https://www.rabbitmq.com/docs/management#sample-retention
#: A dead letter whose confirm died with a node is sent again after up to twice its time-out, by
#: default 3 min; here, and as docs/limits.md says for every cluster, 10 s.
#: Whoever holds a message unacked for longer than `consumer_timeout` loses its channel. The limits
#: promise that nobody does for 125 s; the default is 30 min, checked once a minute.
#: https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout
ADVANCED_CONFIGURATION = """\
[{rabbit, [{quorum_tick_interval, 1000}, {dead_letter_worker_publisher_confirm_timeout, 10000},
           {consumer_timeout, 140000}, {channel_tick_interval, 5000}]},
 {rabbitmq_management_agent,
  [{sample_retention_policies,
    [{global, [{60, 1}]}, {basic, [{60, 1}]}, {detailed, [{60, 1}]}]}]}].
"""
#: Longer than the API says of a queue what is true no more: that was 1.7 s at the most.
STALE_SECONDS = 2.5


class Node(RabbitMQ):
    """One node of the cluster. All of them share a name server and a cookie."""

    # One thread each, which does not spin while it is idle: three nodes share the machine.
    schedulers = "+S 1:1 +sbwt none"
    # The name server is the cluster's.
    own_ports = ("distribution_port",)

    def __init__(self, number: int, folder: Path, name_server_port: int) -> None:
        super().__init__(folder / f"node-{number}")
        self.number = number
        self._home = folder / "home"
        self.name_server_port = name_server_port

    @property
    def node_name(self) -> str:
        return name_of(self.number)

    @property
    def management(self) -> Management:
        return Management(self.management_url)

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl for this node; returns what it printed."""
        return subprocess.run(
            [CONTROL, "--quiet", "--node", self.node_name, *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=CONTROL_SECONDS,
        ).stdout

    def kill(self) -> None:
        """As a crash, but never before its queues can survive one.

        A quorum queue's entry in its node's table of names reaches the disk up to three seconds
        after its declaration (the write delay of Erlang's dets). A node killed in between starts
        again without the queue, which no client can fix.
        """
        if self._process is not None and self._process.running:
            wait_until(self._all_queues_on_disk, 30, "Writing the names of the queues")
        super().kill()

    def kill_at_once(self) -> None:
        """For the end, after which nobody starts it again."""
        super().kill()

    def _all_queues_on_disk(self) -> bool:
        return all(
            queue.name.encode() in names.read_bytes()
            for names in self.data_folder.glob("mnesia/*/quorum/*/names.dets")
            for queue in names.parent.iterdir()
            if queue.is_dir()
        )

    def _configuration(self) -> str:
        peers = "\n".join(
            f"cluster_formation.classic_config.nodes.{number + 1} = {name_of(number)}"
            for number in range(NODES)
        )
        return super()._configuration() + CONFIGURATION.format(peers=peers)

    def _write_configuration(self) -> None:
        super()._write_configuration()
        self._advanced_configuration.write_text(ADVANCED_CONFIGURATION)

    @property
    def _advanced_configuration(self) -> Path:
        return self.data_folder / "advanced.config"

    def _environment(self) -> dict[str, str]:
        return super()._environment() | {
            "HOME": str(self._home.resolve()),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self._advanced_configuration.resolve()),
        }

    def _start_name_server(self) -> None:
        """The cluster has started it."""


class RabbitMQCluster:
    """Three nodes; quorum queues have a replica on each.

    with RabbitMQCluster(folder) as cluster:
        kombu.Connection(cluster.nodes[0].url)
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name_server_port = free_port()
        self.nodes = [Node(number, folder, self._name_server_port) for number in range(NODES)]
        self._name_server: Process | None = None

    def __enter__(self) -> Self:
        self._share_cookie()
        env = self.nodes[0]._environment()
        self._name_server = start_name_server(self._folder / "epmd.log", env)
        start_nodes(self.nodes)
        wait_until(self._is_whole, CONTROL_SECONDS, "Forming the RabbitMQ cluster")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for node in self.nodes:
            node.kill_at_once()
        if self._name_server is not None:
            self._name_server.stop()

    @property
    def living(self) -> Node:
        """A node that runs."""
        return next(node for node in self.nodes if node.process.running)

    def heal(self) -> None:
        """Thaw and start every node, and wait until all of them form the cluster."""
        for node in self.nodes:
            node.thaw()
        start_nodes(self.nodes)
        wait_until(self._is_whole, CONTROL_SECONDS, "Forming the RabbitMQ cluster")

    def _share_cookie(self) -> None:
        home = self._folder / "home"
        home.mkdir(parents=True)
        cookie = home / ".erlang.cookie"
        cookie.write_text(COOKIE)
        cookie.chmod(0o400)

    def _is_whole(self) -> bool:
        nodes = self.nodes[0].management.get("/api/nodes")
        return len(nodes) == NODES and all(each["running"] for each in nodes)


def start_nodes(nodes: Sequence[Node]) -> None:
    """Start them as Debian's unit for systemd does: one that fails to start is started again.

    Nodes of RabbitMQ 3.10 that start at the same moment may ask each other for feature flags that
    are not there yet (`incompatible_feature_flags`, `badmap`), and end.

    Raises:
        ServiceFailed: it failed again and again.
    """
    for _ in range(RESTARTS):
        with suppress(ServiceFailed):
            return start_together(nodes)
        time.sleep(RESTART_SECONDS)
    return start_together(nodes)


def name_of(number: int) -> str:
    return f"ordersite-{number}@localhost"
