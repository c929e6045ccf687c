"""A system check: does EXTERNAL_PUBLISHERS name what there is, and nobody who is one of ours?"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core import checks

from messaging.service import declared
from messaging.trust.publishers import ANY
from messaging.trust.users import users

#: As in development, or while an upgrade needs it.
EVERYBODY = f"{ANY}:{ANY}"


def check_publishers(**_: Any) -> list[checks.CheckMessage]:
    """A warning for each entry that lets nobody publish, or more than it seems to."""
    if settings.DEBUG:
        return []
    return [
        checks.Warning(
            f"EXTERNAL_PUBLISHERS has {entry!r}: {problem}.", hint=f"{fix} (docs/access.md)", id=id_
        )
        for entry in settings.EXTERNAL_PUBLISHERS
        for id_, problem, fix in wrong(entry)
    ]


def wrong(entry: str) -> Iterator[tuple[str, str, str]]:
    """What is wrong with an entry: the warning's id, the problem, and what to do."""
    user, _, type_ = entry.rpartition(":")
    if entry == EVERYBODY:
        yield (
            "ordersite.W002",
            "every user of RabbitMQ is believed, whatever they publish",
            "Name the users and types, for example shop:order.placed, once an upgrade is over",
        )
        return
    if type_ != ANY and type_ not in (known := known_types()):
        near = get_close_matches(type_, known, 1) or sorted(known)
        yield (
            "ordersite.W001",
            f"no service publishes or handles {type_}, so nobody may publish anything by it",
            f"Write one of {', '.join(near)}: EXTERNAL_PUBLISHERS={user}:{near[0]}",
        )
    if user in users():
        yield (
            "ordersite.W001",
            f"{user} is the login of a process of this site, and not of an external program",
            f"Give the program a user of its own: EXTERNAL_PUBLISHERS=shop:{type_}",
        )


def known_types() -> set[str]:
    """What some service publishes or handles, also one that is turned off."""
    services = declared().values()
    published = {event.type for service in services for event in service.publishes}
    heard = {on.type for service in services for on in service.listens}
    return published | heard | {each.plain_messages_are or "" for each in services} - {""}
