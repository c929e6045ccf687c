"""A user and a virtual host of RabbitMQ that an administrator makes, changes and removes."""

from __future__ import annotations

from tests.settled_rabbitmq import SettledRabbitMQ

EVERYTHING = (".*", ".*", ".*")


class RabbitMQUser:
    """May log in, and work in the virtual host, once each of the two is there."""

    def __init__(self, rabbitmq: SettledRabbitMQ, name: str) -> None:
        self._control = rabbitmq.control
        self._port = rabbitmq.port
        self.name = name
        self.virtual_host = f"{name}/shop"
        self.password = "p/ss;w%rd"

    @property
    def url(self) -> str:
        return f"amqp://{self.name}:p%2Fss%3Bw%25rd@127.0.0.1:{self._port}/{self.name}%2Fshop"

    def add(self) -> None:
        self._control("add_user", self.name, self.password)

    def delete(self) -> None:
        self._control("delete_user", self.name)

    def change_password(self, password: str) -> None:
        self._control("change_password", self.name, password)

    def add_virtual_host(self) -> None:
        self._control("add_vhost", self.virtual_host)

    def delete_virtual_host(self) -> None:
        self._control("delete_vhost", self.virtual_host)

    def permit(self, configure: str, write: str, read: str) -> None:
        self._control(
            *("set_permissions", "-p", self.virtual_host, self.name, configure, write, read)
        )

    def close_connections(self) -> None:
        self._control("close_all_connections", "-p", self.virtual_host, "tested")
