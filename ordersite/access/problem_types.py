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
KEY_MADE_BEFORE = ProblemType(
    "key-made-before",
    409,
    "The request has made its key before",
    "A request to make a key was sent again with its Idempotency-Key. It made one key, whose "
    "secret was shown then and is not stored.",
    "Rotate that key if nobody has its secret; send another Idempotency-Key for a further key.",
    "The key was not made. Idempotency-Key: has made a key before, whose secret was shown then. "
    "Rotate that key if nobody has its secret (GET /api-keys lists it); send another "
    "Idempotency-Key for a further one.",
    (
        {
            "field": "Idempotency-Key",
            "detail": "has made a key before, whose secret was shown then",
            "fix": "Rotate that key if nobody has its secret (GET /api-keys lists it); send "
            "another Idempotency-Key for a further one.",
        },
    ),
)
