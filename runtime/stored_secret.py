"""Secrets that have to be read again, as MongoDB keeps them: encrypted, with keys that it has not.

Fernet encrypts and signs them. The first of ENCRYPTION_KEYS encrypts, each of them decrypts, and so
does DJANGO_SECRET_KEY, which encrypts where there is no other.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

#: What is encrypted begins so; anything else was stored before, and is in clear.
PREFIX = "fernet:"
#: Parts these keys from all others that are derived from the same text.
_PURPOSE = b"ordersite: secrets in MongoDB"


class UnreadableSecret(Exception):
    """None of the keys has encrypted it; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "A stored secret cannot be decrypted: the key that encrypted it is not among "
            "ENCRYPTION_KEYS. Add it there, behind the others."
        )


def encrypted(secret: str) -> str:
    """The secret as it is stored."""
    return PREFIX + _keys().encrypt(secret.encode()).decode()


def decrypted(stored: str) -> str:
    """The secret that is stored so; one in clear is returned as it is.

    Raises:
        UnreadableSecret: none of the keys has encrypted it.
    """
    if not stored.startswith(PREFIX):
        return stored
    try:
        return _keys().decrypt(stored.removeprefix(PREFIX)).decode()
    except InvalidToken as error:
        raise UnreadableSecret from error


def reencrypted(stored: str) -> str:
    """The stored secret as the first of the keys encrypts it; the same text where that one has.

    Raises:
        UnreadableSecret: none of the keys has encrypted it.
    """
    try:
        _key(_texts()[0]).decrypt(stored.removeprefix(PREFIX))
    except InvalidToken:
        return encrypted(decrypted(stored))
    return stored


def _keys() -> MultiFernet:
    return MultiFernet([_key(text) for text in _texts()])


def _texts() -> list[str]:
    return [*settings.ENCRYPTION_KEYS, settings.SECRET_KEY]


@cache
def _key(text: str) -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(text.encode())
    return Fernet(urlsafe_b64encode(derived))
