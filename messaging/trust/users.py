"""RabbitMQ's users: one for each kind of process, named like it."""

from __future__ import annotations

from functools import cache, lru_cache

from django.conf import settings

from messaging.service import TYPES_REMEMBERED, Service, services
from messaging.service import publisher_of as service_that_publishes
from runtime.broker_url import parse

#: They send again whatever was lost or has failed.
SEND_AGAIN = ("web", "scheduler", "operator")
#: Beside a worker of each service.
OTHERS = (*SEND_AGAIN, "relay", "archiver")


def user_of(process: str) -> str:
    """The name of the user, for RabbitMQ and for MongoDB, of this kind of process."""
    return f"{settings.MONGODB_DATABASE}-{process}"


def processes() -> tuple[str, ...]:
    """Every kind of process that has a user of its own."""
    return (*OTHERS, *services(), *beside_workers())


def beside_workers() -> tuple[str, ...]:
    """The processes that run beside the worker of a service."""
    return tuple(each for service in services().values() for each in service.beside)


def users() -> frozenset[str]:
    """The users of all processes; with our own, where it is not among them."""
    return frozenset({own_user(settings.AMQP_URL), *map(user_of, processes())} - {""})


def senders_to(service: Service, type_: str) -> frozenset[str]:
    """The users of ours whose messages of this type the service takes.

    Our own user is one of them: a retry is ours, and where all processes share a user it is theirs.
    """
    return _senders(settings.AMQP_URL, service.name, type_)


def senders_again_to(service: Service) -> frozenset[str]:
    """Those of them that send the service what others have published, and may say who."""
    return _senders_again(settings.AMQP_URL, service.name)


@lru_cache(maxsize=TYPES_REMEMBERED)
def users_that_publish(type_: str) -> frozenset[str]:
    """The user of the process in which the service that publishes this type does so.

    No other client logs in as it, so what it publishes is what it stored.
    """
    publisher = service_that_publishes(type_)
    return frozenset({user_of(process_of(publisher))} if publisher else ())


def process_of(service: Service) -> str:
    """The process that publishes the service's events as they happen."""
    return "relay" if service.keeps_ledger else service.name


@lru_cache(maxsize=TYPES_REMEMBERED)
def _senders(own_url: str, service: str, type_: str) -> frozenset[str]:
    publisher = service_that_publishes(type_)
    first = {user_of(process_of(publisher))} if publisher else set()
    return _senders_again(own_url, service) | first


@cache
def _senders_again(own_url: str, service: str) -> frozenset[str]:
    return frozenset({own_user(own_url), *map(user_of, (service, *SEND_AGAIN))} - {""})


@cache
def own_user(url: str) -> str:
    """Whom the URL logs in as; empty where a certificate says it and the URL does not."""
    return parse(url).user
