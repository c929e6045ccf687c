"""The message that a developer gets when everything runs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from urllib.error import HTTPError, URLError

from localservices.direct import urlopen

READY_SECONDS = 180
POLL_SECONDS = 0.5
ANSWER_SECONDS = 5


def welcome(settings: Mapping[str, str]) -> str:
    """Wait until the whole pipeline is ready, and return what to print: addresses and commands.

    After `READY_SECONDS` the text says what is missing instead.
    """
    web = f"http://localhost:{settings['WEB_PORT']}"
    deadline = time.monotonic() + READY_SECONDS
    missing = what_is_missing(web)
    while missing and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        missing = what_is_missing(web)
    if missing:
        return f"\nNot ready after {READY_SECONDS} seconds:\n{missing}\n"
    return table(web, settings)


def what_is_missing(web: str) -> str:
    """Ask the site whether everything is there; the answer is empty when it is."""
    try:
        with urlopen(f"{web}/health/ready", timeout=ANSWER_SECONDS):
            return ""
    except HTTPError as error:
        return _missing_checks(error.read())
    except (URLError, OSError) as error:
        return f"  the web server does not answer: {error}"


def table(web: str, settings: Mapping[str, str]) -> str:
    """The addresses with their logins, and the commands to try."""
    rows = [
        ("Shop", f"{web}/", ""),
        ("API", f"{web}/orders", ""),
        ("Admin", f"{web}/admin/", "admin / admin"),
    ]
    if management := settings.get("RABBITMQ_MANAGEMENT_URL"):
        rows.append(("RabbitMQ", management, "guest / guest"))
    lines = [f"  {name:<10}{address:<34}{login}".rstrip() for name, address, login in rows]
    order = '{"userId": 101, "items": ["book", "pen"]}'
    failing = '{"userId": 500, "items": ["lamp"]}'
    return "\n".join(
        [
            "",
            "The pipeline runs. Ctrl-C stops it; its data stay in .local/.",
            "",
            *lines,
            "",
            "Place an order, and read it with the orderId of the answer:",
            "",
            f"  curl -X POST {web}/orders -H \"Content-Type: application/json\" -d '{order}'",
            f"  curl {web}/orders/ORDER_ID",
            "",
            "See one fail: billing fails for user 500 until you remove the fault in the admin.",
            "Retries wait for seconds here, for minutes in production (RETRY_DELAYS_SECONDS).",
            "",
            f"  curl -X POST {web}/orders -H \"Content-Type: application/json\" -d '{failing}'",
            "",
        ]
    )


def _missing_checks(body: bytes) -> str:
    try:
        checks = json.loads(body)["checks"]
    except (ValueError, KeyError, TypeError):
        return f"  /health/ready answers {body[:200]!r}"
    return "\n".join(
        f"  {check['name']}: {check['detail']}" for check in checks if check["status"] != "ok"
    )
