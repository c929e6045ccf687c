"""Each page and action of the admin for who has no permission, and for who may only look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId, json_util
from django.contrib import admin
from django.db import connection
from django.urls import URLResolver, get_resolver

from failed_messages.acting.discard import discard
from failed_messages.acting.second_person import Waits
from ordersite.access import keys
from ordersite.staff.roles import make_roles
from tests.failed_messages.letters import failed
from tests.failed_messages.stored_orders import place
from tests.inventory.catalogue import stocked
from tests.staff.test_roles_and_routes import client_of

pytestmark = pytest.mark.usefixtures("clean")

#: For every member of the staff; what they show depends on their permissions.
OF_ALL = {
    *("", "login/", "logout/", "password_change/", "password_change/done/", "jsi18n/"),
    *("autocomplete/", "overview/", "wall", "search", "second-factor/"),
}
#: What a request writes, whatever it asks for; a denied one is in the audit log.
WRITTEN = {"auth_user", "django_session", "failed_messages_audit", "pipeline_snapshot"}
VERBS = ("cancel", "note", "replay", "discard", "restore", "retry-now", "stop-retrying")
#: Of a form that asks for as much as there is.
FORM = {
    "what": "approve",
    "reason": "tests",
    "text": "tests",
    "post": "yes",
    "confirmed": "yes",
    "selection": "service=billing",
    "rate": "1",
    "user": "101",
    "status": "fixed",
    "service": "billing",
    "after": "15m",
    "name": "a",
    "sku": "a",
    "quantity": "5",
    "price": "1",
    "body": "{}",
    "url": "https://a.example.com/",
    "scopes": "orders:read",
    "types": "order.placed",
    "username": "b",
    "is_superuser": "on",
}


def addresses(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Of every page of the admin, with `<…>` where something is named."""
    for each in patterns or admin.site.get_urls():
        path = f"{before}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, path)
        # Django's own for whatever is not a page, or leads to one.
        elif not path.startswith(("r/", "^")) and "(?" not in path:
            yield path


def pages(ids: dict[str, Any]) -> Iterator[str]:
    """The addresses about what there is, without those for everyone."""
    for address in addresses():
        model = "/".join(address.split("/")[:2])
        id_ = str(ids.get(model, ObjectId()))
        path = address
        for name in ("<path:object_id>", "<str:object_id>", "<id>", "<str:order_id>"):
            path = path.replace(name, id_)
        if path not in OF_ALL:
            named = {path.replace("<str:what>", each) for each in VERBS}
            yield from sorted({one.replace("<str:verb>", each) for one in named for each in VERBS})


def stored() -> str:
    names = sorted({*connection.database.list_collection_names()} - WRITTEN)
    return json_util.dumps({name: list(connection.database[name].find()) for name in names})


@pytest.fixture
def ids(settings: Any) -> dict[str, Any]:
    """Something of every kind, by its model's address."""
    # Imports the apps' pages.
    assert get_resolver().url_patterns
    settings.API_IS_OPEN = False
    settings.SECOND_PERSON_ABOVE = 0
    make_roles()
    stocked(pen=5)
    message = failed(message_id="m", correlation_id=str(place()["_id"]))
    keys.create("a shop", ["orders:read"], by="anna", user_id=None)
    with pytest.raises(Waits):
        discard([message.pk], "anna", "tests")
    settings.SECOND_PERSON_ABOVE = None
    found = {}
    for model in admin.site._registry:
        if record := model._default_manager.first():
            found[f"{model._meta.app_label}/{model._meta.model_name}"] = record.pk
    assert {"orders/order", "failed_messages/pendingact", "access/apikey"} <= found.keys()
    return found


def test_who_has_no_permission_gets_no_page(ids: dict[str, Any]) -> None:
    _, client = client_of("nobody")
    asked = [*pages(ids)]
    answers = {path: client.get(f"/admin/{path}") for path in asked}

    shown = {path for path, each in answers.items() if each.status_code not in (403, 404, 405)}
    # Django's old addresses lead to the page itself, and what is not there to the first page.
    away = {
        path
        for path in shown
        if answers[path].headers.get("Location", "").endswith(("/change/", "/admin/"))
    }
    assert len(asked) > 80
    assert shown - away == set()


def test_who_may_look_changes_nothing(ids: dict[str, Any]) -> None:
    _, client = client_of("viewer")
    before = stored()
    for path in pages(ids):
        form = {**FORM, "id": str(ids["failed_messages/failedmessage"])}
        assert client.post(f"/admin/{path}", form).status_code < 500, path
    for model, of_model in admin.site._registry.items():
        path = f"{model._meta.app_label}/{model._meta.model_name}"
        chosen = {**FORM, "_selected_action": str(ids.get(path, ObjectId()))}
        for action in (*(of_model.actions or ()), "delete_selected"):
            answer = client.post(f"/admin/{path}/", {**chosen, "action": str(action)})
            assert answer.status_code < 500, (path, action)

    assert stored() == before
