"""Do the users of RabbitMQ and MongoDB have the rights that their processes need, and no others?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.conf import settings

from messaging.trust.users import own_user, users
from ordersite.doctor.report import Finding, Severity
from ordersite.rights import mongodb_users, rabbitmq_users

APPLY = "python manage.py access apply --folder FOLDER"
NOTE = (
    "With administrators' AMQP_URL and MONGODB_URL; FOLDER has the users' logins. A program "
    "that uses one of these logins for something else needs its own: docs/access.md"
)


def of_rabbitmqs_users() -> Iterator[Finding]:
    """Silent about users that are not there, but for a site of others whose processes share one."""
    yield from _findings("RabbitMQ", rabbitmq_users.differences())
    yield from _leftovers("RabbitMQ", rabbitmq_users.leftovers(), "rabbitmqctl delete_user {}")
    own = own_user(settings.AMQP_URL)
    if not settings.DEBUG and (users() - {own}).isdisjoint(rabbitmq_users.present()):
        yield Finding(
            Severity.WARNING,
            f"RabbitMQ's user {own}",
            "No process has a user of its own.",
            "A client with the login of one process can publish as any other, and each batch of "
            "messages costs its consumer a query more.",
            APPLY,
            NOTE,
        )


def of_mongodbs_users() -> Iterator[Finding]:
    """Silent about users that are not there."""
    yield from _findings("MongoDB", mongodb_users.differences())
    remove = 'mongosh admin --eval \'db.dropUser("{0}"); db.dropRole("{0}")\''
    yield from _leftovers("MongoDB", mongodb_users.leftovers(), remove)


def _findings(
    server: str, differences: Iterable[rabbitmq_users.Difference | mongodb_users.Difference]
) -> Iterator[Finding]:
    for each in differences:
        if each.has is None:
            continue
        found = "; ".join(each.lines())
        if each.exceeds:
            yield Finding(
                Severity.WARNING,
                f"{server}'s user {each.user}",
                f"It may do more than it needs ({found}).",
                "A client with its password can do that, too.",
                APPLY,
                NOTE,
            )
        else:
            yield Finding(
                Severity.ERROR,
                f"{server}'s user {each.user}",
                f"It may not do all that it needs ({found}).",
                f"Its process waits, and says what {server} refuses.",
                APPLY,
                NOTE,
            )


def _leftovers(server: str, users: Iterable[str], remove: str) -> Iterator[Finding]:
    """Such as that of a service that was removed."""
    for user in users:
        yield Finding(
            Severity.WARNING,
            f"{server}'s user {user}",
            "It is named like a user of this site, and no process of this release has it.",
            "A client with its password may still do what it could.",
            remove.format(user),
            "Keep it while processes of another release run that know it.",
        )
