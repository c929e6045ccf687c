"""Where a number or a concern leads to: the list behind it."""

from __future__ import annotations

from django.contrib.admin.utils import quote
from django.urls import reverse
from msgspec import Struct


class Link(Struct, frozen=True):
    #: What one sees there.
    label: str
    #: The name of the address.
    name: str
    #: Of the list's filters, as in the address.
    query: str = ""
    args: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        # The admin takes `_40` in an address for `@`, so an id is written as it reads it.
        is_admins = self.name.startswith("admin:")
        args = [quote(each) for each in self.args] if is_admins else self.args
        return reverse(self.name, args=args) + (f"?{self.query}" if self.query else "")


DOCTOR = Link("Show what the doctor says", "admin:doctor")


def processes(kind: str) -> Link:
    """All of the kind, healthy ones, too."""
    return Link(f"Show the {kind} processes", "admin:processes", f"kind={kind}")


def workers_of(service: str) -> Link:
    return Link(f"Show the workers of {service}", "admin:processes", f"queue={service}")


def retrying(service: str = "") -> Link:
    """The messages that wait for a retry by the service, or by any."""
    query = f"service={service}" if service else ""
    return Link("Show the waiting retries", "admin:failed_messages_retries", query)


def unaccounted_by(service: str) -> Link:
    """Another service may have answered the same order, or miss it, too."""
    return Link(
        "Show these orders", "admin:orders_order_changelist", f"needs=unaccounted_{service}"
    )


def in_flight(service: str) -> Link:
    """Of those that wait for it, without what failed or is retried; of orders itself, all."""
    query = f"needs=flight_{service}" if service != "orders" else "needs=waiting"
    return Link("Orders in flight", "admin:orders_order_changelist", query)
