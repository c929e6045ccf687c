"""Passwords that are tried: how often, for an address and for a user, before any is computed.

A password costs a second of the processor on purpose, whether it is right or wrong. So each try
counts when it begins, and one that was right counts no more.

An attacker with many addresses uses up what others may try for a user. So the user's own tries
count apart: those from an address that the user has logged in from before. Others may share that
address; so those with a browser that the user has logged in with count for nothing else.
"""

from __future__ import annotations

from threading import Lock

from runtime.requests import client_address
from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import TOO_MANY_PASSWORDS
from runtime.requests.token_buckets import Buckets

WINDOW_SECONDS = 300
#: Wrong ones in that time, and as many a window in the long run.
OF_AN_ADDRESS = 20
#: From wherever; as many from where the user is known, and as many with a known browser.
OF_A_USER = 30
#: Addresses that a user has logged in from; the oldest are forgotten.
MOST_KNOWN = 10_000

#: What a try counts for, and how many of it there may be a second.
Counted = tuple[tuple[str, float], ...]


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
        #: User and address, the latest last.
        self._known: dict[tuple[str, str], None] = {}

    def begin(self, address: str | None, user: str, is_known: bool = False) -> Counted:
        """Count a try.

        Args:
            address: the client's; None where it is logged in as the user already.
            is_known: whether the user has logged in with this browser before; their address is
                known here.

        Returns: what it counts for, to take it back where it was right.

        Raises:
            TooManyGuesses: there were too many, of this address or for this user.
        """
        with self._lock:
            counted = self._counted(address, name_of(user), is_known)
            for client, per_second in counted:
                if (left := self._buckets.take(client, per_second)) < 0:
                    raise TooManyGuesses(-left)
        return counted

    def was_right(self, counted: Counted, address: str | None, user: str) -> None:
        """The try counts no more, and the user is known at the address."""
        with self._lock:
            for client, per_second in counted:
                self._buckets.give_back(client, per_second)
            if address is not None:
                known = name_of(user), client_address.bounded(address)
                self._known.pop(known, None)
                self._known[known] = None
                if len(self._known) > MOST_KNOWN:
                    del self._known[next(iter(self._known))]

    def _counted(self, address: str | None, name: str, is_known: bool) -> Counted:
        of_a_user = OF_A_USER / WINDOW_SECONDS
        if address is None:
            return ((f"user:{name}", of_a_user),)
        if is_known:
            # Nobody else has its cookie, so it is all that this browser's tries count for.
            return ((f"browser:{name}", of_a_user),)
        bounded = client_address.bounded(address)
        kind = "known" if (name, bounded) in self._known else "user"
        of_an_address = (f"address:{bounded}", OF_AN_ADDRESS / WINDOW_SECONDS)
        return (of_an_address, (f"{kind}:{name}", of_a_user))


def name_of(user: str) -> str:
    """A name may be a megabyte, and the same one to Django in other letters."""
    return user[:150].lower()


#: Of this process.
guesses = Guesses()
