"""The kinds of problems with API keys."""

from __future__ import annotations

from runtime.requests.problem_type import ProblemType

KEY_ENDED = ProblemType(
    "key-ended",
    409,
    "The key has ended",
    "A key that is revoked, expired or already rotated cannot be rotated.",
    "Create a new key, or rotate its successor.",
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
    "The request has already made a key",
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
ABOVE_OWN_KEY = ProblemType(
    "above-own-key",
    403,
    "The key would be allowed more than your own",
    "A key that makes or rotates another key cannot give it a longer life or a higher rate than "
    "its own.",
    "Ask for less, or use a key that lives longer or has a higher rate.",
    "The key was not made. requestsPerSecond: must not have more requests a second than your own "
    "key, 20. Send fewer, or use a key that has more.",
    (
        {
            "field": "requestsPerSecond",
            "detail": "must not have more requests a second than your own key, 20",
            "fix": "Send fewer, or use a key that has more.",
            "pointer": "#/requestsPerSecond",
        },
    ),
)
