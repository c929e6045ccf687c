"""A body that ended early. Its part may be valid, but is not what the client meant."""

from __future__ import annotations

from runtime.requests.problem_types import MALFORMED_REQUEST
from runtime.requests.refusal import Fault, Refusal


class Truncated(Refusal):
    """The client hung up before it had sent as many bytes as it had declared."""

    def __init__(self) -> None:
        fault = Fault(
            field="body",
            detail="must be as long as its Content-Length, and ended before",
            fix="Send the whole body.",
        )
        super().__init__("The request was not read", [fault], MALFORMED_REQUEST)
