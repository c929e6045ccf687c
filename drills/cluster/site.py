"""Everything that a drill breaks: both clusters, the network between all parts, the pipeline."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import amqp
from pymongo.database import Database

from drills.cluster import pipeline
from drills.cluster.login import Login
from drills.cluster.management import Management
from drills.cluster.network import Network
from drills.cluster.new_rabbitmq import NewRabbitMQ
from drills.cluster.pipeline import Pipeline
from drills.cluster.proxy import Proxy
from drills.cluster.rabbitmq_cluster import RabbitMQCluster
from drills.cluster.release import THIS, Release
from drills.cluster.replica_set import Document, ReplicaSet
from localservices.pipeline import ROOT, process_environment
from localservices.ports import free_port

#: An order with events that the relay has yet to publish.
IN_OUTBOX: Document = {"pending_since": {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}}

LOCAL = ROOT / ".local" / "drills"

SETTINGS = {
    # Planted faults, as a developer has them.
    "DJANGO_DEBUG": "true",
    "DJANGO_SECRET_KEY": "only-for-drills-" + "x" * 50,
    "RETRY_DELAYS_SECONDS": "1,2",
    # An address for those who mean well, and others for those who do not.
    "ADDRESS_REQUESTS_PER_SECOND": "200",
    # It says whose address that is, where one is before the site.
    "TRUSTED_PROXIES": "127.0.0.1",
    # The reconciler would fix what got lost before anybody saw it.
    "RECONCILE_AFTER_SECONDS": "86400",
}
COMMAND_SECONDS = 300


class Site:
    """The clusters with one pipeline on them, in a database and virtual host of its own.

    Every process has proxies of its own to the nodes of RabbitMQ, so that one may be cut off
    alone. MongoDB tells its clients its members' addresses, so those proxies are for all.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        replica_set: ReplicaSet,
        rabbitmq: RabbitMQCluster,
        network: Network,
        release: Release = THIS,
    ) -> None:
        self.name = name
        #: Where its runs leave their reports, and its processes their logs.
        self.folder = folder
        #: Whose `manage.py` an operator uses.
        self.release = release
        self.replica_set = replica_set
        #: The cluster that drills break; the pipeline uses it until it moves.
        self.rabbitmq = rabbitmq
        self.used_rabbitmq: RabbitMQCluster | NewRabbitMQ = rabbitmq
        #: What a drill starts beside it, which ends with it.
        self.until_its_end = ExitStack()
        self.network = network
        #: The pipeline's login to RabbitMQ; external publishers and the drills are `guest`.
        self.login = Login(name)
        #: By the process whose connections go through them; in the order of the nodes.
        self.amqp_proxies: dict[str, list[Proxy]] = {
            process: [network.proxy(node.port) for node in rabbitmq.nodes]
            for process in pipeline.names()
        }
        web_port = free_port()
        #: Where web itself listens, for whoever has an address of their own.
        self.web_own_port = web_port
        #: Between the clients and web.
        self.web_proxy = network.proxy(web_port)
        self.pipeline = Pipeline(
            {
                process: self._settings(proxies, number)
                | {"WEB_PORT": str(web_port), "MONGODB_URL": f"{replica_set.url}&appName={process}"}
                for number, (process, proxies) in enumerate(self.amqp_proxies.items())
            },
            folder / "logs" / name,
            release,
        )

    @property
    def management(self) -> Management:
        return self.used_rabbitmq.living.management

    @property
    def database(self) -> Database[Document]:
        """As the primary has it, past the proxies."""
        return self.replica_set.database(self.name)

    @property
    def web_port(self) -> int:
        """Where clients find web, behind its proxy."""
        return self.web_proxy.port

    def amqp_url(self, node: int = 0) -> str:
        """A node past the proxies, for whoever plays an external publisher."""
        return f"amqp://guest:guest@127.0.0.1:{self.used_rabbitmq.nodes[node].port}/{self.name}"

    def amqp_connection(self) -> amqp.Connection:
        """For an external publisher, past the proxies; to be used in `with`."""
        port = self.used_rabbitmq.living.port
        return amqp.Connection(f"127.0.0.1:{port}", virtual_host=self.name)

    def prepare(self) -> None:
        """Migrate the database, and prepare RabbitMQ."""
        self.manage("migrate", "--verbosity", "0").check_returncode()
        self.prepare_rabbitmq()

    def prepare_rabbitmq(self) -> None:
        """Make the virtual host with its user, and declare the topology."""
        self.management.put(f"/api/vhosts/{quote(self.name)}")
        self.login.make(self.management)
        self.manage("declare_topology").check_returncode()

    def move_to(self, rabbitmq: NewRabbitMQ) -> None:
        """Let each process go there from its next start on, and everyone else from now on."""
        self.used_rabbitmq = rabbitmq
        for process, proxies in self.amqp_proxies.items():
            proxies[:] = [self.network.proxy(node.port) for node in rabbitmq.nodes]
            settings = self._settings(proxies, 0)
            self.pipeline.become(process, self.release, AMQP_URL=settings["AMQP_URL"])

    def manage(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of manage.py, as an operator would, with these environment variables."""
        return subprocess.run(
            [self.release.programs / "python", "manage.py", *arguments],
            env={
                **process_environment(),
                **self.release.environment,
                **self._settings(self.amqp_proxies["web"], 0),
                "RABBITMQ_MANAGEMENT_URL": self.used_rabbitmq.living.management_url,
                **settings,
            },
            cwd=self.release.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
        )

    def heal(self) -> None:
        """End every fault, and wait until all parts run again."""
        self.network.restore()
        self.replica_set.heal()
        self.replica_set.hold_nothing()
        self.rabbitmq.heal()
        self.pipeline.heal()

    def waiting(self) -> int:
        """How many messages wait in queues, and how many orders' events in the outbox."""
        return self.waiting_in(self.used_rabbitmq) + self.database["orders"].count_documents(
            IN_OUTBOX
        )

    def waiting_in(self, rabbitmq: RabbitMQCluster | NewRabbitMQ) -> int:
        """How many messages wait in its queues, or are at work."""
        # RabbitMQ tells nothing of a queue that it has not counted yet.
        return sum(queue.get("messages", 1) for queue in self.queues_of(rabbitmq))

    def queues(self) -> list[Document]:
        """Each queue of the virtual host as the management API has it."""
        return self.queues_of(self.used_rabbitmq)

    def queues_of(self, rabbitmq: RabbitMQCluster | NewRabbitMQ) -> list[Document]:
        found: list[Document] = rabbitmq.living.management.get(f"/api/queues/{quote(self.name)}")
        return found

    def _settings(self, proxies: list[Proxy], number: int) -> dict[str, str]:
        # Each process begins with another node, so that all of them have clients.
        turned = proxies[number % len(proxies) :] + proxies[: number % len(proxies)]
        return {
            **SETTINGS,
            "MONGODB_URL": self.replica_set.url,
            "MONGODB_DATABASE": self.name,
            "AMQP_URL": ";".join(
                f"amqp://{self.login.user}:{self.login.password}@127.0.0.1:{proxy.port}/{self.name}"
                for proxy in turned
            ),
        }


class Sites:
    """One site after another on the same clusters; a new one only after a run that failed."""

    def __init__(
        self, folder: Path, replica_set: ReplicaSet, rabbitmq: RabbitMQCluster, network: Network
    ) -> None:
        self._parts = (folder, replica_set, rabbitmq, network)
        self._numbers = itertools.count(1)
        self._current: Site | None = None

    def current(self, release: Release = THIS) -> Site:
        """The site, with its pipeline running; a new one begins with this release."""
        if self._current is None:
            self._current = Site(f"drills{next(self._numbers)}", *self._parts, release)
            self._current.prepare()
            self._current.pipeline.start()
        return self._current

    def abandon(self) -> None:
        """End the pipeline and leave its database and virtual host as they are."""
        site, self._current = self._current, None
        if site is not None:
            site.pipeline.kill()
            site.until_its_end.close()


@contextmanager
def sites(folder: Path = LOCAL) -> Iterator[Sites]:
    """Both clusters, running; all of it ends afterwards, and the reports and logs stay."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "logs", ignore_errors=True)
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="data-", dir=folder)))
        network = stack.enter_context(Network())
        replica_set = stack.enter_context(ReplicaSet(data / "mongodb", network))
        rabbitmq = stack.enter_context(RabbitMQCluster(data / "rabbitmq"))
        running = Sites(folder, replica_set, rabbitmq, network)
        stack.callback(running.abandon)
        yield running
