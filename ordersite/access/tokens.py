"""JWT access tokens (RFC 9068) of an issuer of the shop's: who sends one, and what they may.

The site issues none and asks the issuer for nothing but its public keys. A token says who it is for
in the claim `JWT_USER_ID_CLAIM`: a customer's `userId`, or "*" for a shop, which acts for all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings

from ordersite.access.refused import refused
from ordersite.access.scopes import allowed
from ordersite.access.signing_keys import KeysUnavailable, SigningKeys
from ordersite.access.token_names import name_of
from runtime.mongodb_clock import about_now
from runtime.requests.caller import Caller
from runtime.requests.number import whole_number
from runtime.requests.problem_type import Problem
from runtime.requests.problem_types import ISSUER_UNAVAILABLE
from runtime.requests.text import fault_in

#: Signatures alone: with a shared secret (HS256) everyone who checks a token could make one.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
#: Written with or without the prefix, in any case (RFC 9068, section 4).
TYPES = ("at+jwt", "application/at+jwt")
REQUIRED = ("iss", "aud", "exp", "sub")
#: From when on it is one, where it says so.
BEGINS = ("nbf", "iat")
#: Its times are judged by MongoDB's clock, as an API key's are, and not by PyJWT, which would ask
#: this machine's: of two that are an hour apart one would refuse whom the other one takes.
OPTIONS: Any = {"enforce_minimum_key_length": True} | dict.fromkeys(
    ("verify_exp", "verify_nbf", "verify_iat"), False
)
ACTS_FOR_ALL = "*"
#: How far the issuer's clock and MongoDB's may be apart.
LEEWAY_SECONDS = 10
#: In the year 2106; seconds since 1970.
LATEST = 2**32


class IssuerAway(Problem):
    """The issuer's keys cannot be had, so the token cannot be checked."""

    problem_type = ISSUER_UNAVAILABLE
    default_detail = "The issuer of access tokens does not answer. Try again later."
    wait = 5


def read(token: str) -> tuple[Caller, datetime]:
    """The caller of an access token, and when it ends.

    Raises:
        Unauthenticated: the token is none, or none for this site; or tokens are not taken.
        IssuerAway: see there.
    """
    if not settings.JWT_ISSUER:
        raise refused("the key is unknown")
    claims = checked(token)
    ends_at = datetime.fromtimestamp(min(float(claims["exp"]), LATEST) + LEEWAY_SECONDS, UTC)
    user_id = user_of(claims.get(settings.JWT_USER_ID_CLAIM))
    scope = claims.get("scope", "")
    names = scope.split() if isinstance(scope, str) else []
    subject = str(claims["sub"])
    if fault_in(subject):
        raise refused("the token's sub is not text that can be stored")
    caller = Caller(id_of(claims), name_of(subject), allowed(names, user_id), user_id)
    return caller, ends_at


def checked(token: str) -> Mapping[str, Any]:
    """The claims of a token that the issuer signed for this site, and that is not over.

    Raises:
        Unauthenticated: it is not one.
        IssuerAway: see there.
    """
    try:
        claims = jwt.decode(
            token,
            key_of(token),
            algorithms=ALGORITHMS,
            audience=settings.JWT_AUDIENCE,
            issuer=settings.JWT_ISSUER,
            options={**OPTIONS, "require": list(REQUIRED)},
        )
        ends, begins = int(claims["exp"]), max(int(claims.get(name, 0)) for name in BEGINS)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise refused("the token is not one of the issuer for this site") from None
    now = about_now().timestamp()
    if ends <= now - LEEWAY_SECONDS:
        raise refused("the token is expired")
    if begins > now + LEEWAY_SECONDS:
        raise refused("the token is not valid yet")
    return claims


def key_of(token: str) -> jwt.PyJWK:
    """The key that a token names. Raises what `checked` does, and PyJWTError."""
    header = jwt.get_unverified_header(token)
    if str(header.get("typ")).lower() not in TYPES:
        raise refused("the token is not an access token (typ at+jwt)")
    if header.get("alg") not in ALGORITHMS or "crit" in header:
        raise refused("the token is signed in a way that is not taken")
    try:
        key = signing_keys(settings.JWT_JWKS_URL).get(str(header.get("kid")))
    except KeysUnavailable:
        raise IssuerAway from None
    if key is None:
        raise refused("the token is signed with an unknown key")
    return key


@lru_cache(maxsize=1)
def signing_keys(url: str) -> SigningKeys:
    """The one that remembers them."""
    return SigningKeys(url)


def user_of(claim: object) -> int | None:
    """The customer that the claim names; None for a shop. Raises Unauthenticated."""
    if claim == ACTS_FOR_ALL:
        return None
    if isinstance(claim, (int, str)) and not isinstance(claim, bool):
        try:
            return whole_number(str(claim))
        except ValueError:
            pass
    raise refused("the token does not say which userId it is for")


def id_of(claims: Mapping[str, Any]) -> str:
    """Of one subject of the issuer, of whatever length that is."""
    subject = f"{claims['iss']} {claims['sub']}"
    return f"token:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"
