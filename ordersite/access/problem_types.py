"""The kinds of problems with API keys."""

from __future__ import annotations

from runtime.requests.problem_type import ProblemType

KEY_ENDED = ProblemType(
    "key-ended",
    409,
    "The key has ended",
    "A key that is revoked, expired or rotated already is not rotated.",
    "Create a new key, or rotate the one that followed.",
    "The key was not made. key: is revoked; create another one. Send POST /api-keys.",
    (
        {
            "field": "key",
            "detail": "is revoked; create another one",
            "fix": "Send POST /api-keys.",
        },
    ),
)
