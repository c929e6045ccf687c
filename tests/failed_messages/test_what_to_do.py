"""What the desk says to do about a message, and what it is about, before anything is done."""

from __future__ import annotations

import html
import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from failed_messages.models import FailedMessage
from failed_messages.reading.next_step import consequence
from orders import ledger
from orders.facts_for_desk import Facts
from ordersite.simulated_faults.models import SimulatedFault
from tests.failed_messages.letters import ORDER_ID, certificate, failed
from tests.failed_messages.stored_orders import place
from tests.failed_messages.test_admin import LIST, act, page_of, shown, user


@pytest.fixture
def admin(clean: None) -> Client:
    return user(is_superuser=True)


def test_a_message_about_an_order_that_there_is_not_says_so(admin):
    content = shown(admin, page_of(failed()))

    assert f"There is no order {ORDER_ID} here" in content
    assert "has no invoice" not in content
    assert reverse("admin:orders_order_change", args=[ORDER_ID]) not in content


@pytest.mark.parametrize(
    ("service", "type_", "state", "reason", "said"),
    [
        ("billing", "order.placed", "pending", "time_limit", "Order o1 has no invoice; inventory"),
        (
            *("billing", "order.placed", "invoiced", "time_limit"),
            "Nothing is missing: billing has done its part for order o1, which is invoiced.",
        ),
        (
            *("inventory", "order.placed", "reserved", "time_limit"),
            "Nothing is missing: inventory has done its part for order o1, which is reserved.",
        ),
        (
            *("billing", "order.placed", "pending", "unroutable"),
            "Billing has done its part for order o1, but its event is not published",
        ),
        (
            *("billing", "order.placed", "invoiced", "unroutable"),
            "Nothing is missing: billing has done its part for order o1",
        ),
        (
            *("billing", "order.cancelled", "invoiced", "time_limit"),
            "The invoice of order o1 is not credited.",
        ),
        (
            *("billing", "order.cancelled", "pending", "time_limit"),
            "Order o1 has no invoice, so nothing is to be credited; one that billing issues later",
        ),
        (
            *("billing", "order.rejected", "pending", "time_limit"),
            "Order o1 has no invoice, so nothing is to be credited; one that billing issues later",
        ),
        (
            *("billing", "order.rejected", "credited", "time_limit"),
            "Nothing is missing: billing has done its part for order o1, which is credited.",
        ),
        (
            *("billing", "order.cancelled", "pending", "unroutable"),
            "Billing has done its part for order o1, but its event is not published",
        ),
        (
            *("inventory", "order.cancelled", "reserved", "time_limit"),
            "What order o1 had reserved is not available again; billing is not affected.",
        ),
        (
            *("inventory", "order.cancelled", "pending", "time_limit"),
            "Nothing is reserved for order o1, so nothing is to be released; what inventory",
        ),
        (
            *("inventory", "order.cancelled", "rejected", "time_limit"),
            "Nothing was reserved for order o1, so nothing is to be released.",
        ),
        (
            *("inventory", "order.cancelled", "shipped", "permanent_error"),
            "The goods of order o1 have left the house, so nothing is released",
        ),
    ],
)
def test_what_is_missing_depends_on_what_the_service_has_done_for_the_order(
    service, type_, state, reason, said
):
    record = FailedMessage(
        service=service, type=type_, reason=reason, order_id="o1", status="failed"
    )
    order = Facts("cancelled", 1, Decimal(1), "EUR", {service: state})

    assert consequence(record, order).startswith(said)


def test_nothing_is_missing_where_another_message_has_led_to_it_since(admin):
    order_id = str(place()["_id"])
    stored = failed(correlation_id=order_id)
    ledger.record(order_id, "billing", "invoiced", "2026-000001")

    for address in (page_of(stored), act("replay", stored.pk)):
        content = shown(admin, address)

        assert f"billing has done its part for order {order_id}, which is invoiced" in content
        assert "has no invoice" not in content


def test_properties_that_nobody_sent_are_marked_as_ours(admin):
    content = shown(admin, page_of(failed(app_id="billing")))

    assert '<th scope="row">app_id (ours)</th>' in content
    assert '<th scope="row">message_id</th>' in content


@pytest.mark.parametrize(
    ("death", "words"),
    [
        ({"reason": "undecodable"}, ["not JSON", "As it is, a replay fails in the same way."]),
        ({"reason": "invalid_body"}, ["names the field", "As it is, a replay fails"]),
        ({"reason": "delivery_limit"}, ["memory", "TASK_TIME_LIMIT_SECONDS"]),
        ({"reason": "time_limit"}, ["TASK_SOFT_TIME_LIMIT_SECONDS"]),
        ({"reason": "too_large"}, ["MAX_MESSAGE_BYTES", "As it is, a replay fails"]),
        ({"reason": "unknown_type"}, ["has no handler for this type", "As it is, a replay fails"]),
        ({"reason": "invalid_properties"}, ["which property or header", "As it is, a replay"]),
        ({"reason": "unroutable"}, ["declare_topology", "the event is published"]),
        ({"reason": "returned"}, ["whether the service's workers run"]),
        ({"reason": "rejected"}, ["the service's log"]),
        ({"reason": "expired"}, ["keep up"]),
        ({"reason": "queue_full"}, ["its limit"]),
        (
            {"message": "Simulated fault: billing fails for user 500 (order.placed)."},
            ["somebody simulated", "/admin/simulated_faults/simulatedfault/"],
        ),
    ],
    ids=lambda value: str(next(iter(value.values()))) if isinstance(value, dict) else "",
)
def test_the_next_step_follows_the_cause(admin, death, words):
    content = shown(admin, page_of(failed(death=certificate(**death))))

    assert [each for each in words if each not in html.unescape(content)] == []
    if "message" not in death:
        assert "Invoices are issued once" not in content
    if "As it is" in words[-1]:
        assert "replay is safe" not in content
        assert 'class="button fm-plain" id="replay"' in content


def test_a_type_without_a_handler_is_not_given_the_general_advice(admin):
    death = certificate(reason="unknown_type", message="type 'order.held' is unknown")

    content = shown(admin, page_of(failed(death=death, type="order.held")))

    assert "has no handler for this type" in content
    assert "fix its cause, then replay" not in content


def test_a_replay_that_kills_another_worker_is_neither_called_safe_nor_advised(admin):
    deadly = failed(death=certificate(reason="delivery_limit", message="It was killed."))
    pages = {
        "message": page_of(deadly),
        "confirm": act("replay", deadly.pk),
        "bulk": f"/admin/failed_messages/replayjob/new/?group={deadly.fingerprint}",
        "group": f"/admin/failed_messages/failuregroup/{deadly.fingerprint}/change/",
    }
    for name, address in pages.items():
        content = shown(admin, address)

        assert "a replay kills another worker" in content, name
        assert "eplay is safe" not in content, name
        button = re.search(r'<(?:a|button)[^>]* id="(?:confirm|replay)"', content)
        assert button, name
        assert "fm-plain" in button[0], name


@pytest.mark.parametrize("reason", ["too_large", "unknown_type"])
def test_what_a_service_refuses_is_counted_among_those_that_fail_again(admin, reason):
    refused = failed(death=certificate(reason=reason))

    content = shown(admin, act("replay", refused.pk))

    assert "1 message fails again in the same way." in content


@pytest.mark.parametrize(("kind", "reason"), [("slow", "time_limit"), ("crash", "delivery_limit")])
def test_a_simulated_fault_without_words_is_named_with_its_page(admin, kind, reason):
    fault = SimulatedFault.objects.create(service="billing", user_id=500, kind=kind)
    stored = failed(death=certificate(reason=reason, message="Its worker was killed."))

    content = shown(admin, page_of(stored))

    assert f"somebody simulates on purpose: billing, user 500: {kind}" in content
    assert f'href="/admin/simulated_faults/simulatedfault/{fault.pk}/change/"' in content
    assert "OOM" not in content
    assert "TASK_SOFT_TIME_LIMIT_SECONDS" not in content


def test_a_simulated_fault_that_was_removed_is_said_to_be_gone(admin):
    """As docs/first-steps.md goes: fail, remove the fault, replay."""
    stored = failed(death=certificate(message="Simulated fault: billing fails for user 500."))

    content = shown(admin, page_of(stored))

    assert (
        "a fault of billing that somebody simulated for user 500, and it is gone since" in content
    )
    assert "Remove it" not in content


def test_of_stopped_retries_the_simulated_fault_behind_them_is_named(admin):
    fault = SimulatedFault.objects.create(service="billing", user_id=500, kind="error")
    attempt = {**certificate()["attempts"][0], "message": "Simulated fault: billing fails."}
    stopped = {"reason": "stopped", "message": "stopped by anna: enough", "attempts": [attempt]}
    stored = failed(death=certificate(**stopped))

    content = shown(admin, page_of(stored))

    assert "somebody simulates on purpose: billing, user 500: error" in content
    assert f'href="/admin/simulated_faults/simulatedfault/{fault.pk}/change/"' in content

    fault.delete()

    assert "it is gone since: replay it" in shown(admin, page_of(stored))


def test_the_page_of_a_cause_names_and_links_the_fault_that_somebody_simulates(admin):
    fault = SimulatedFault.objects.create(service="billing", user_id=500, kind="error")
    words = "Simulated fault: billing fails for user 500 (order.placed)."
    cause = failed(death=certificate(message=words)).fingerprint

    content = shown(admin, f"/admin/failed_messages/failuregroup/{cause}/change/")

    assert "somebody simulates on purpose: billing, user 500: error" in content
    assert f'href="/admin/simulated_faults/simulatedfault/{fault.pk}/change/"' in content


def test_a_replay_that_fails_again_is_nowhere_called_safe(admin):
    wrong = failed(death=certificate(reason="undecodable", message="not JSON"), body=b"{")
    pages = {
        "confirm": act("replay", wrong.pk),
        "bulk": f"/admin/failed_messages/replayjob/new/?group={wrong.fingerprint}",
        "group": f"/admin/failed_messages/failuregroup/{wrong.fingerprint}/change/",
    }
    for name, address in pages.items():
        content = shown(admin, address)

        assert "Replay is safe" not in content, name
        assert "As it is, a replay fails in the same way. Its body is not JSON" in content, name
        button = re.search(r'<(?:a|button)[^>]* id="(?:confirm|replay)"', content)
        assert button, name
        assert "fm-plain" in button[0], name
        assert "default" not in button[0], name


def test_of_a_selection_those_that_fail_again_are_counted(admin):
    wrong = failed(death=certificate(reason="invalid_body"), message_id="wrong")
    content = shown(admin, act("replay", wrong.pk, failed().pk))

    assert "1 message fails again in the same way." in content
    assert "Replay is safe. " in content
    assert "billing, order.placed, the body is not what the handler needs:" in content
    assert "fm-plain" not in content


def test_the_page_of_a_body_shows_what_was_wrong_with_it(admin):
    wrong = 'userId must be a whole number; for example {"orderId": "6743…", "userId": 101}'
    stored = failed(death=certificate(reason="invalid_body", message=wrong))

    content = shown(admin, f"{LIST}{stored.pk}/edit/")

    assert "What was wrong:</strong> userId must be a whole number</p>" in content
    right = f'{{\n  "orderId": "{stored.order_id}",\n  "userId": 101\n}}'
    assert html.escape(right) in content


def test_an_example_that_is_cut_is_shown_as_it_is(admin):
    wrong = 'items is missing; for example {"orderId": "67'
    stored = failed(death=certificate(reason="invalid_body", message=wrong))

    assert html.escape('{"orderId": "67</pre>'[:-6]) in shown(admin, f"{LIST}{stored.pk}/edit/")


def test_a_moment_is_told_as_its_age_and_exactly(admin):
    stored = failed()

    content = shown(admin, LIST)

    assert re.search(r"\d s ago<br>", content)
    assert f"<small>{stored.last_failed_at:%Y-%m-%d %H:%M:%S} UTC</small>" in content


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_a_confirmation_names_message_order_error_and_consequence(admin, verb):
    order_id = str(place()["_id"])
    content = shown(admin, act(verb, failed(correlation_id=order_id).pk))

    for words in ("billing: order.placed", order_id, "card service timed out", "has no invoice"):
        assert words in content
    assert ("fm-danger" in content) is (verb == "discard")
