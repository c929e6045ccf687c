"""The suite's RabbitMQ, which tests kill."""

from __future__ import annotations

import subprocess

from localservices.rabbitmq import SERVER, RabbitMQ
from tests.polling import eventually


class SettledRabbitMQ(RabbitMQ):
    """A RabbitMQ that dies only once all its quorum queues can survive that.

    A quorum queue has a folder of its own at once, but its entry in the node's table of names
    reaches the disk up to three seconds later (the write delay of Erlang's dets). A node that is
    killed in between starts again without the queue, and no client can mend that. No pipeline
    is that young when its broker dies, whereas a test may well be.
    """

    def kill(self) -> None:
        if self.process.running:
            eventually(self._all_queues_on_disk, within_seconds=15)
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
            timeout=60,
        )

    def _all_queues_on_disk(self) -> bool:
        return all(
            queue.name.encode() in names.read_bytes()
            for names in self.data_folder.glob("mnesia/*/quorum/*/names.dets")
            for queue in names.parent.iterdir()
            if queue.is_dir()
        )
