"""What the audit log calls whoever acts with an access token.

Apart from reading tokens, which needs a library that most processes do without.
"""

from __future__ import annotations

PREFIX = "token of "
MOST_CHARACTERS = 100


def name_of(subject: str) -> str:
    return f"{PREFIX}{subject[:MOST_CHARACTERS]}"


def holders(name: str) -> list[str]:
    """The subject of the token with this name: a member of the staff, where the issuer calls them
    as this site does. Nobody where the name is no token's.
    """
    return [name.removeprefix(PREFIX)] if name.startswith(PREFIX) else []
