"""Everyone who may send a request: each sees another part of the API."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import Group, User
from django.test import Client

from ordersite.access.scopes import CUSTOMERS
from ordersite.staff.roles import ADMINISTRATOR, OPERATOR, VIEWER, Role, make_roles
from tests.security.conftest import secret

#: Stands in the cookie and in the header alike, as in a page of the site.
CSRF_TOKEN = "t" * 32

STAFF = (VIEWER, OPERATOR, ADMINISTRATOR)
CALLERS = ("anonymous", "a customer", "a shop", *(role.name for role in STAFF))

Login = Mapping[str, str]


def callers() -> dict[str, Login]:
    """The headers by which each is known."""
    make_roles()
    return {
        "anonymous": {},
        "a customer": bearer(secret(*CUSTOMERS, user_id=101)),
        "a shop": bearer(secret(*CUSTOMERS)),
        **{role.name: session(role) for role in STAFF},
    }


def bearer(key: str) -> Login:
    return {"authorization": f"Bearer {key}"}


def session(role: Role) -> Login:
    """A member of the staff who is logged in to the admin."""
    user = User.objects.create_user(role.name, is_staff=True)
    user.groups.add(Group.objects.get(name=role.name))
    browser = Client()
    browser.force_login(user)
    cookie = f"sessionid={browser.cookies['sessionid'].value}; csrftoken={CSRF_TOKEN}"
    return {"cookie": cookie, "x-csrftoken": CSRF_TOKEN}
