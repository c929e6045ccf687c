"""What is told of a trouble: its cause and what to do, once."""

from __future__ import annotations

import amqp
import pytest
from django.test import override_settings
from kombu.exceptions import OperationalError
from pymongo.errors import AutoReconnect, OperationFailure

from messaging.errors import PublishError, Unroutable
from messaging.outages import is_outage
from runtime.outage import Outage
from runtime.trouble import Refusal, Reported, in_words, refusal

NOBODY = (0, 0)
OPEN = (10, 40)
PUBLISH = (60, 40)
CONSUME = (60, 20)


def raised_from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            amqp.AccessRefused("ACCESS_REFUSED - Login was refused using …", NOBODY),
            ["login of the user shop", "rabbitmqctl change_password shop", "correct AMQP_URL"],
        ),
        (
            amqp.NotAllowed("NOT_ALLOWED - vhost a b not found", OPEN),
            ["no virtual host 'a b'", "rabbitmqctl add_vhost 'a b'"],
        ),
        (
            amqp.NotAllowed("NOT_ALLOWED - access to vhost 'a b' refused for user 'shop'", OPEN),
            ["rabbitmqctl set_permissions -p 'a b' shop '.*' '.*' '.*'"],
        ),
        (
            amqp.NotAllowed("NOT_ALLOWED - …: connection limit (1) is reached", OPEN),
            ["limit (1) is reached", "clear_vhost_limits -p 'a b'"],
        ),
        # As 3.10 says it, and as 4.0 does.
        (
            amqp.AccessRefused("ACCESS_REFUSED - access to queue 'billing' in vhost …", CONSUME),
            ["access to queue 'billing'", "rabbitmqctl set_permissions -p 'a b' shop"],
        ),
        (
            amqp.AccessRefused("ACCESS_REFUSED - read access to queue 'billing' in …", CONSUME),
            ["read access to queue 'billing'", "rabbitmqctl set_permissions -p 'a b' shop"],
        ),
        (
            amqp.AccessRefused("ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use", CONSUME),
            ["exclusive use", "rabbitmqctl list_consumers"],
        ),
        (
            amqp.NotFound("NOT_FOUND - no exchange 'order_events' in vhost '/'", PUBLISH),
            ["no exchange 'order_events'", "python manage.py declare_topology"],
        ),
        (
            amqp.PreconditionFailed(
                "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout "
                "value used: 60000 ms.",
                NOBODY,
            ),
            ["consumer_timeout", "60000 ms", "application:set_env(rabbit, consumer_timeout,"],
        ),
        (
            amqp.PreconditionFailed("PRECONDITION_FAILED - inequivalent arg 'x-ttl'", NOBODY),
            ["inequivalent arg", "python manage.py doctor"],
        ),
        (
            OperationFailure("Authentication failed.", 18, {"errmsg": "Authentication failed."}),
            ["MongoDB refuses the login", "Authentication failed)", "correct MONGODB_URL"],
        ),
        (
            OperationFailure(
                "full",
                13,
                {"errmsg": "not authorized on shop to execute command { insert: 'secret' }"},
            ),
            ["not authorized on shop.", 'role: "readWrite", db: "shop"'],
        ),
    ],
)
@override_settings(AMQP_URL="amqp://shop:secret@h/a%20b", MONGODB_DATABASE="shop")
def test_a_refusal_names_cause_and_next_step(error: Exception, said: list[str]) -> None:
    wrapped = raised_from(Outage("…"), raised_from(PublishError("…"), error))

    for each in (error, wrapped):
        words = in_words(each)
        assert isinstance(words, Refusal)
        for text in said:
            assert text in words
        assert "secret" not in words


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "Connection refused"),
        raised_from(OperationalError("timed out"), TimeoutError("timed out")),
        amqp.ConnectionForced("CONNECTION_FORCED - broker forced connection closure", NOBODY),
        amqp.RecoverableConnectionError("connection already closed"),
        AutoReconnect("connection closed"),
        OperationFailure("not primary", 10107),
    ],
)
def test_who_is_down_refuses_nothing(error: Exception) -> None:
    assert refusal(error) is None
    assert in_words(error)


def test_each_trouble_is_told_once_until_all_is_well() -> None:
    told = Reported()
    login = Refusal("the login")

    assert [told.is_new(why) for why in ("refused", "timed out", login, login, "reset")] == [
        True,
        False,
        True,
        False,
        False,
    ]
    assert told.is_new(Refusal("a permission"))
    assert told.end()
    assert not told.end()
    assert told.is_new(login)


def test_a_refusal_is_an_outage_and_a_missing_exchange_is_none() -> None:
    """The one uses up no attempt; the other would go on for ever."""
    refused = raised_from(PublishError("…"), amqp.AccessRefused("ACCESS_REFUSED - …", PUBLISH))
    missing = raised_from(Unroutable("…"), amqp.NotFound("NOT_FOUND - no exchange", PUBLISH))

    assert is_outage(refused)
    assert is_outage(OperationFailure("Authentication failed.", 18))
    assert is_outage(OperationFailure("not authorized", 13))
    assert not is_outage(missing)
    assert not is_outage(OperationFailure("Document failed validation", 121))
