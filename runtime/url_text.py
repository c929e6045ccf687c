"""Checks of a URL in a setting."""

from __future__ import annotations

WRONG_HOST = "each part of a host between its dots has 1 to 63 characters"


def check_characters(url: str) -> None:
    """Raises ValueError: it holds what was pasted beside it, as a blank or a line break."""
    if any(each.isspace() or not each.isprintable() for each in url):
        raise ValueError("it holds a blank, a line break or a control character.")


def check_host(host: str) -> None:
    """Raises ValueError: no name server can be asked for it.

    Python says so by an error of its own, beside all that says that there is no such host; it would
    end whoever connects.
    """
    try:
        host.encode("idna")
    except UnicodeError:
        raise ValueError(f"{WRONG_HOST}.") from None
