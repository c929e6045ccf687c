"""Passwords that are tried: how often, for an address and for a user, before any is computed.

A password costs a second of the processor on purpose, whether it is right or wrong. So each try
counts when it begins, and one that was right counts no more.
"""

from __future__ import annotations

from threading import Lock

from runtime.requests import address as addresses
from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import TOO_MANY_PASSWORDS
from runtime.requests.token_buckets import Buckets

WINDOW_SECONDS = 300
#: Wrong ones in that time, and as many a window in the long run.
OF_AN_ADDRESS = 20
#: Fewer would let an attacker keep a user out.
OF_A_USER = 30


class TooManyGuesses(Problem):
    """429: too many passwords were tried; `wait` says for how many seconds none is."""

    problem_type = TOO_MANY_PASSWORDS

    def __init__(self, wait: float) -> None:
        super().__init__(f"Nothing was tried this time. Try again in {wait:.0f} seconds.")
        self.wait = wait


class Guesses:
    """The tries of all clients. Any thread may ask."""

    def __init__(self) -> None:
        self._buckets = Buckets(WINDOW_SECONDS)
        self._lock = Lock()

    def begin(self, address: str | None, user: str) -> None:
        """Count a try.

        Args:
            address: the client's; None where it is logged in as the user already.

        Raises:
            TooManyGuesses: there were too many, of this address or for this user.
        """
        with self._lock:
            for client, per_second in of(address, user):
                if (left := self._buckets.take(client, per_second)) < 0:
                    raise TooManyGuesses(-left)

    def was_right(self, address: str | None, user: str) -> None:
        """The last try counts no more."""
        with self._lock:
            for client, per_second in of(address, user):
                self._buckets.give_back(client, per_second)


def of(address: str | None, user: str) -> tuple[tuple[str, float], ...]:
    """What a try counts for, and how many of it there may be a second."""
    # A name may be a megabyte, and the same one to Django in other letters.
    name = user[:150].lower()
    of_user = (f"user:{name}", OF_A_USER / WINDOW_SECONDS)
    if address is None:
        return (of_user,)
    return ((f"address:{addresses.bounded(address)}", OF_AN_ADDRESS / WINDOW_SECONDS), of_user)


#: Of this process.
guesses = Guesses()
