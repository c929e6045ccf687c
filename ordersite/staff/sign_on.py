"""Logging in with the company's own accounts: OpenID Connect, its groups becoming roles."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import jwt
import requests
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView

from ordersite.access import token_names
from ordersite.staff import audited, provider_accounts
from ordersite.staff.provider_accounts import NotThatUser
from runtime.decision_log import decided

#: The provider is asked again after so long, and with it which roles somebody has.
LASTS = timedelta(hours=1)
#: As Django's own users have it.
LONGEST_NAME_CHARACTERS = 150

#: What can be wrong with a provider's answer, or keep it from coming.
FAULTS = (
    *(requests.RequestException, jwt.PyJWTError, SuspiciousOperation, KeyError, ValueError),
    NotThatUser,
)

#: How the audit log begins the names of those who are not users.
OF_OTHERS = ("key ", token_names.PREFIX, "policy of ")

log = logging.getLogger(__name__)


class SignOn(OIDCAuthenticationBackend):
    """Users of the provider: they have the roles that its groups stand for, and no password here.

    Users with a password are the site's own, for the day when the provider is down; the provider
    cannot log in as one of them.
    """

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> User | None:
        if not settings.OIDC_ISSUER or request is None:
            return None
        try:
            user: User | None = super().authenticate(request, **kwargs)
        except DatabaseError:
            raise
        except FAULTS as error:
            log.warning("A login by OpenID Connect failed: %s", error)
            decided(
                "login", by="", allowed=False, kind="authentication", reason=str(error),
                source__ip=request.META.get("REMOTE_ADDR"),
            )  # fmt: skip
            if isinstance(error, NotThatUser):
                messages.error(request, str(error))
            return None
        return user

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """The library checks signature, time and nonce; for whom it is, and from whom, not.

        https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
        """
        claims: dict[str, Any] = super().verify_token(token, **kwargs)
        audience = claims.get("aud")
        if settings.OIDC_RP_CLIENT_ID not in (
            audience if isinstance(audience, list) else [audience]
        ):
            raise SuspiciousOperation("the token is for another client")
        if claims.get("azp", settings.OIDC_RP_CLIENT_ID) != settings.OIDC_RP_CLIENT_ID:
            raise SuspiciousOperation("the token was issued to another client")
        if claims.get("iss") != settings.OIDC_ISSUER:
            raise SuspiciousOperation("the token is from another issuer")
        if "exp" not in claims:
            raise SuspiciousOperation("the token never expires")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> Any:
        """The ID token says it all, and is signed."""
        return payload

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        name = name_of(claims)
        # The audit log has it, in one line and beside the names of keys.
        is_a_name = name.isprintable() and 0 < len(name) <= LONGEST_NAME_CHARACTERS
        is_known = is_a_name and provider_accounts.is_subject(claims.get("sub"))
        return bool(roles_of(claims)) and is_known and not name.startswith(OF_OTHERS)

    def filter_users_by_claims(self, claims: dict[str, Any]) -> list[User]:
        """By the account; the name counts once, until the user's account is known."""
        issuer, name = claims["iss"], name_of(claims)
        user = provider_accounts.user_of(issuer, claims["sub"])
        user = user or provider_accounts.user_called(name, issuer)
        if user and user.has_usable_password():
            raise NotThatUser(f"The user {user.username} logs in with a password here.")
        return [user] if user else []

    def create_user(self, claims: dict[str, Any]) -> User:
        user = User.objects.create_user(name_of(claims))
        as_the_provider_says(user, claims)
        audited.note("create", user, by=audited.PROVIDER, after=audited.shown(user))
        return user

    def update_user(self, user: User, claims: dict[str, Any]) -> User:
        before = audited.shown(user)
        as_the_provider_says(user, claims)
        audited.note_change(user, before, by=audited.PROVIDER)
        return user

    def get_user(self, user_id: Any) -> User | None:
        """Who was switched off here is logged out, whatever the provider says."""
        return User.objects.filter(pk=user_id, is_active=True).first()


class Callback(OIDCAuthenticationCallbackView):
    """Where the provider sends back to."""

    def login_success(self) -> HttpResponse:
        """Only now is there the session that lasts: another user's ends with the login."""
        answer: HttpResponse = super().login_success()
        self.request.session.set_expiry(LASTS)
        return answer


def as_the_provider_says(user: User, claims: dict[str, Any]) -> None:
    """Exactly the roles that it tells of; what somebody gave by hand goes."""
    provider_accounts.note(user, claims["iss"], claims["sub"])
    user.groups.set(Group.objects.filter(name__in=roles_of(claims)))
    user.user_permissions.clear()
    user.is_staff, user.is_superuser = True, False
    user.save(update_fields=["is_staff", "is_superuser"])


def name_of(claims: dict[str, Any]) -> str:
    """What the provider calls the user, in its own words, which no local name can be by chance."""
    name = claims.get(settings.OIDC_NAME_CLAIM)
    return name if isinstance(name, str) else ""


def roles_of(claims: dict[str, Any]) -> list[str]:
    """The names of the site's groups that the provider's groups stand for."""
    groups = claims.get(settings.OIDC_GROUPS_CLAIM)
    told = groups if isinstance(groups, list) else [groups]
    names = [each for each in told if isinstance(each, str)]
    return sorted({settings.OIDC_ROLES[each] for each in names if each in settings.OIDC_ROLES})
