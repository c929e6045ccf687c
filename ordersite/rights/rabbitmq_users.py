"""RabbitMQ's users: as they are, and as declared; by its management API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from messaging.trust.users import user_of
from ordersite.broker import management_api
from ordersite.rights.rabbitmq_rights import NOTHING, OnTopics, Rights, declared


@dataclass(frozen=True, slots=True)
class Difference:
    """One user whose rights are not as declared."""

    user: str
    #: None: there is no such user.
    has: Rights | None
    needs: Rights

    def lines(self) -> Iterator[str]:
        """What would change, in words."""
        if self.has is None:
            yield "make the user"
        has = self.has or Rights()
        for name in ("configure", "write", "read"):
            before, after = getattr(has, name), getattr(self.needs, name)
            if before != after:
                yield f"{name}: {before} -> {after}"
        for exchange in sorted({*has.topics, *self.needs.topics}):
            old, new = has.topics.get(exchange), self.needs.topics.get(exchange)
            if old != new:
                yield f"{exchange}: {_topic(old)} -> {_topic(new)}"
        if has.tags != self.needs.tags:
            yield f"tags: {_listed(has.tags)} -> {_listed(self.needs.tags)}"

    @property
    def exceeds(self) -> bool:
        """Whether the user may do something that it does not need."""
        has, needs = self.has, self.needs
        if has is None:
            return False
        names = ("configure", "write", "read")
        return (
            any(getattr(has, name) not in (NOTHING, getattr(needs, name)) for name in names)
            or bool(has.tags - needs.tags)
            or any(has.topics.get(exchange) != limits for exchange, limits in needs.topics.items())
        )


def differences() -> list[Difference]:
    """The users of ours whose rights differ.

    Raises:
        Forbidden: the login of AMQP_URL is not an administrator's.
        Unavailable: the management API does not answer.
    """
    there = present()
    return [
        Difference(user, there.get(user), needs)
        for user, needs in declared().items()
        if there.get(user) != needs
    ]


def present() -> dict[str, Rights]:
    """What every user has in the virtual host; raises as `differences` does."""
    vhost = management_api.vhost()
    tags = {each["name"]: each["tags"] for each in management_api.get("users").content}
    permissions = {
        each["user"]: each for each in management_api.get("vhosts", vhost, "permissions").content
    }
    topics: dict[str, dict[str, OnTopics]] = {}
    for each in management_api.get("vhosts", vhost, "topic-permissions").content:
        limits = OnTopics(each["write"], each["read"])
        topics.setdefault(each["user"], {})[each["exchange"]] = limits
    return {
        user: Rights(
            **{
                name: permissions.get(user, {}).get(name) or NOTHING
                for name in ("configure", "write", "read")
            },
            topics=topics.get(user, {}),
            tags=frozenset(_tags(tags[user])),
        )
        for user in tags
    }


def leftovers() -> list[str]:
    """Users that are named like ours and belong to no process, with rights in the virtual host.

    Raises as `differences` does.
    """
    ours, own = user_of(""), declared()
    return [
        user
        for user, has in present().items()
        if user.startswith(ours) and user not in own and has != Rights(tags=has.tags)
    ]


def grant(difference: Difference, password: Callable[[], str]) -> None:
    """Make the user have these rights and no others, in our virtual host.

    `password` is asked for the password of a user that has to be made.

    Raises:
        Forbidden, Unavailable: the management API did not do it.
    """
    user, needs, has = difference.user, difference.needs, difference.has
    if has is None or has.tags != needs.tags:
        known = management_api.get("users", user).content if has else None
        login = {"password_hash": known["password_hash"]} if known else {"password": password()}
        management_api.put({**login, "tags": ",".join(sorted(needs.tags))}, "users", user)
    rights = {name: getattr(needs, name) for name in ("configure", "write", "read")}
    management_api.put(rights, "permissions", user)
    if has is not None and has.topics.keys() - needs.topics.keys():
        management_api.delete("topic-permissions", user)
    for exchange, limits in needs.topics.items():
        body = {"exchange": exchange, "write": limits.write, "read": limits.read}
        management_api.put(body, "topic-permissions", user)


def set_password(user: str, password: str) -> None:
    """Give a user of ours the password; raises as `grant` does."""
    tags = ",".join(sorted(declared()[user].tags))
    management_api.put({"password": password, "tags": tags}, "users", user)


def _topic(limits: OnTopics | None) -> str:
    if limits is None:
        return "every routing key"
    return f"write {limits.write}, read {limits.read}"


def _listed(tags: frozenset[str]) -> str:
    return ", ".join(sorted(tags)) or "none"


def _tags(told: object) -> list[str]:
    """A list; in one text in RabbitMQ before 3.9."""
    if isinstance(told, str):
        return [each for each in told.split(",") if each]
    return [str(each) for each in told] if isinstance(told, list) else []
