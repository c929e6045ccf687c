"""What the audit log calls whoever acts with an access token.

Apart from reading tokens, which needs a library that most processes do without.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User

from ordersite.staff.models import ProviderAccount

PREFIX = "token of "
MOST_CHARACTERS = 100


def name_of(subject: str) -> str:
    return f"{PREFIX}{subject[:MOST_CHARACTERS]}"


def holders(name: str) -> list[str]:
    """The subject of the token with this name, and the members of the staff who may be that.
    Nobody where no token has the name.
    """
    if not name.startswith(PREFIX):
        return []
    subject = name.removeprefix(PREFIX)
    return [subject, *users(subject)]


def is_of_nobody(name: str) -> bool:
    """Whether it is a token's name, and no member of the staff is its subject."""
    return name.startswith(PREFIX) and not users(name.removeprefix(PREFIX))


def users(subject: str) -> list[str]:
    """The members of the staff who may be the subject: where the provider of logins issues tokens,
    too, who has that account; else where the issuer calls them as this site does, in whichever
    letter case.

    A long name is cut, and a user's is not: of such a token everybody whose name begins so is one.
    """
    accounts = ProviderAccount.objects.filter(issuer=settings.JWT_ISSUER, subject=subject)
    theirs = {each.user for each in accounts}
    staff = User.objects.values_list("pk", "username")
    # Here, as MongoDB would take a dot in the name for any letter.
    return [name for pk, name in staff if pk in theirs or _cut(name) == _cut(subject)]


def _cut(name: str) -> str:
    return name[:MOST_CHARACTERS].lower()
