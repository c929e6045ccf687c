"""The answer to an invalid key or token."""

from __future__ import annotations

from runtime.requests.caller import Unauthenticated, bearer_challenge


def refused(why: str) -> Unauthenticated:
    """401 that says why; `why` has no text of the client's."""
    return Unauthenticated(
        f"The key was not taken: {why}.",
        bearer_challenge(error="invalid_token", error_description=why),
    )
