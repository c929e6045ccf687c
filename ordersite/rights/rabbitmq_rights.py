"""The least that each process needs on RabbitMQ, by the services' declarations.

https://www.rabbitmq.com/docs/access-control
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from django.conf import settings

from messaging.service import Service, events, exchange_of, services
from messaging.topology import (
    by_name,
    dead_letter_queue,
    dead_letters,
    replay_outcomes,
    retry_queue,
)
from messaging.trust.publishers import ANY
from messaging.trust.users import beside_workers, process_of, user_of

NOTHING, EVERYTHING = "^$", ".*"


class OnTopics(NamedTuple):
    """By routing key: what may be published to a topic exchange, and bound to it."""

    write: str
    read: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Of one user in the virtual host; the first three are regular expressions of names."""

    configure: str = NOTHING
    write: str = NOTHING
    read: str = NOTHING
    #: By exchange.
    topics: Mapping[str, OnTopics] = field(default_factory=dict)
    #: Of the user, in every virtual host.
    tags: frozenset[str] = frozenset()


def declared() -> dict[str, Rights]:
    """What each of our users is to have, by the user's name; external publishers are among them."""
    own = {user_of(process): rights for process, rights in of_processes().items()}
    return {**own, **of_external_publishers()}


def of_processes() -> dict[str, Rights]:
    """By the kind of process."""
    dead_letter_queues = [dead_letter_queue(each).name for each in services().values()]
    return {
        # It shows the doctor's page, sends again what staff replay, and hands over what waits for
        # its next attempt.
        "web": Rights(
            write=names([by_name.name]),
            read=names(_retry_queues()),
            tags=frozenset({"monitoring"}),
        ),
        "relay": _publisher([each for each in services().values() if each.keeps_ledger], []),
        **{name: _worker(service) for name, service in services().items()},
        **{name: Rights() for name in beside_workers()},
        "archiver": Rights(read=names([*dead_letter_queues, replay_outcomes.name])),
        # It publishes what a service could not at once, and sends again what was lost.
        "scheduler": replace(
            _publisher(
                [each for each in services().values() if not each.keeps_ledger], [by_name.name]
            ),
            # It keeps what the doctor finds for the front page.
            tags=frozenset({"monitoring"}),
        ),
        "operator": Rights(
            configure=EVERYTHING,
            write=EVERYTHING,
            read=EVERYTHING,
            tags=frozenset({"monitoring"}),
        ),
    }


def of_external_publishers() -> dict[str, Rights]:
    """Those that EXTERNAL_PUBLISHERS names: they publish, and nothing else."""
    listed = [each.rpartition(":")[::2] for each in settings.EXTERNAL_PUBLISHERS]
    users = {user for user, _ in listed if user != ANY}
    return {
        user: _may_publish(
            each
            for each in events()
            if (user, each) in listed or (user, ANY) in listed or (ANY, each) in listed
        )
        for user in sorted(users)
    }


def _retry_queues() -> list[str]:
    return [
        retry_queue(service, delay).name
        for service in services().values()
        for delay in settings.RETRY_DELAYS_SECONDS
    ]


def _worker(service: Service) -> Rights:
    """It takes from its queue, retries, gives up, and tells what it did."""
    own = [service] if process_of(service) == service.name else []
    rights = _publisher(own, [by_name.name, dead_letters.name])
    return Rights(write=rights.write, read=names([service.name]), topics=rights.topics)


def _publisher(of: Iterable[Service], beside: Iterable[str]) -> Rights:
    return _may_publish((event.type for each in of for event in each.publishes), beside)


def _may_publish(types: Iterable[str], beside: Iterable[str] = ()) -> Rights:
    by_exchange: dict[str, list[str]] = {}
    topics: set[str] = set()
    for type_ in types:
        exchange = exchange_of(type_)
        by_exchange.setdefault(exchange.name, []).append(type_)
        if exchange.type == "topic":
            topics.add(exchange.name)
    return Rights(
        write=names([*by_exchange, *beside]),
        topics={each: OnTopics(names(by_exchange[each]), NOTHING) for each in sorted(topics)},
    )


def names(of: Iterable[str]) -> str:
    """The regular expression of exactly these names."""
    exact = sorted({re.escape(each) for each in of})
    return f"^({'|'.join(exact)})$" if exact else NOTHING
