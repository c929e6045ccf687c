"""What the audit log calls whoever acts with an access token.

Apart from reading tokens, which needs a library that most processes do without.
"""

from __future__ import annotations

from django.contrib.auth.models import User

PREFIX = "token of "
MOST_CHARACTERS = 100


def name_of(subject: str) -> str:
    return f"{PREFIX}{subject[:MOST_CHARACTERS]}"


def holders(name: str) -> list[str]:
    """The subject of the token with this name: a member of the staff, where the issuer calls them
    as this site does, in whichever letter case. Nobody where no token has the name.

    A long name is cut, and a user's is not: of such a token everybody whose name begins so is one.
    """
    if not name.startswith(PREFIX):
        return []
    subject = name.removeprefix(PREFIX)
    users = User.objects.values_list("username", flat=True)
    # Here, as MongoDB would take a dot in the name for any letter.
    return [subject, *(each for each in users if _cut(each) == _cut(subject))]


def _cut(name: str) -> str:
    return name[:MOST_CHARACTERS].lower()
