"""The errors of starting the system on a machine.

LocalServiceError
├── ServiceFailed      a service did not start, or ended by itself
├── NoFreePort         every port of our range is taken
├── NotInstalled       a program is missing and could not be installed
└── AlreadyRunning     this folder's pipeline runs already
"""

from __future__ import annotations


class LocalServiceError(Exception):
    """Anything that keeps the system from running; its text says what to do next."""


class ServiceFailed(LocalServiceError):
    """A service did not start, or ended by itself."""


class NoFreePort(LocalServiceError):
    """Every port of our range is taken."""


class NotInstalled(LocalServiceError):
    """A program is missing and could not be installed."""


class AlreadyRunning(LocalServiceError):
    """This folder's pipeline runs already."""
