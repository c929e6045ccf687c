"""One attempt: the request to an endpoint, and what came of it."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from django.conf import settings
from msgspec import Struct

from runtime.checked_connection import CheckedConnection
from runtime.signed_webhook import signed_headers
from runtime.terminal import printable
from webhooks.addresses import fault_of
from webhooks.retry_after import moment_of

#: For name, connection, TLS, request and answer together.
ANSWER_SECONDS = 10
#: Of the answer, in the log of deliveries.
MOST_ANSWER_CHARACTERS = 1_000
MOST_ERROR_CHARACTERS = 300

#: An endpoint that took longer for an answer is a slow one.
QUICK_MILLISECONDS = 1_000

GONE = 410
#: Answers whose Retry-After counts: too many requests, and down for a while.
ASKED_LATER = (429, 503)


class Sent(Struct, frozen=True):
    """One attempt, as the log of deliveries has it."""

    at: datetime
    milliseconds: int
    #: The request's header fields.
    headers: Mapping[str, str]
    #: None where there was no answer; `error` says why.
    status: int | None
    #: The first bytes of the answer's body.
    answer: str = ""
    error: str = ""
    #: Before then the receiver does not want to be asked again; None: it did not say.
    not_before: datetime | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_slow(self) -> bool:
        return self.milliseconds > QUICK_MILLISECONDS

    @property
    def is_gone(self) -> bool:
        """Whether the endpoint says that it wants nothing any more."""
        return self.status == GONE

    @property
    def in_words(self) -> str:
        return self.error or f"it answered {self.status}"

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "at": self.at,
            "milliseconds": self.milliseconds,
            "headers": json.dumps(dict(self.headers)),
            "status": self.status,
            "answer": self.answer,
            "error": self.error,
        }


def send(
    url: str,
    message_id: str,
    body: str,
    secrets: Sequence[str],
    now: datetime,
    further: Mapping[str, str] | None = None,
) -> Sent:
    """POST the body to the endpoint; whatever goes wrong is in what is returned.

    Args:
        secrets: that sign it, the newest first.
        now: the attempt's time, by MongoDB's clock.
        further: header fields beside those that every request has.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"ordersite/{settings.RELEASE}",
        **(further or {}),
        **signed_headers(message_id, now, body, secrets),
    }
    began = time.monotonic()
    status, answer, error, retry_after = None, "", "", None
    try:
        status, read, retry_after = CheckedConnection(url, ANSWER_SECONDS, fault_of).post(
            body.encode(), headers
        )
        answer = readable(read)
        if 300 <= status < 400:
            error = f"it answered {status}; redirects are not followed, so correct the URL"
    except (OSError, HTTPException, ValueError) as failure:
        error = in_words(failure)
    milliseconds = round((time.monotonic() - began) * 1000)
    answered_at = now + timedelta(milliseconds=milliseconds)
    not_before = moment_of(retry_after, answered_at) if status in ASKED_LATER else None
    return Sent(now, milliseconds, headers, status, answer, error, not_before)


def readable(read: bytes) -> str:
    return printable(read.decode(errors="replace")[:MOST_ANSWER_CHARACTERS])


def in_words(failure: Exception) -> str:
    """Why there was no answer, for the endpoint's owner."""
    if isinstance(failure, TimeoutError):
        return f"no whole answer within {ANSWER_SECONDS} s"
    if isinstance(failure, socket.gaierror):
        return "its name cannot be looked up"
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {failure.verify_message}"
    text = readable(str(failure).encode(errors="replace")).replace("\n", " ")
    return (text or type(failure).__name__)[:MOST_ERROR_CHARACTERS]
