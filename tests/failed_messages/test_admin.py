"""The operator's desk in the admin, as a browser's requests see it."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from functools import partial
from urllib.parse import urlencode

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from failed_messages.acting.discard import discard
from failed_messages.acting.job_control import start
from failed_messages.acting.triage import triage
from failed_messages.admin import list_filters
from failed_messages.models import FailedMessage
from failed_messages.reading.filters import Filter
from messaging.handling import retry_notes
from orders import ledger
from tests import broker
from tests.concurrency import at_once
from tests.failed_messages.letters import ORDER_ID, certificate, failed, record
from tests.failed_messages.staff import staff
from tests.failed_messages.stored_orders import place
from tests.waiting_retry import note_of

pytestmark = pytest.mark.usefixtures("clean")

LIST = "/admin/failed_messages/failedmessage/"

XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "</pre></details><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7|add:7 }}{% debug %}",
    "<!--<script>",
    "&lt;script&gt;",
]


def page_of(stored) -> str:
    return f"{LIST}{stored.pk}/change/"


def act(verb: str, *ids: object) -> str:
    return f"{LIST}act/{verb}/?" + "&".join(f"id={id_}" for id_ in ids)


def user(*permissions: str, is_superuser: bool = False) -> Client:
    """A staff member's browser."""
    member = User.objects.create_user("operator", is_staff=True, is_superuser=is_superuser)
    for codename in permissions:
        member.user_permissions.add(Permission.objects.get(codename=codename))
    client = Client(SERVER_NAME="localhost")
    client.force_login(member)
    return client


@pytest.fixture
def admin(clean) -> Client:
    return user(is_superuser=True)


def shown(client: Client, url: str) -> str:
    response = client.get(url, follow=True)
    assert response.status_code == 200, response.content
    return response.content.decode()


def test_the_page_says_first_what_happened_and_what_to_do(admin):
    order_id = str(place()["_id"])
    content = shown(admin, page_of(failed(correlation_id=order_id)))

    assert "Billing gave up after 2 attempts in 1.0 s: card service timed out" in content
    assert f"Order {order_id} has no invoice; inventory is not affected." in content
    assert reverse("admin:orders_order_change", args=[order_id]) in content
    assert content.index("Attempt 2:") < content.index("Attempt 1:")
    assert "TimeoutError: slow" in content
    assert "As it first arrived" in content


def test_the_page_leads_to_the_trace(admin, settings):
    settings.TRACE_URL = "https://tempo.example.com/trace/{trace_id}"
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    stored = failed(headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})

    assert f'<a href="https://tempo.example.com/trace/{trace}"' in shown(admin, page_of(stored))


@pytest.mark.parametrize("text", XSS)
def test_an_outsiders_text_is_shown_as_text(admin, text):
    attempt = {**certificate()["attempts"][0], "message": text, "traceback": text, "at": text}
    hostile = certificate(
        exception=text, message=text, traceback=text, worker=text, handler=text, release=text,
        attempts=[attempt],
    )  # fmt: skip
    body = json.dumps({"orderId": text, "userId": text, "items": [text], text: text})
    stored = failed(
        death=hostile,
        body=body.encode(),
        headers={"x": text, "nested": {text: [text]}, "x-death": [{"queue": text, "reason": text}]},
        message_id=text,
        type=text,
        correlation_id=text,
        content_type=text,
        app_id=text,
    )
    triage(stored.fingerprint, {"owner": text, "note": text, "fixed_in": text}, text)
    discard([failed(message_id="b").pk], text, text)
    job = start(Filter(group=stored.fingerprint, error=text), text, text)
    group = f"/admin/failed_messages/failuregroup/{stored.fingerprint}/change/"
    pages = (
        page_of(stored),
        LIST,
        f"{LIST}?q=alert",
        f"{LIST}?" + urlencode({"group": text, "type": text, "newerThan": text}),
        act("replay", text, stored.pk),
        f"{LIST}{stored.pk}/edit/",
        f"{LIST}charts/?by=group",
        "/admin/failed_messages/failuregroup/",
        group,
        "/admin/failed_messages/auditentry/",
        f"/admin/failed_messages/replayjob/{job}/change/",
        "/admin/failed_messages/replayjob/",
        "/admin/failed_messages/replayjob/new/?" + urlencode({"error": text}),
    )
    for url in pages:
        content = shown(admin, url)
        assert html.escape(text) in content or url != page_of(stored)
        for poison in ("<script>alert", "<img src=x", "<svg onload", "</pre></details><script"):
            assert poison not in content
        assert 'href="javascript:' not in content


def test_the_page_tells_the_order_and_its_ledger(admin):
    order_id = str(place()["_id"])
    ledger.record(order_id, "inventory", "reserved")
    content = shown(admin, page_of(failed(correlation_id=order_id)))

    assert "Placed, 12.50 EUR; inventory: reserved, billing: pending" in content


def test_the_body_is_saved_and_never_rendered(admin):
    stored = failed(body=b"<script>alert(1)</script>")
    response = admin.get(f"{LIST}{stored.pk}/body/")

    assert response.content == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")


def test_replaying_asks_first_and_tells_what_came_of_it(admin):
    stored = failed()
    question = shown(admin, act("replay", stored.pk))
    assert "1 message: 1 of billing" in question
    assert "and to no other" in question
    assert broker.depth("billing") == 0

    response = admin.post(act("replay"), {"id": str(stored.pk)}, follow=True)
    assert "sent to billing" in response.content.decode()
    assert record(stored.pk).replay.by == "operator"
    assert broker.depth("billing") == 1

    response = admin.post(act("replay"), {"id": str(stored.pk)}, follow=True)
    assert "replaying since" in response.content.decode()
    assert broker.depth("billing") == 1


def test_twenty_people_who_click_at_once_publish_once(admin):
    stored = failed()
    url, form = reverse("admin:failed_messages_act", args=["replay"]), {"id": str(stored.pk)}
    answers = at_once([partial(staff().post, url, form) for _ in range(20)])

    assert {answer.status_code for answer in answers} == {302}
    assert len(broker.take_all("billing")) == 1
    assert [line.act for line in record(stored.pk).history] == ["failed", "replay"]


def test_discarding_wants_a_reason(admin):
    stored = failed()
    response = admin.post(act("discard"), {"id": str(stored.pk), "reason": " "})
    assert "reason: must be given to discard" in response.content.decode()
    assert record(stored.pk).status == "failed"

    admin.post(act("discard"), {"id": str(stored.pk), "reason": "test order"})
    assert record(stored.pk).discard_reason == "test order"
    assert "test order" in shown(admin, page_of(stored))

    admin.post(act("restore"), {"id": str(stored.pk)})
    assert record(stored.pk).status == "failed"


def test_a_selection_is_replayed_in_one_go(admin):
    chosen = [str(failed(message_id=str(number)).pk) for number in range(3)]
    question = admin.post(LIST, {"action": "replay_selected", "_selected_action": chosen})
    assert "3 messages: 3 of billing" in question.content.decode()

    admin.post(act("replay"), {"id": chosen})
    assert broker.depth("billing") == 3


def test_only_post_with_a_token_acts(admin):
    stored = failed()
    admin.get(act("replay", stored.pk))
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    strict.cookies = admin.cookies
    assert strict.post(act("replay"), {"id": str(stored.pk)}).status_code == 403
    assert record(stored.pk).status == "failed"


def test_who_may_only_view_sees_why_the_buttons_are_off():
    stored = failed()
    viewer = user("view_failedmessage")
    content = shown(viewer, page_of(stored))

    assert "You lack the permission failed_messages.replay_failedmessage" in content
    assert "You lack the permission failed_messages.discard_failedmessage" in content
    for verb in ("replay", "discard", "restore"):
        assert viewer.get(act(verb, stored.pk)).status_code == 403
        assert viewer.post(act(verb), {"id": str(stored.pk), "reason": "x"}).status_code == 403
    assert "replay_selected" not in shown(viewer, LIST)
    assert record(stored.pk).status == "failed"


def test_the_lists_say_why_nothing_can_be_done_there():
    failed()
    viewer = user("view_failedmessage")
    content = shown(viewer, LIST)
    for permission in ("replay_failedmessage", "discard_failedmessage"):
        assert f"You lack the permission failed_messages.{permission}." in content
    assert "/replayjob/new/" not in content
    policies = shown(viewer, "/admin/failed_messages/replaypolicy/")
    assert "You lack the permission failed_messages.replay_failedmessage." in policies


def test_a_replay_is_confirmed_beside_its_runbook(admin):
    content = shown(admin, act("replay", failed().pk))

    assert "Replay is safe." in content
    assert "Invoices are issued once for each order" in content


def test_replaying_and_discarding_are_permitted_apart():
    stored = failed()
    replayer = user("view_failedmessage", "replay_failedmessage")

    assert replayer.post(act("discard"), {"id": str(stored.pk), "reason": "x"}).status_code == 403
    assert replayer.post(act("replay"), {"id": str(stored.pk)}).status_code == 302
    assert record(stored.pk).status == "replaying"


def test_without_the_permission_nothing_is_shown():
    stored = failed()
    nobody = user()

    for url in (LIST, page_of(stored), f"{LIST}{stored.pk}/body/"):
        assert nobody.get(url).status_code == 403


def test_records_are_not_edited_by_hand(admin):
    stored = failed()

    assert admin.get(f"{LIST}add/").status_code == 403
    assert admin.get(f"{LIST}{stored.pk}/delete/").status_code == 403
    admin.post(page_of(stored), {"status": "resolved"})
    assert record(stored.pk).status == "failed"


@pytest.mark.parametrize("id_", ["nonsense", "0" * 24, "..%2F", "%00", "1' OR '1'='1"])
def test_what_does_not_exist_is_not_found(admin, id_):
    assert admin.get(f"{LIST}{id_}/change/").status_code in (302, 404)
    assert admin.post(act("replay"), {"id": id_}).status_code == 302
    assert admin.get(f"{LIST}act/delete/").status_code == 404


@pytest.mark.parametrize(
    "words", [ORDER_ID, f"order.placed:{ORDER_ID}", "500", "TIMED out", "timeouterror", ".", "[("]
)
def test_search_by_what_is_at_hand(admin, words):
    stored = failed()
    other = failed(
        death=certificate(exception="KeyError", message="'sku'"),
        body=b'{"userId": 1}',
        message_id="other",
        correlation_id="other",
    )
    content = admin.get(LIST, {"q": words}).content.decode()

    assert (str(stored.pk) in content) == (words not in (".", "[("))
    assert str(other.pk) not in content


def test_filters(admin):
    stored = failed()
    discard([stored.pk], "operator", "test")
    for query in ("status=discarded", "service=billing", "reason=attempts_used_up"):
        assert str(stored.pk) in shown(admin, f"{LIST}?{query}")
    for query in ("status=failed", "service=orders", "reason=expired"):
        assert str(stored.pk) not in shown(admin, f"{LIST}?{query}")


def test_the_list_is_sorted_as_asked(admin):
    ages = {"old": (3, 30, 1), "worn": (2, 10, 9), "young": (1, 20, 2)}
    for name, (last, first, attempts) in ages.items():
        stored = failed(message_id=name, correlation_id=name)
        now = stored.last_failed_at
        FailedMessage.objects.filter(pk=stored.pk).update(
            last_failed_at=now - timedelta(hours=last),
            first_failed_at=now - timedelta(hours=first),
            attempts=attempts,
        )

    def names(query: str) -> list[str]:
        content = shown(admin, f"{LIST}?status=failed{query}")
        return re.findall(r'class="field-order">.*?(old|worn|young)', content)

    assert names("") == ["young", "worn", "old"]
    assert names("&sort=nonsense") == []
    assert names("&sort=longest") == ["old", "worn", "young"]
    assert names("&sort=first") == ["old", "young", "worn"]
    assert names("&sort=attempts") == ["worn", "young", "old"]


def test_groups_to_choose_from_are_those_of_which_most_is_failed(admin, monkeypatch):
    monkeypatch.setattr(list_filters, "MOST_GROUPS", 2)
    groups = [
        failed(
            death=certificate(exception=f"Error{number}"), message_id=f"m{number}-{each}"
        ).fingerprint
        for number in range(3)
        for each in range(3 - number)
    ]
    most, more, least = dict.fromkeys(groups)

    content = shown(admin, f"{LIST}?status=failed")
    asked = shown(admin, f"{LIST}?group={least}")

    offered = re.findall(r"billing: (Error\d) \((\w+)\): (\d)", content)
    assert offered == [("Error0", most, "3"), ("Error1", more, "2")]
    assert f"billing: Error2 ({least}): 1" in asked


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"orderId={ORDER_ID}", True),
        ("orderId=other", False),
        ("userId=500", True),
        ("userId=501", False),
        (f"messageId=order.placed:{ORDER_ID}", True),
        ("messageId=other", False),
        ("error=TIMED+out", True),
        ("error=timed+in", False),
        ("error=timed+out&service=orders", False),
        ("q=timed+out&newerThan=1h&type=order.placed", True),
    ],
)
def test_a_filter_kept_as_a_url_is_the_same_in_the_admin_as_elsewhere(admin, query, found):
    stored = failed()
    assert (str(stored.pk) in shown(admin, f"{LIST}?{query}")) is found
    items = admin.get(f"/failed-messages?{query}").json()["items"]
    assert bool(items) is found


def test_the_list_shows_what_its_button_replays(admin):
    """A filter is read in one way: without blanks around it, and an id of ours in any case."""
    order_id = f"6743{'ab' * 10}"
    stored = failed(correlation_id=order_id)
    for query in (
        {"orderId": order_id.upper()},
        {"group": stored.fingerprint.upper()},
        {"messageId": f" {stored.message_id} "},
        {"status": " failed ", "newerThan": " 1h "},
    ):
        content = shown(admin, f"{LIST}?{urlencode(query)}")
        [preview] = re.findall(r'<a href="([^"]+)" id="bulk"', content)
        assert str(stored.pk) in content, query
        assert "1 message to billing only." in shown(admin, html.unescape(preview)), query

    assert str(stored.pk) not in shown(admin, f"{LIST}?olderThan=+1h+")


def test_when_a_message_was_published_is_written_as_every_time_is(admin):
    original = {**certificate()["original"], "properties": {"timestamp": 1_780_000_000}}
    stored = failed(death=certificate(original=original), timestamp=1_790_000_000)

    content = shown(admin, page_of(stored))

    assert '<pre class="fm-wrap">2026-09-21 14:13:20 UTC</pre>' in content
    assert "&quot;timestamp&quot;: &quot;2026-05-28 20:26:40 UTC&quot;" in content


def test_a_moment_that_is_in_no_year_is_shown_as_it_came(admin):
    original = {**certificate()["original"], "properties": {"timestamp": 2**62}}
    stored = failed(death=certificate(original=original), timestamp=2**62)

    assert shown(admin, page_of(stored)).count(str(2**62)) == 2


def test_orders_that_there_are_are_links_and_others_text(admin):
    """In the list, before an act, in a group, in a job, and where a retry waits."""
    ours, lost = str(place()["_id"]), f"6743{'ab' * 10}"
    stored = [
        failed(correlation_id=each, message_id=f"order.placed:{each}") for each in (ours, lost)
    ]
    job = start(Filter(service="billing"), "operator", "a test")
    troubled = {"job": job, "job_state": "recurred"}
    FailedMessage.objects.filter(pk__in=[each.pk for each in stored]).update(**troubled)
    notes = [note_of(each, f"order.placed:{each}", "billing.retry.2m") for each in (ours, lost)]
    retry_notes.notes().insert_many(notes)
    retry = f"{LIST}retries/{quote(retry_notes.id_of(notes[1]))}/retry-now/"

    for page in (
        f"{LIST}?status=all",
        act("discard", *(each.pk for each in stored)),
        f"/admin/failed_messages/failuregroup/{stored[0].fingerprint}/change/",
        f"/admin/failed_messages/replayjob/{job}/change/",
        f"{LIST}retries/",
        retry,
    ):
        content = shown(admin, page)
        assert lost in content, page
        assert f"/orders/order/{lost}/change/" not in content, page
        assert page == retry or f"/orders/order/{ours}/change/" in content, page
