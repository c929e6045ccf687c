"""The public keys that an issuer signs access tokens with (JWKS, RFC 7517), fetched and kept."""

from __future__ import annotations

import json
import logging
import time
from http.client import HTTPException, HTTPResponse
from threading import Lock
from typing import Any
from urllib.request import Request, urlopen

from jwt import PyJWK, PyJWKSet, PyJWTError

logger = logging.getLogger(__name__)

#: After so long they are fetched again, so that one that the issuer removed is no longer accepted …
LIFETIME_SECONDS = 300.0
#: … and sooner where a token names an unknown one: the issuer may have begun to use another.
LEAST_SECONDS_BETWEEN = 10.0
#: While the issuer does not answer, those of before are good for so long.
MOST_SECONDS = 3_600.0
ANSWER_SECONDS = 3.0
MOST_BYTES = 1_000_000
PIECE_BYTES = 65_536


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had at the moment."""


class SigningKeys:
    """The keys of one address."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, PyJWK] = {}
        #: On `time.monotonic`'s clock; long ago for never.
        self._fetched_at = self._asked_at = float("-inf")
        self._lock = Lock()

    def get(self, key_id: str) -> PyJWK | None:
        """The key with this id; None where the issuer has none.

        Raises:
            KeysUnavailable: there are none, or too old ones, and the issuer does not answer.
        """
        is_known = key_id in self._keys
        # Whose key is known does not wait while another request fetches the keys.
        if self._is_to_be_asked(key_id) and self._lock.acquire(blocking=not is_known):
            try:
                if self._is_to_be_asked(key_id):
                    self._fetch()
            finally:
                self._lock.release()
        if time.monotonic() - self._fetched_at > MOST_SECONDS:
            raise KeysUnavailable
        return self._keys.get(key_id)

    def _is_to_be_asked(self, key_id: str) -> bool:
        now = time.monotonic()
        if now - self._asked_at < LEAST_SECONDS_BETWEEN:
            return False
        return key_id not in self._keys or now - self._fetched_at > LIFETIME_SECONDS

    def _fetch(self) -> None:
        """Replace the keys by those that there are now; keep them where there is no answer."""
        try:
            self._keys = usable(ask(self._url))
        except (OSError, HTTPException, ValueError, RecursionError, PyJWTError) as error:
            logger.error("%s does not tell the keys of access tokens: %s", self._url, error)
        else:
            self._fetched_at = time.monotonic()
        # Only now: who needs the first keys waits for them until then.
        self._asked_at = time.monotonic()


def ask(url: str) -> dict[str, Any]:
    """What the address answers.

    Raises:
        OSError, HTTPException: it does not, or not in time: others wait for it.
        ValueError: it is not a JSON object, too long, or from an address without TLS.
    """
    ends_at = time.monotonic() + ANSWER_SECONDS
    request = Request(url, headers={"Accept": "application/json"})  # noqa: S310 - a setting
    with urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
        if url.startswith("https:") and not response.url.startswith("https:"):
            raise ValueError("it leads to an address without TLS")
        answer = json.loads(read_until(response, ends_at))
    if not isinstance(answer, dict):
        raise ValueError("the answer is not a JSON object")
    return answer


def read_until(response: HTTPResponse, ends_at: float) -> bytes:
    """The whole body. Each byte may come in time, and all of them too late.

    Raises:
        TimeoutError: it is past `ends_at`, on `time.monotonic`'s clock.
        ValueError: it is too long.
    """
    read = bytearray()
    while piece := response.read1(PIECE_BYTES):
        read += piece
        if len(read) > MOST_BYTES:
            raise ValueError(f"the answer has more than {MOST_BYTES:,} bytes")
        if time.monotonic() > ends_at:
            raise TimeoutError("the answer did not come in time")
    return bytes(read)


def usable(answer: dict[str, Any]) -> dict[str, PyJWK]:
    """The keys by their ids; others are for encryption, or cannot be told apart.

    Raises:
        PyJWTError: there is no key.
    """
    keys = [each for each in PyJWKSet.from_dict(answer) if each.public_key_use in (None, "sig")]
    return {each.key_id: each for each in keys if each.key_id}
