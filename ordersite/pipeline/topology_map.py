"""The map of the system on one screen, as text and as a Mermaid diagram, from the declarations."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from kombu import Exchange, Queue

from messaging.service import Service, exchange_of, heard, services
from messaging.topology import Binding, bindings, by_name, dead_letters, delay_label

#: What every service has alike; the map says it once.
OF_EVERY_SERVICE = {by_name.name, dead_letters.name}


def as_text() -> str:
    """Each exchange of events with what it carries and where that goes."""
    return "\n".join(_text())


def _text() -> Iterator[str]:
    for exchange in _exchanges():
        carried = ", ".join(_published_to(exchange)) or "what is bound to it"
        yield f"{exchange.name} ({exchange.type}): {carried}"
        for binding in _from(exchange):
            yield f"  -> {_destination(binding)}"
    delays = ", ".join(f".{delay_label(each)}" for each in settings.RETRY_DELAYS_SECONDS)
    yield ""
    yield "A failed attempt: <service> -> <service>.retry" + delays + " -> <service> alone"
    yield (
        f"Given up: <service> -> {dead_letters.name} -> <service>.dlq -> archiver -> failed "
        "messages -> replay to <service> alone"
    )


def as_mermaid() -> str:
    """The same as a flowchart: https://mermaid.js.org/syntax/flowchart.html"""
    return "\n".join(_mermaid())


def _mermaid() -> Iterator[str]:
    yield "flowchart LR"
    for exchange in _exchanges():
        for service, types in _publishers(exchange):
            yield f'    {service}["{service}"] -- "{"<br>".join(types)}" --> {_node(exchange)}'
        for binding in _from(exchange):
            yield f"    {_node(exchange)} --> {_node(binding.destination)}"
    for service in services():
        yield f"    queue_{service} --> {service}"


def _node(each: Exchange | Queue) -> str:
    """An exchange is a hexagon, a queue a cylinder."""
    if isinstance(each, Queue):
        return f'queue_{each.name}[("queue {each.name}")]'
    return f'{each.name.replace(".", "_")}{{{{"{each.name}"}}}}'


def _publishers(exchange: Exchange) -> Iterator[tuple[str, list[str]]]:
    """The services that publish to the exchange, each with its types of events."""
    published = _published_to(exchange)
    for service in services().values():
        types = [event.type for event in service.publishes if event.type in published]
        if types:
            yield service.name, types


def _exchanges() -> list[Exchange]:
    """Those that carry events, each before what it leads to."""
    sources = {binding.source.name: binding.source for binding in bindings()}
    return [each for name, each in sources.items() if name not in OF_EVERY_SERVICE]


def _published_to(exchange: Exchange) -> list[str]:
    return [
        event.type
        for service in services().values()
        for event in service.publishes
        if exchange_of(event.type).name == exchange.name
    ]


def _from(exchange: Exchange) -> Iterator[Binding]:
    return (binding for binding in bindings() if binding.source.name == exchange.name)


def _destination(binding: Binding) -> str:
    if isinstance(binding.destination, Exchange):
        return f"{binding.destination.name} ({binding.destination.type})"
    service = services()[binding.destination.name]
    return f"queue {service.name}: {'; '.join(_heard(service, binding.source))}"


def _heard(service: Service, exchange: Exchange) -> Iterator[str]:
    """What the service does with what comes from there: `order.placed -> invoiced`."""
    for on in heard(service):
        if exchange_of(on.type).name == exchange.name:
            yield f"{on.type} -> {' or '.join(on.leads_to)}" if on.leads_to else on.type
