"""The suite's RabbitMQ, which tests kill."""

from __future__ import annotations

import subprocess
from functools import cached_property
from pathlib import Path

from localservices.ports import free_port
from localservices.rabbitmq import SERVER, RabbitMQ
from tests.certificates import Certificates, make_certificates
from tests.polling import eventually

TLS = """\
listeners.ssl.default = 127.0.0.1:{port}
ssl_options.cacertfile = {certificates.authority}
ssl_options.certfile = {certificates.server}
ssl_options.keyfile = {certificates.server_key}
ssl_options.verify = verify_none
"""


#: In milliseconds: how old what its management API tells of nodes, queues and policies may be.
SOON_TOLD = "collect_statistics_interval = 1000\n"


class SettledRabbitMQ(RabbitMQ):
    """A RabbitMQ, over TLS as well, that dies only once all its quorum queues can survive that.

    A quorum queue has a folder of its own at once, but its entry in the node's table of names
    reaches the disk up to three seconds later (the write delay of Erlang's dets). A node that is
    killed in between starts again without the queue, and no client can fix that. No pipeline
    is that young when its broker dies, whereas a test may well be.
    """

    clients_ports = (*RabbitMQ.clients_ports, "tls_port")

    def __init__(self, data_folder: Path) -> None:
        super().__init__(data_folder)
        self.tls_port = free_port()

    @cached_property
    def certificates(self) -> Certificates:
        return make_certificates(self.data_folder / "certificates")

    @property
    def tls_settings(self) -> dict[str, str]:
        """What a process of the pipeline needs to connect over TLS."""
        return {
            "AMQP_URL": f"amqps://guest:guest@localhost:{self.tls_port}//",
            "SSL_CERT_FILE": str(self.certificates.authority),
        }

    def kill(self) -> None:
        if self.process.running:
            eventually(self._all_queues_on_disk)
        super().kill()

    def kill_at_once(self) -> None:
        """For the end of the suite, after which nobody starts it again."""
        super().kill()

    def control(self, *arguments: str) -> None:
        """Run rabbitmqctl, as an operator on RabbitMQ's host would."""
        env = self.process.env
        assert env is not None
        subprocess.run(
            [
                SERVER.with_name("rabbitmqctl"),
                "--quiet",
                "--node",
                env["RABBITMQ_NODENAME"],
                *arguments,
            ],
            env=env,
            check=True,
            capture_output=True,
            timeout=180,
        )

    def _configuration(self) -> str:
        tls = TLS.format(port=self.tls_port, certificates=self.certificates)
        return super()._configuration() + SOON_TOLD + tls

    def _all_queues_on_disk(self) -> bool:
        return all(
            queue.name.encode() in names.read_bytes()
            for names in self.data_folder.glob("mnesia/*/quorum/*/names.dets")
            for queue in names.parent.iterdir()
            if queue.is_dir()
        )
