"""The staff makes, tests and rotates endpoints, and sends again; no page shows a secret twice."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from ordersite.workplace.related import related
from tests.browser_form import BrowserForm
from tests.webhooks.events import ORDER_ID, answered
from tests.webhooks.test_keeping import endpoint, ordered
from webhooks import managing, turn
from webhooks.admin.endpoints import EndpointAdmin
from webhooks.disabling import disable
from webhooks.rotation import newest
from webhooks.sending import Sent
from webhooks.store import deliveries, endpoints

ENDPOINTS = "/admin/webhooks/endpoint/"
DELIVERIES = "/admin/webhooks/delivery/"
NEW = {"url": "https://shop.example.com/", "types": ["order.placed"], "user_id": "101"}

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.WEBHOOKS = True
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = False


def act(client: Client, page: str, action: str, *ids: str) -> str:
    body = {"action": action, "_selected_action": [*ids]}
    return client.post(page, body, follow=True).content.decode()


def test_an_endpoint_is_made_and_its_secret_shown_once(admin_client: Client) -> None:
    answer = admin_client.post(f"{ENDPOINTS}add/", NEW)

    assert re.search(r"whsec_\S+", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    (made,) = endpoints().find()
    assert (made["user_id"], made["state"]) == (101, "enabled")
    for page in (ENDPOINTS, f"{ENDPOINTS}{made['_id']}/change/"):
        shown = admin_client.get(page).content.decode()
        assert made["url"] in shown
        assert "whsec_" not in shown


def test_a_form_that_is_sent_twice_makes_one_endpoint(admin_client: Client) -> None:
    page = admin_client.get(f"{ENDPOINTS}add/").content.decode()
    sent = BrowserForm(page, "endpoint_form").sent(**NEW)

    first, second = (admin_client.post(f"{ENDPOINTS}add/", sent) for _ in range(2))
    other = admin_client.post(f"{ENDPOINTS}add/", {**sent, "user_id": "202"}, follow=True)

    (made,) = endpoints().find()
    secret = newest(made["secrets"])
    assert secret in first.content.decode()
    assert secret in second.content.decode()
    assert "This form has made an endpoint before" in other.content.decode()


def test_a_form_that_is_sent_again_shows_no_secret_that_a_rotation_made(
    admin_client: Client,
) -> None:
    page = admin_client.get(f"{ENDPOINTS}add/").content.decode()
    sent = BrowserForm(page, "endpoint_form").sent(**NEW)
    admin_client.post(f"{ENDPOINTS}add/", sent)
    (made,) = endpoints().find()
    managing.rotate(made, timedelta(0), "somebody else")

    again = admin_client.post(f"{ENDPOINTS}add/", sent, follow=True).content.decode()

    assert "whsec_" not in again
    assert "This form has made an endpoint before" in again


def test_a_description_is_one_line_as_over_http(admin_client: Client) -> None:
    answer = admin_client.post(f"{ENDPOINTS}add/", {**NEW, "description": "a\nb"})

    assert "Enter one line" in answer.content.decode()
    assert endpoints().count_documents({}) == 0


def test_a_url_inside_is_refused(admin_client: Client) -> None:
    for url in ("http://shop.example.com/", "https://10.0.0.1/", "x"):
        answer = admin_client.post(f"{ENDPOINTS}add/", {**NEW, "url": url})

        assert "Please correct the error below" in answer.content.decode()
    assert endpoints().count_documents({}) == 0


def test_an_endpoint_is_changed_and_keeps_its_owner(admin_client: Client) -> None:
    made = endpoint(101)
    ordered(101)
    (stored,) = deliveries().find()
    answered(stored, Sent(datetime.now(UTC), 7, {}, 500))
    page = f"{ENDPOINTS}{made['_id']}/change/"
    form = BrowserForm(admin_client.get(page).content.decode(), "endpoint_form")
    types = ["order.placed", "order.cancelled"]

    wrong = admin_client.post(page, form.sent(url="https://10.0.0.1/")).content.decode()
    new = "https://new.example.com/"
    sent = form.sent(url=new, description="ours", types=types, user_id="202")
    admin_client.post(page, sent, follow=True)

    assert "Please correct the error below" in wrong
    (changed,) = endpoints().find()
    assert (changed["url"], changed["description"], changed["user_id"]) == (new, "ours", 101)
    assert changed["types"] == sorted(types)
    assert (changed["failures"], changed["held_until"]) == (0, None)
    shown = admin_client.get(f"{ENDPOINTS}{made['_id']}/history/").content.decode()
    assert "Changed URL, description and types" in shown


def test_an_endpoint_is_deleted_with_its_log(admin_client: Client) -> None:
    made, other = endpoint(101), endpoint(101)
    ordered(101)

    asked = admin_client.get(f"{ENDPOINTS}{made['_id']}/delete/").content.decode()
    admin_client.post(f"{ENDPOINTS}{made['_id']}/delete/", {"post": "yes"})

    assert "Deliveries in its log: 1" in asked
    assert [each["_id"] for each in endpoints().find()] == [other["_id"]]
    assert [each["endpoint"] for each in deliveries().find()] == [other["_id"]]
    body = {"action": "delete_selected", "_selected_action": other["_id"], "post": "yes"}
    admin_client.post(ENDPOINTS, body)
    assert endpoints().count_documents({}) == deliveries().count_documents({}) == 0


def test_ids_in_the_lists_lead_to_their_pages(admin_client: Client) -> None:
    made = endpoint(101)
    ordered(101)

    delivered = admin_client.get(DELIVERIES).content.decode()
    of_all = admin_client.get(ENDPOINTS).content.decode()
    of_one = admin_client.get(f"{ENDPOINTS}{made['_id']}/change/").content.decode()

    assert f'<a href="/admin/orders/order/{ORDER_ID}/change/">{ORDER_ID}</a>' in delivered
    assert f'<a href="{ENDPOINTS}{made["_id"]}/change/">{made["_id"]}</a>' in delivered
    for page in (of_all, of_one):
        assert '<a href="/admin/orders/order/?q=101">101</a>' in page


def test_the_actions(admin_client: Client) -> None:
    made = endpoint(101)

    assert "is disabled" in act(admin_client, ENDPOINTS, "disable", made["_id"])
    assert "enable it first" in act(admin_client, ENDPOINTS, "test", made["_id"])
    assert "is enabled" in act(admin_client, ENDPOINTS, "enable", made["_id"])
    assert "the test" in act(admin_client, ENDPOINTS, "test", made["_id"])
    rotated = act(admin_client, ENDPOINTS, "rotate", made["_id"])
    assert newest(made["secrets"]) not in rotated
    assert "whsec_" in rotated
    assert deliveries().count_documents({"type": "webhook.test"}) == 1


def test_a_second_click_sends_no_second_test(admin_client: Client) -> None:
    made = endpoint(101)
    shown = admin_client.get(ENDPOINTS).content.decode()
    chosen = {"action": "test", "_selected_action": made["_id"]}
    sent = BrowserForm(shown, "changelist-form").sent(**chosen)

    first, second = (
        admin_client.post(ENDPOINTS, sent, follow=True).content.decode() for _ in range(2)
    )

    assert "the test</a> is sent." in first
    assert "the test</a> was sent already; nothing more is sent." in second
    assert deliveries().count_documents({"type": "webhook.test"}) == 1
    opened_again = BrowserForm(second, "changelist-form").sent(**chosen)
    admin_client.post(ENDPOINTS, opened_again)
    assert deliveries().count_documents({"type": "webhook.test"}) == 2


def test_what_an_endpoint_is_already_is_told_so(admin_client: Client) -> None:
    made = endpoint(101)
    disable(made["_id"], "Nothing but failures for 5 days.", datetime.now(UTC))

    told = act(admin_client, ENDPOINTS, "disable", made["_id"])
    act(admin_client, ENDPOINTS, "enable", made["_id"])
    enabled = act(admin_client, ENDPOINTS, "enable", made["_id"])

    assert "was disabled already: Nothing but failures for 5 days." in told
    assert "was enabled already" in enabled


def test_a_secret_that_was_not_rotated_is_told_so(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = endpoint(101)
    before = {**made, "secrets": [*made["secrets"], *made["secrets"]]}
    monkeypatch.setattr(EndpointAdmin, "_stored", lambda *_: [before])

    told = act(admin_client, ENDPOINTS, "rotate", made["_id"])

    assert "was not rotated once more" in told
    (stored,) = endpoints().find()
    assert stored["secrets"] == made["secrets"]


def test_an_endpoint_that_cannot_be_rotated_hides_no_new_secret(admin_client: Client) -> None:
    sound, broken = endpoint(101), endpoint(101)
    endpoints().update_one({"_id": broken["_id"]}, {"$set": {"secrets": None}})

    told = act(admin_client, ENDPOINTS, "rotate", sound["_id"], broken["_id"])

    stored = endpoints().find_one({"_id": sound["_id"]})
    assert stored
    assert newest(stored["secrets"]) in told
    assert f"Endpoint {broken['_id']} was not rotated, because of an error" in told


def test_a_delivery_shows_its_log_and_is_sent_again(admin_client: Client) -> None:
    made = endpoint(101)
    ordered(101)
    (stored,) = deliveries().find()
    answered(
        {**stored, "tries": 99}, Sent(datetime.now(UTC), 7, {"webhook-id": "x"}, 500, "<b>oops")
    )

    page = admin_client.get(f"{DELIVERIES}{stored['_id']}/change/").content.decode()
    assert "&lt;b&gt;oops" in page
    long_ago = {"$set": {"due_at": datetime.now(UTC) - timedelta(minutes=1)}}
    deliveries().update_one({"_id": stored["_id"]}, long_ago)
    assert "Sent again: 1." in act(admin_client, DELIVERIES, "send_again", stored["_id"])
    disable(made["_id"], "a test", datetime.now(UTC))
    assert "Enable it first" in act(admin_client, DELIVERIES, "send_again", stored["_id"])


def test_a_second_click_sends_a_delivery_no_third_time(admin_client: Client) -> None:
    endpoint(101)
    ordered(101)
    (stored,) = deliveries().find()
    deliveries().update_one({}, {"$set": {"due_at": datetime.now(UTC) - timedelta(minutes=1)}})
    act(admin_client, DELIVERIES, "send_again", stored["_id"])
    answered({**stored, "tries": 0}, Sent(datetime.now(UTC), 7, {"webhook-id": "x"}, 200, ""))

    told = act(admin_client, DELIVERIES, "send_again", stored["_id"])

    assert "is being sent, or was a moment ago" in told
    (found,) = deliveries().find()
    assert found["state"] == "delivered"


def test_a_second_click_sends_no_delivery_again_that_is_just_being_sent(
    admin_client: Client,
) -> None:
    """Whoever sends it has moved the time at which it is due, for as long as an attempt takes."""
    made = endpoint(101)
    ordered(101)
    (stored,) = deliveries().find()
    deliveries().update_one({}, {"$set": {"due_at": datetime.now(UTC) - timedelta(minutes=1)}})
    assert "Sent again: 1." in act(admin_client, DELIVERIES, "send_again", stored["_id"])
    turn.take(made["_id"])

    told = act(admin_client, DELIVERIES, "send_again", stored["_id"])

    assert "is being sent, or was a moment ago" in told
    (found,) = deliveries().find()
    assert found["due_at"] > datetime.now(UTC)


def test_what_an_endpoint_missed_is_sent_again(admin_client: Client) -> None:
    made = endpoint(101)
    ordered(101)
    (stored,) = deliveries().find()
    answered({**stored, "tries": 99}, Sent(datetime.now(UTC), 7, {}, 500, "oops"))

    asked = act(admin_client, ENDPOINTS, "send_again", made["_id"])
    assert "Since, in UTC" in asked
    assert made["_id"] in asked
    body = {"action": "send_again", "_selected_action": made["_id"], "since": "2026-01-31T12:00"}
    sent = admin_client.post(ENDPOINTS, body, follow=True).content.decode()
    assert "sent again: 1." in sent
    assert [each["state"] for each in deliveries().find()] == ["pending"]


def test_an_orders_page_leads_to_what_was_sent_about_it(settings: Any) -> None:
    endpoint(101)
    ordered(101)
    order = {"_id": ORDER_ID, "user_id": 101}

    (row,) = [each for each in related(order) if each.title == "Webhooks"]
    settings.WEBHOOKS = False

    assert [(item.link.label, item.detail) for item in row.items] == [("order.placed", "pending")]
    assert row.items[0].link.url.startswith(DELIVERIES)
    assert "Webhooks" not in [each.title for each in related(order)]


def test_who_may_only_look_does_nothing(client: Client, django_user_model: Any) -> None:
    from django.contrib.auth.models import Permission

    made = endpoint(101)
    viewer = django_user_model.objects.create_user("viewer", password="x", is_staff=True)
    names = ["view_endpoint", "view_delivery"]
    viewer.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(viewer)

    act(client, ENDPOINTS, "disable", made["_id"])

    assert client.get(ENDPOINTS).status_code == 200
    assert client.get(f"{ENDPOINTS}add/").status_code == 403
    page = f"{ENDPOINTS}{made['_id']}/"
    assert "order.placed" in client.get(f"{page}change/").content.decode()
    assert client.post(f"{page}change/", NEW).status_code == 403
    assert client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert [each["state"] for each in endpoints().find()] == ["enabled"]
