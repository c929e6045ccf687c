"""Which of two releases is the later one."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version


def is_at_least(release: str, fixed_in: str) -> bool:
    """Whether `release` has what `fixed_in` fixed.

    Names that are not version numbers (PEP 440), as a commit's, have no order: there only the
    very same release counts.
    """
    try:
        return Version(release) >= Version(fixed_in)
    except InvalidVersion:
        return release == fixed_in
