"""Which names a service can have.

A name is that of a package, a queue, a user of RabbitMQ and MongoDB, and a process.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from messaging.service import Service
from messaging.topology import (
    by_name,
    change_marker,
    dead_letters,
    replay_outcomes,
    undeliverable,
)
from messaging.trust import users
from runtime.health import PROCESSES

#: A name, and a state.
WORD = re.compile(r"[a-z][a-z0-9_]*")
#: As many as the desk's records have room for.
MAX_NAME_CHARACTERS = 50
#: A service of such a name would share the user, the health or the queue of something else.
TAKEN = frozenset({*users.OTHERS, *PROCESSES, undeliverable.name, replay_outcomes.name})
#: What these carry would reach the service's subscribers, or the other way round.
OWN_EXCHANGES = (dead_letters.name, by_name.name, change_marker.name)
IS_TAKEN = "is the name of a process or queue of the pipeline's own"


def fault_of_name(name: str) -> str:
    """Why no service can have this name; empty where one can."""
    if not WORD.fullmatch(name) or len(name) > MAX_NAME_CHARACTERS:
        return (
            f"{name!r} is not a name of a service: that is a lower-case letter, then lower-case "
            f"letters, digits and _, at most {MAX_NAME_CHARACTERS} characters"
        )
    if keyword.iskeyword(name):
        return f"{name!r} is a word of Python, so nothing could import the package"
    if name in TAKEN:
        return f"{name!r} {IS_TAKEN}"
    return ""


def shares_exchange(service: Service, others: Iterable[Service]) -> str:
    """What else has an exchange of the service's, in words; empty where nothing has."""
    own = exchanges_of(service)
    for name in OWN_EXCHANGES:
        if name in own:
            return f"its exchange {name} is one of the pipeline's own"
    for other in others:
        shared = [name for name in exchanges_of(other) if name in own]
        if shared and other.name != service.name:
            return f"its exchange {shared[0]} is also that of {other.name}"
    return ""


def exchanges_of(service: Service) -> tuple[str, ...]:
    """Those that are named for the service, also where it does not have all of them yet."""
    every = (service.exchange, service.topic_exchange, service.headers_exchange)
    return tuple(each.name for each in every)
