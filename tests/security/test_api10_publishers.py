"""API10, unsafe consumption: an event is taken from those alone whose declaration publishes it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.checks import WARNING
from django.test import override_settings
from kombu.message import Message

from failed_messages.archiving import dead_letter
from localservices.pipeline import procfile
from messaging.adapters.py_amqp import RAW, decode_table, read_properties
from messaging.certificate import Reason
from messaging.errors import InvalidMessage
from messaging.incoming import body_of, delivery_of
from messaging.message import Message as Outgoing
from messaging.publishing.properties import CONTENT_HEADER, properties_of
from messaging.service import services
from messaging.trust.publishers import PUBLISHER
from messaging.trust.users import user_of
from ordersite.broker.raw_messages import copy_of
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


#: Of a content header, whose last part they are.
FLAGS_BYTES = 2
#: Who may say in a dead letter of billing, or in a message on its queue, whose message it is.
NAMING = ("billing", "web", "scheduler", "operator")


def archived(monkeypatch: pytest.MonkeyPatch, user_id: Any, **headers: Any) -> tuple[Any, str]:
    """The publisher that the desk shows of a dead letter of billing, and that of its replay."""
    monkeypatch.setattr(dead_letter, "mongodb_now", lambda: datetime.now(UTC))
    letter = dead_letter.read(message("order.placed", user_id, **headers), "billing")
    replay = message("order.placed", user_of("web"), **decode_table(letter.header_table))
    shown = json.loads(letter.headers).get(PUBLISHER)
    return shown, delivery_of(replay, services()["billing"]).publisher


@override_settings(EXTERNAL_PUBLISHERS=["shop:order.placed"])
def test_a_dead_letter_is_of_whom_its_own_service_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with override_settings(AMQP_URL=URL.format(user_of("archiver"))):
        for kind in NAMING:
            assert archived(monkeypatch, user_of(kind), publisher="shop") == ("shop", "shop")
        for kind in ("inventory", "orders"):
            shown, replayed = archived(monkeypatch, user_of(kind), publisher="shop")
            assert (shown, replayed) == (user_of(kind), user_of("web"))
        assert archived(monkeypatch, None, publisher="shop") == (None, user_of("web"))
        assert archived(monkeypatch, "evil", publisher="shop") == ("evil", "evil")


@override_settings(EXTERNAL_PUBLISHERS=["shop:order.placed"])
def test_what_rabbitmq_itself_gave_up_is_still_its_publishers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deaths = [{"queue": "billing", "reason": "expired", "count": 1}]
    with override_settings(AMQP_URL=URL.format(user_of("archiver"))):
        told = {"x-death": deaths, "publisher": user_of("relay")}
        assert archived(monkeypatch, "shop", **told) == ("shop", "shop")
        assert archived(monkeypatch, "shop", **{"x-death": deaths}) == ("shop", "shop")
        shown, _ = archived(monkeypatch, user_of("relay"), **{"x-death": deaths})
        assert shown is None


def moved(user_id: str, by_name: bool, **headers: Any) -> Message:
    """A message on billing's queue, as `topology apply` publishes it anew."""
    original = Outgoing(b"{}", "order.placed", "order.placed:1", headers=headers)
    raw = properties_of(original, user_id)[CONTENT_HEADER.size - FLAGS_BYTES :]
    found = message("order.placed", user_id)
    found.properties = read_properties(raw, 0)[0] if by_name else {RAW: raw}
    copy = copy_of(found, user_of("operator"), "billing")
    sent = dict(copy.named) if by_name else read_properties(copy.properties, 0)[0]
    return message("order.placed", sent["user_id"], **sent["application_headers"])


@pytest.mark.parametrize("by_name", [True, False])
@override_settings(EXTERNAL_PUBLISHERS=["shop:order.placed"])
def test_what_topology_moves_is_still_its_publishers(by_name: bool) -> None:
    def publisher(user_id: str, **headers: Any) -> str:
        found = moved(user_id, by_name, **headers)
        assert found.properties["user_id"] == user_of("operator")
        return delivery_of(found, services()["billing"]).publisher

    with override_settings(AMQP_URL=URL.format(user_of("operator"))):
        assert publisher("shop") == "shop"
        assert publisher("evil", publisher="shop") == "evil"
        for kind in NAMING:
            assert publisher(user_of(kind), publisher="shop") == "shop"
        for kind in ("inventory", "orders", "relay", "archiver"):
            assert publisher(user_of(kind), publisher="shop") == user_of("operator")
            assert publisher(user_of(kind)) == user_of("operator")


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
