"""Does every event reach its queues, and no others?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kombu import Queue

from messaging import topology
from ordersite.broker import management_api
from ordersite.doctor.report import Finding, Severity


class Bound(NamedTuple):
    """A binding in words."""

    source: str
    #: `q` or `e`, as in the management API's addresses.
    kind: str
    destination: str
    #: Empty where the exchange ignores it.
    routing_key: str


def missing() -> Iterator[Finding]:
    absent = sorted(_declared() - _existing().keys())
    if absent:
        named = ", ".join(f"{bound.source} to {bound.destination}" for bound in absent)
        yield Finding(
            Severity.ERROR,
            "Bindings",
            f"Not there: {named}.",
            "Messages that are published to the first do not reach the second.",
            "python manage.py declare_topology",
            "The scheduler sends the events that were published meanwhile again.",
        )


def undeclared() -> Iterator[Finding]:
    """What of ours gets more than it should; subscribers' own queues are theirs."""
    ours = {("q", queue.name) for queue in topology.queues()}
    ours |= {("e", exchange.name) for exchange in topology.exchanges()}
    existing = _existing()
    for bound in sorted(existing.keys() - _declared()):
        if (bound.kind, bound.destination) in ours:
            yield Finding(
                Severity.WARNING,
                f"Binding of {bound.source} to {bound.destination}",
                "It is not declared.",
                f"{bound.destination} gets messages that are not meant for it; those that it has "
                "no handler for become failed messages.",
                _removal(bound, existing[bound]),
            )


def _removal(bound: Bound, properties_key: str) -> str:
    """`topology apply` leaves what an exchange that is not ours leads to."""
    sources = {exchange.name for exchange in topology.exchanges()}
    if bound.kind == "q" and bound.source in sources:
        return "python manage.py topology apply"
    return management_api.deletion("bindings", *_path(bound), properties_key)


def _path(bound: Bound) -> tuple[str, ...]:
    return ("e", bound.source, bound.kind, bound.destination)


def _declared() -> set[Bound]:
    return {
        _bound(
            binding.source.name,
            "q" if isinstance(binding.destination, Queue) else "e",
            binding.destination.name,
            binding.routing_key,
        )
        for binding in topology.bindings()
    }


def _existing() -> dict[Bound, str]:
    """With the key by which the API knows each."""
    return {
        _bound(
            each["source"], each["destination_type"][0], each["destination"], each["routing_key"]
        ): each["properties_key"]
        for each in management_api.get("bindings").content
        # To the default exchange every queue is bound.
        if each["source"]
    }


def _bound(source: str, kind: str, destination: str, routing_key: str) -> Bound:
    fanouts = {exchange.name for exchange in topology.exchanges() if exchange.type == "fanout"}
    return Bound(source, kind, destination, "" if source in fanouts else routing_key)
