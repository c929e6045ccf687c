"""RabbitMQ's management HTTP API, as an operator asks it. https://www.rabbitmq.com/docs/management"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.request import Request, urlopen

GUEST = base64.b64encode(b"guest:guest").decode()
ANSWER_SECONDS = 60


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

    def put(self, path: str, content: Any = None) -> None:
        self._ask("PUT", path, None if content is None else json.dumps(content).encode())

    def post(self, path: str, content: Any) -> None:
        self._ask("POST", path, json.dumps(content).encode())

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        request = Request(self._url + path, content, method=method)
        request.add_header("Authorization", f"Basic {GUEST}")
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=ANSWER_SECONDS) as response:
            answer: bytes = response.read()
        return answer
