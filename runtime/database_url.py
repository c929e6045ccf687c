"""MONGODB_URL in its parts: it may name several hosts, which `urlsplit` alone may refuse."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

LOGIN_AND_HOSTS = re.compile(r"(?<=://)[^/?#]*")


def split(url: str) -> SplitResult:
    """As `urlsplit` does, with whatever stands for the login and the hosts as `netloc`."""
    found = LOGIN_AND_HOSTS.search(url)
    # Since Python 3.13.2 and 3.11.12 it refuses "one,[::1]".
    parts = urlsplit(LOGIN_AND_HOSTS.sub("hosts", url, count=1))
    return parts._replace(netloc=found[0] if found else "")
