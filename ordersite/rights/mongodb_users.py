"""MongoDB's users: as they are, and as declared.

Each has a role of its own, which is named like it and holds its rights; both are in `admin`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlunsplit

from django.conf import settings
from django.db import connection

from messaging.trust.users import user_of
from ordersite.rights.mongodb_rights import EVERYTHING, Rights, declared
from runtime.database_url import split

#: Options of a URL that are about the login.
OF_A_LOGIN = {"authsource", "authmechanism", "authmechanismproperties"}
MONITOR = {"role": "clusterMonitor", "db": "admin"}
NOTHING: frozenset[str] = frozenset()


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
            return
        for name in sorted({*self.has.collections, *self.needs.collections}):
            before = self.has.collections.get(name, NOTHING)
            after = self.needs.collections.get(name, NOTHING)
            if before != after:
                yield f"{name or 'database'}: {_listed(before)} -> {_listed(after)}"
        if self.has.monitors != self.needs.monitors:
            yield f"clusterMonitor: {self.has.monitors} -> {self.needs.monitors}"

    @property
    def exceeds(self) -> bool:
        """Whether the user may do something that it does not need."""
        if self.has is None:
            return False
        needs = self.needs.collections
        return (self.has.monitors and not self.needs.monitors) or any(
            actions - needs.get(name, NOTHING) for name, actions in self.has.collections.items()
        )


def differences() -> list[Difference]:
    """The users of ours whose rights differ.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not answer, or the login may not ask.
    """
    there = present()
    return [
        Difference(user, there.get(user), needs)
        for user, needs in declared().items()
        if there.get(user) != needs
    ]


def present() -> dict[str, Rights]:
    """What each of our users has; a role that others granted counts as every right."""
    told = admin().command("usersInfo", [{"user": each, "db": "admin"} for each in declared()])
    names = [each["user"] for each in told["users"]]
    roles = {each["role"]: each for each in _roles(names)}
    return {
        each["user"]: _rights(each, roles.get(each["user"], {"privileges": [], "roles": []}))
        for each in told["users"]
    }


def leftovers() -> list[str]:
    """Users that are named like ours and belong to no process; raises as `differences` does."""
    named_like_ours = {"user": {"$regex": f"^{re.escape(user_of(''))}"}}
    found = admin().command("usersInfo", 1, filter=named_like_ours)["users"]
    return sorted({each["user"] for each in found} - declared().keys())


def grant(difference: Difference, password: Callable[[], str]) -> None:
    """Make the user have these rights and no others.

    `password` is asked for the password of a user that has to be made.

    Raises:
        pymongo.errors.PyMongoError: MongoDB did not do it.
    """
    user, needs = difference.user, difference.needs
    role = {
        "privileges": [
            {"resource": _resource(name), "actions": sorted(actions)}
            for name, actions in needs.collections.items()
        ],
        "roles": [],
    }
    admin().command("updateRole" if _roles([user]) else "createRole", user, **role)
    roles = [{"role": user, "db": "admin"}, *([MONITOR] if needs.monitors else [])]
    if difference.has is None:
        admin().command("createUser", user, pwd=password(), roles=roles)
    else:
        admin().command("updateUser", user, roles=roles)


def set_password(user: str, password: str) -> None:
    """Give a user of ours the password; raises as `grant` does."""
    admin().command("updateUser", user, pwd=password)


def with_login(url: str, user: str, password: str) -> str:
    """The URL with this login of the database `admin` in place of the one that it has."""
    parts = split(url)
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() not in OF_A_LOGIN
    ]
    return urlunsplit(
        parts._replace(
            netloc=f"{login}@{parts.netloc.rpartition('@')[2]}",
            path=parts.path or "/",
            query=urlencode([*query, ("authSource", "admin")], quote_via=quote),
        )
    )


def admin() -> Any:
    return connection.database.client["admin"]


def _roles(names: list[str]) -> list[dict[str, Any]]:
    asked = [{"role": each, "db": "admin"} for each in names]
    if not asked:
        return []
    found: list[dict[str, Any]] = admin().command("rolesInfo", asked, showPrivileges=True)["roles"]
    return found


def _rights(user: dict[str, Any], role: dict[str, Any]) -> Rights:
    collections: dict[str, frozenset[str]] = {}
    for each in role["privileges"]:
        name = _name(each["resource"])
        collections[name] = collections.get(name, NOTHING) | frozenset(each["actions"])
    # Somebody may have given another role to the user, or to the role.
    granted = [(each["role"], each["db"]) for each in (*user["roles"], *role["roles"])]
    expected = {(user["user"], "admin"), (MONITOR["role"], MONITOR["db"])}
    for name, database in sorted({*granted} - expected):
        collections[f"the role {name} of {database}"] = frozenset({"everything"})
    return Rights(collections=collections, monitors=(MONITOR["role"], MONITOR["db"]) in granted)


def _resource(collection: str) -> dict[str, str]:
    return {"db": settings.MONGODB_DATABASE, "collection": collection}


def _name(resource: dict[str, Any]) -> str:
    if resource.get("db") == settings.MONGODB_DATABASE:
        return str(resource.get("collection", EVERYTHING))
    return f"elsewhere: {resource}"


def _listed(actions: frozenset[str]) -> str:
    return ", ".join(sorted(actions)) or "nothing"
