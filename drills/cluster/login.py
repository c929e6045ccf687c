"""The pipeline's user of RabbitMQ, as an administrator makes, changes and deletes it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from drills.cluster.management import Management


@dataclass(frozen=True, slots=True)
class Login:
    """The user of one virtual host."""

    virtual_host: str

    @property
    def user(self) -> str:
        return f"{self.virtual_host}-pipeline"

    @property
    def password(self) -> str:
        """The one in the processes' settings."""
        return "as-set"

    def make(self, management: Management) -> None:
        """With every permission; `topology apply` is an administrator's."""
        self.set_password(management, self.password)
        self.permit(management, ".*", ".*", ".*")

    def set_password(self, management: Management, password: str) -> None:
        content = {"password": password, "tags": "administrator"}
        management.put(f"/api/users/{quote(self.user)}", content)

    def permit(self, management: Management, configure: str, write: str, read: str) -> None:
        """Patterns of the names that it may declare, publish to, and consume or bind."""
        content = {"configure": configure, "write": write, "read": read}
        path = f"/api/permissions/{quote(self.virtual_host)}/{quote(self.user)}"
        management.put(path, content)

    def delete(self, management: Management) -> None:
        """RabbitMQ closes its connections."""
        management.delete(f"/api/users/{quote(self.user)}")
