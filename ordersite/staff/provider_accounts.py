"""Which user somebody is whom the OpenID Connect provider names: the one with that account.

Names change, and are given again: whoever was switched off here would come back under another one,
and a new colleague would be whoever had the name before.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError

from ordersite.staff.models import ProviderAccount

#: Of a subject, in ASCII: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
LONGEST_SUBJECT_CHARACTERS = 255


class NotThatUser(Exception):
    """The name is another's; the text is for whoever logs in.

    No SuspiciousOperation, of which the library tells nobody but its own log.
    """


def is_subject(claim: object) -> bool:
    """Whether the claim can tell who somebody is."""
    is_text = isinstance(claim, str) and claim.isascii()
    return is_text and 0 < len(str(claim)) <= LONGEST_SUBJECT_CHARACTERS


def user_of(issuer: str, subject: str) -> User | None:
    """The user with this account; None where there is none, or not any more."""
    accounts = ProviderAccount.objects.filter(issuer=issuer, subject=subject)
    return User.objects.filter(pk__in=[each.user for each in accounts]).first()


def user_called(name: str, issuer: str) -> User | None:
    """The user with this name, who has no account of this issuer yet; None where nobody has it.

    So users of the release before keep what is theirs, and all of them after a change of issuer.

    Raises:
        NotThatUser: the user has another account, or is called so in other letters.
    """
    if name not in (alike := names_like(name)):
        if alike:
            raise NotThatUser(not_yours(alike[0]))
        return None
    user = User.objects.get(username=name)
    if ProviderAccount.objects.filter(pk=user.pk, issuer=issuer).exists():
        raise NotThatUser(not_yours(name))
    return user


def names_like(name: str) -> list[str]:
    """Those that differ in letter case at most, which many providers do not tell apart."""
    users = User.objects.values_list("username", flat=True)
    return [each for each in users if each.casefold() == name.casefold()]


def not_yours(name: str) -> str:
    return (
        f"The user {name} belongs to another account of the company. If it is to be yours, an "
        "administrator deletes that user first."
    )


def note(user: User, issuer: str, subject: str) -> None:
    """From now on the account is the user's.

    Raises:
        NotThatUser: somebody else came with the same name a moment before.
    """
    known = ProviderAccount.objects.filter(pk=user.pk).first()
    if known is not None and (known.issuer, known.subject) == (issuer, subject):
        return
    account = ProviderAccount(user=user.pk, issuer=issuer, subject=subject)
    try:
        # One of an issuer that the site had before is replaced.
        account.save(force_insert=known is None)
    except IntegrityError as error:
        raise NotThatUser(not_yours(user.get_username())) from error
