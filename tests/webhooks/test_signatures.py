"""What is sent is signed as Standard Webhooks says: any library of its verifies it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from runtime.signed_webhook import new_secret, signed_headers
from webhooks.message_ids import message_id_of

BODY = '{"type":"order.placed","orderId":"674300000000000000000001","reason":"ü"}'
ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W"


def now() -> datetime:
    return datetime.now(UTC)


def test_the_vector_of_the_specifications_own_libraries() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        at,
        '{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_example_of_the_specification_is_signed_as_its_text_says() -> None:
    """`{msg_id}.{timestamp}.{payload}`, HMAC-SHA256 with the secret's bytes, base64."""
    body = (
        '{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z",'
        '"data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}'
    )
    secret = new_secret()

    headers = signed_headers(ID, datetime.fromtimestamp(1674087231, UTC), body, [secret])

    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{ID}.1674087231.{body}".encode(), hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_the_library_verifies_what_is_sent() -> None:
    secret = new_secret()

    headers = signed_headers(ID, now(), BODY, [secret])

    assert Webhook(secret).verify(BODY.encode(), headers) == json.loads(BODY)


@pytest.mark.parametrize("other", [BODY + " ", BODY.replace("1", "2")])
def test_it_refuses_another_body(other: str) -> None:
    secret = new_secret()
    headers = signed_headers(ID, now(), BODY, [secret])

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(other, headers)


def test_while_a_rotation_lasts_either_secret_verifies() -> None:
    new, old, other = new_secret(), new_secret(), new_secret()

    headers = signed_headers(ID, now(), BODY, [new, old])

    for secret in (new, old):
        assert Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)


def test_a_secret_is_as_the_specification_wants_it() -> None:
    secret = new_secret()

    assert secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64
    assert secret != new_secret()


@pytest.mark.parametrize(
    "order_id", ["674300000000000000000001", "a.b.1674087231.{}", "ü\n", "x" * 100]
)
def test_an_events_id_is_always_the_same_and_has_no_full_stop(order_id: str) -> None:
    id_ = message_id_of("order.placed", order_id)

    assert id_ == message_id_of("order.placed", order_id)
    assert id_ != message_id_of("order.confirmed", order_id)
    assert id_.removeprefix("msg_").isalnum()
