"""The pseudonym replaces a person's number, and no other number."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from failed_messages.personal_data.scrubbing import scrubbed_body
from runtime.personal_data import Person, scrubbed, scrubbed_as_user, scrubbed_text

PERSON = Person(user_id=101, pseudonym=2**52 + 7, until=datetime.now(UTC))
NAME = str(PERSON.pseudonym)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("no card of user 101", f"no card of user {NAME}"),
        ("user=101;", f"user={NAME};"),
        ("101", NAME),
        ("import:101:ref", f"import:{NAME}:ref"),
        (
            "1010 and 2101 and 101.50 and 3.101 and x101",
            "1010 and 2101 and 101.50 and 3.101 and x101",
        ),
    ],
)
def test_in_words_each_number_that_is_the_users_gives_way(before: str, after: str) -> None:
    assert scrubbed_text(before, PERSON) == after


def test_in_a_document_what_stands_in_the_users_place_does() -> None:
    order = {"userId": 101, "items": [{"sku": "a", "quantity": 101}], "note": "for 101"}

    assert scrubbed(order, PERSON) == {
        "userId": PERSON.pseudonym,
        "items": [{"sku": "a", "quantity": 101}],
        "note": f"for {NAME}",
    }
    assert scrubbed({"userId": "101"}, PERSON) == {"userId": NAME}
    assert scrubbed({"userId": 102}, PERSON) == {"userId": 102}


@pytest.mark.parametrize("body", [b"\xff user 101", b"{", b"", b'{"userId": 101', b"[" * 5_000])
def test_a_body_that_is_no_json_is_text(body: bytes) -> None:
    expected = body.replace(b"101", NAME.encode())

    assert scrubbed_body(body, PERSON) == expected


def test_a_body_stays_what_its_handler_reads() -> None:
    body = json.dumps({"orderId": "a", "userId": 101, "total": "101.00"}).encode()

    assert json.loads(scrubbed_body(body, PERSON)) == {
        "orderId": "a",
        "userId": PERSON.pseudonym,
        "total": "101.00",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("billing, user 101: error", f"billing, user {NAME}: error"),
        ("User id 101", f"User id {NAME}"),
        ('"userId": 101', f'"userId": {NAME}'),
        (r"{\"user_id\": \"101\"}", rf"{{\"user_id\": \"{NAME}\"}}"),
        ("customer's number 101", f"customer's number {NAME}"),
        ("Printer paper, 101 sheets", "Printer paper, 101 sheets"),
        ("user 1010, user 101.5, superuser 101", "user 1010, user 101.5, superuser 101"),
    ],
)
def test_what_is_told_as_a_users_number_gives_way_and_no_other(before: str, after: str) -> None:
    assert scrubbed_as_user(before, PERSON) == after
