"""RabbitMQ's management HTTP API, as an operator asks it. https://www.rabbitmq.com/docs/management"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.request import Request, urlopen

GUEST = base64.b64encode(b"guest:guest").decode()
ANSWER_SECONDS = 10


class Management:
    """The API of one node."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, path: str) -> Any:
        """The answer's JSON.

        Raises:
            OSError: no answer, or one that is an error.
        """
        return json.loads(self._ask("GET", path))

    def put(self, path: str) -> None:
        self._ask("PUT", path)

    def post(self, path: str, body: Any) -> None:
        self._ask("POST", path, json.dumps(body).encode())

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = Request(self._url + path, body, method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("Authorization", f"Basic {GUEST}")
        with urlopen(request, timeout=ANSWER_SECONDS) as response:
            answer: bytes = response.read()
        return answer
