"""Which persons stand behind a name, so that nobody approves what they asked for themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable

#: Finds who was shown the secret of the key that has this name; nobody where it names no key.
Holders = Callable[[str], Iterable[str]]

#: Whether nobody knows who acts as this: a key is passed on, a token may be of somebody unknown.
IsAnybodys = Callable[[str], bool]

_holders: list[Holders] = []
_is_anybodys: list[IsAnybodys] = []


def ask(holders: Holders, is_anybodys: IsAnybodys) -> None:
    """Ask these, too. The site knows the keys, and the desk does not know the site."""
    _holders.append(holders)
    _is_anybodys.append(is_anybodys)


def is_known(by: str) -> bool:
    """Whether the name says which person acts."""
    return not any(each(by) for each in _is_anybodys)


def persons(by: str) -> set[str]:
    """Whoever may have acted as `by`: on the command line the user, for whomever they say they act;
    of a key whoever has seen its secret, also where another key made it.
    """
    found: set[str] = set()
    unasked = {person(by)}
    while unasked:
        name = unasked.pop()
        found.add(name)
        unasked |= {person(each) for holders in _holders for each in holders(name)} - found
    return found


def person(by: str) -> str:
    """On the command line the operating system's user."""
    return by.partition(" for ")[0]
