"""API10, unsafe consumption: an event is taken from those alone whose declaration publishes it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import WARNING
from django.test import override_settings
from kombu.message import Message

from localservices.pipeline import procfile
from messaging.certificate import Reason
from messaging.errors import InvalidMessage
from messaging.incoming import body_of, delivery_of
from messaging.service import services
from messaging.trust.publishers import PUBLISHER
from messaging.trust.users import user_of
from ordersite.publisher_checks import check_publishers

KNOWN = frozenset({"order.placed", "order.cancelled", "billing.invoiced", "inventory.shipped"})
URL = "amqp://{}:secret@localhost/"


def message(type_: str, user_id: Any, **headers: Any) -> Message:
    properties = {"type": type_, "user_id": user_id, "content_type": "application/json"}
    info = {"exchange": "", "routing_key": "", "redelivered": False}
    made = Message(body=b"{}", properties=properties, headers=headers, delivery_info=info)
    made.content_type, made.content_encoding = "application/json", None
    return made


def refusal(queue: str, type_: str, user_id: Any, **headers: Any) -> str:
    """Why the service does not take the message; empty where it does."""
    try:
        body_of(message(type_, user_id, **headers), services()[queue], KNOWN)
    except InvalidMessage as error:
        return error.reason
    return ""


#: Queue, type, and the kinds of process whose messages of it are taken; beside those that replay.
TAKEN = [
    ("billing", "order.placed", {"relay", "billing"}),
    ("inventory", "order.placed", {"relay", "inventory"}),
    ("inventory", "order.cancelled", {"relay", "inventory"}),
    ("orders", "billing.invoiced", {"billing", "orders"}),
    ("orders", "inventory.shipped", {"inventory", "orders"}),
]
PROCESSES = (*procfile(), "operator")


@pytest.mark.parametrize(("queue", "type_", "kinds"), TAKEN)
def test_each_event_is_taken_from_its_publishers_alone(
    queue: str, type_: str, kinds: set[str]
) -> None:
    own = URL.format(user_of(queue))
    with override_settings(EXTERNAL_PUBLISHERS=[], AMQP_URL=own):
        taken = {each for each in PROCESSES if not refusal(queue, type_, user_of(each))}

    assert taken == kinds | {"web", "scheduler", "operator"}


EXTERNAL_USERS: list[Any] = [
    *("guest", "shop", "", None, 7, [], "\udcff", "ordersite", "relay", "*"),
    *(user_of("relay").upper(), user_of("relay") + " ", "é" * 200, "x" * 255),
]


@pytest.mark.parametrize("user", EXTERNAL_USERS, ids=map(str, range(len(EXTERNAL_USERS))))
@override_settings(EXTERNAL_PUBLISHERS=["shop:order.cancelled"], AMQP_URL=URL.format("own"))
def test_an_external_user_is_refused_whatever_the_message_says(user: Any) -> None:
    for headers in ({}, {PUBLISHER: user_of("relay")}):
        assert refusal("billing", "order.placed", user, **headers) == Reason.UNTRUSTED_PUBLISHER


@override_settings(EXTERNAL_PUBLISHERS=["shop:order.placed"], AMQP_URL=URL.format("own"))
def test_a_listed_user_may_publish_what_is_listed() -> None:
    assert refusal("billing", "order.placed", "shop") == ""
    assert refusal("billing", "order.cancelled", "shop") == Reason.UNTRUSTED_PUBLISHER


@override_settings(EXTERNAL_PUBLISHERS=["*:*"])
def test_in_development_everyone_may() -> None:
    assert {refusal("billing", "order.placed", user) for user in (None, "guest", "shop")} == {""}


@override_settings(EXTERNAL_PUBLISHERS=[], AMQP_URL=URL.format("shared"))
def test_who_shares_the_login_of_all_processes_is_one_of_them() -> None:
    assert refusal("orders", "billing.invoiced", "shared") == ""


@override_settings(EXTERNAL_PUBLISHERS=["shop:order.placed"], AMQP_URL=URL.format("own"))
def test_a_retry_and_a_replay_are_still_their_first_publishers() -> None:
    billing = services()["billing"]
    first = delivery_of(message("order.placed", "shop"), billing)
    again = delivery_of(message("order.placed", user_of("web"), **first.headers), billing)

    assert (first.publisher, again.publisher) == ("shop", "shop")
    evil = delivery_of(message("order.placed", "evil", publisher="shop"), billing)
    assert (evil.publisher, evil.headers[PUBLISHER]) == ("evil", "evil")
    assert refusal("billing", "order.placed", user_of("web"), publisher="evil")
    assert delivery_of(
        message("order.placed", user_of("web"), publisher=user_of("relay")), billing
    ).publisher == user_of("web")
    ours = delivery_of(message("order.placed", user_of("relay")), billing)
    assert PUBLISHER not in ours.headers


@pytest.mark.parametrize(
    ("entry", "told", "fix"),
    [
        ("shop:order.place", "no service publishes or handles order.place,", "=shop:order.placed"),
        (
            "*:nonsense",
            "no service publishes or handles nonsense,",
            "Write one of billing.credited",
        ),
        ("own:order.placed", "own is the login of a process of this site", "=shop:order.placed"),
        ("*:*", "every user of RabbitMQ is believed", "shop:order.placed"),
    ],
)
@override_settings(DEBUG=False, AMQP_URL=URL.format("own"))
def test_a_setting_that_names_nothing_or_one_of_ours_is_told(
    entry: str, told: str, fix: str
) -> None:
    with override_settings(EXTERNAL_PUBLISHERS=["shop:order.placed", entry]):
        [warning] = check_publishers()

    assert warning.msg.startswith(f"EXTERNAL_PUBLISHERS has {entry!r}: {told}")
    assert fix in warning.hint
    assert warning.level == WARNING


@override_settings(DEBUG=False, AMQP_URL=URL.format("own"))
def test_a_process_of_ours_is_no_external_publisher() -> None:
    with override_settings(EXTERNAL_PUBLISHERS=[f"{user_of('billing')}:*"]):
        [warning] = check_publishers()
    assert "is the login of a process" in warning.msg
    fine = ["shop:order.placed", "shop:*", "*:order.cancelled", "a:b:billing.invoiced"]
    with override_settings(EXTERNAL_PUBLISHERS=fine):
        assert check_publishers() == []
    with override_settings(EXTERNAL_PUBLISHERS=["*:*"], DEBUG=True):
        assert check_publishers() == []


def test_the_refusal_names_the_fix() -> None:
    with (
        override_settings(EXTERNAL_PUBLISHERS=[], AMQP_URL=URL.format("own")),
        pytest.raises(InvalidMessage, match="add shop:order"),
    ):
        body_of(message("order.placed", "shop"), services()["billing"], KNOWN)
