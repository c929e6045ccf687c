"""Who sends a request and what they may do: the one answer for every route of every app.

The site finds out who it is (`ordersite.access`); an app asks here, and never there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runtime.requests.faults import body_fault
from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import MISSING_SCOPE, OTHER_CUSTOMER, UNAUTHENTICATED
from runtime.requests.refusal import Fault, Refusal

REALM = "ordersite"


@dataclass(frozen=True, slots=True)
class Caller:
    """A key, an access token, a member of the staff, or anyone where the API is open."""

    #: Of one client for ever, also when its key is rotated: `key:…`, `token:…`, `user:…`.
    id: str
    #: For logs and the audit log.
    name: str
    scopes: frozenset[str]
    #: The customer whose orders alone it may place and see; None for a shop, which acts for all.
    user_id: int | None = None
    #: Requests a second that it may send; None for the site's default.
    rate: int | None = None
    #: When its key expires; None for never, and for others than keys.
    ends_at: datetime | None = None
    #: Whether it is unknown, as in development.
    is_anyone: bool = False

    @property
    def is_staff(self) -> bool:
        """Whether it is a user of the admin, by login or session."""
        return self.id.startswith("user:")

    @property
    def owner_of_keys(self) -> str:
        """Whose its idempotency keys are: a program may have access tokens of one subject for
        several customers, and number its requests for each.
        """
        is_one_of_several = self.id.startswith("token:") and self.user_id is not None
        return f"{self.id}:{self.user_id}" if is_one_of_several else self.id

    def may(self, scope: str) -> bool:
        """Whether it may do what the scope allows."""
        return scope in self.scopes

    def sees(self, user_id: object) -> bool:
        """Whether it may place, see and change the orders of this user."""
        return self.user_id is None or self.user_id == user_id


class Unauthenticated(Problem):
    """The sender of the request is unknown: 401 with a challenge (RFC 6750, section 3)."""

    problem_type = UNAUTHENTICATED

    def __init__(self, detail: str, challenge: str) -> None:
        super().__init__(detail)
        self.challenge = challenge


class OutOfScope(Problem):
    """The caller is known and lacks the scope: 403 that names it."""

    problem_type = MISSING_SCOPE

    def __init__(self, scope: str, detail: str = "") -> None:
        super().__init__(detail or f"This needs the scope {scope}. Ask for a key that has it.")
        self.challenge = bearer_challenge(
            error="insufficient_scope", error_description="a scope is missing", scope=scope
        )


def bearer_challenge(**parameters: str) -> str:
    """The header `WWW-Authenticate`; parameters hold neither quotes nor backslashes."""
    pairs = {"realm": REALM, **parameters}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in pairs.items())


def caller_of(request: Any) -> Caller:
    """Who sent the REST framework's request; its authentication came first.

    Raises:
        Unauthenticated: it has no valid credentials.
    """
    if isinstance(request.auth, Caller):
        return request.auth
    raise unknown()


def unknown(scope: str = "") -> Unauthenticated:
    """What a request without a key or login is answered with."""
    named = {"scope": scope} if scope else {}
    return Unauthenticated(
        "Send a key or an access token: Authorization: Bearer …", bearer_challenge(**named)
    )


def check_user(caller: Caller, user_id: int, title: str) -> None:
    """Check that the caller may act for this user.

    Raises:
        Refusal: it may not (403); `title` is what was not done.
    """
    if not caller.sees(user_id):
        raise Refusal(title, [foreign_user(caller)], OTHER_CUSTOMER)


def foreign_user(caller: Caller) -> Fault:
    """The fault of a request in another customer's name."""
    return body_fault(
        ("userId",),
        "must be the user of this key",
        f"Send {caller.user_id}, or use a key of that user.",
    )
