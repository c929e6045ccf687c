"""Which releases of a library an adapter was tried with.

An adapter is the one file in which names of a library are used that the library does not document,
and which any release of it may change. With a release that was not tried, the library's own,
documented way is taken instead.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version

from packaging.specifiers import SpecifierSet

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tried:
    """The releases of one library that its adapter was tried with."""

    #: Its name on PyPI.
    library: str
    #: As requirements name them, e.g. `==5.4.2`.
    releases: str
    #: What its own way means for the operator.
    own_way: str

    @cached_property
    def is_installed(self) -> bool:
        """Whether the release that is installed is one of them."""
        return SpecifierSet(self.releases).contains(version(self.library), prereleases=True)

    def warn(self) -> None:
        """Warn in the log where it is not; call it once in a process, when it has a log."""
        if not self.is_installed:
            logger.warning(
                "%s %s is installed, and the adapter was tried with %s: %s. "
                "Install %s%s, or try the new release and name it in the adapter.",
                self.library,
                version(self.library),
                self.releases,
                self.own_way,
                self.library,
                self.releases,
            )
