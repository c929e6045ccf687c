"""The pseudonym in a message's body and headers, and in what is told of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from messaging.adapters.py_amqp import decode_table, encode_table
from runtime.personal_data import Person, scrubbed, scrubbed_as_user, scrubbed_text


def without_reason(body: bytes) -> bytes:
    """A cancellation's body without the customer's words; all of it goes where it is not JSON."""
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return b""
    if not isinstance(decoded, dict) or decoded.pop("reason", None) is None:
        return body
    return json.dumps(decoded, ensure_ascii=False).encode("utf-8", "surrogatepass")


def scrubbed_body(body: bytes, person: Person) -> bytes:
    """A body's JSON with the pseudonym; or its text, where it is not JSON."""
    try:
        decoded = json.loads(body)
    except (ValueError, RecursionError):
        return _in_text(body, scrubbed_text, person)
    return json.dumps(scrubbed(decoded, person), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def scrubbed_foreign_body(body: bytes, person: Person) -> bytes:
    """The same of a body that names no user of ours, to the byte where it is JSON: there a number
    that it does not tell as a user's is a quantity or a price, and stays.
    """
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return _in_text(body, scrubbed_text, person)
    return body_as_user(body, person)


def body_as_user(body: bytes, person: Person) -> bytes:
    """The body with the pseudonym where the number is told as a user's."""
    return _in_text(body, scrubbed_as_user, person)


def _in_text(body: bytes, scrub: Callable[[str, Person], str], person: Person) -> bytes:
    text = body.decode("utf-8", "surrogateescape")
    return scrub(text, person).encode("utf-8", "surrogateescape")


def scrubbed_json(text: str, person: Person) -> str:
    """JSON text, in which a text may be JSON again, as the body that an edit changed."""
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        return scrubbed_text(text, person)
    if isinstance(decoded, dict):
        decoded = {
            name: scrubbed_text_in(name, each, person) if _is_json(each) else scrubbed(each, person)
            for name, each in scrubbed({"": decoded}, person)[""].items()
        }
    else:
        decoded = scrubbed(decoded, person)
    return json.dumps(decoded, ensure_ascii=False)


def scrubbed_text_in(name: str, text: str, person: Person) -> str:
    """JSON text under a name; a message's body also loses the words of a cancellation."""
    if name == "body":
        wordless = without_reason(text.encode("utf-8", "surrogatepass"))
        text = wordless.decode("utf-8", "surrogatepass") or text
    return scrubbed_json(text, person)


def _is_json(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("{")


def scrubbed_table(table: bytes | None, person: Person) -> bytes | None:
    """The message's headers in AMQP's own form; None where they cannot be written again."""
    if table is None:
        return None
    try:
        return encode_table(scrubbed(decode_table(bytes(table)), person))
    except Exception:
        # It was a publisher's; the same headers are kept as JSON, too.
        return None
