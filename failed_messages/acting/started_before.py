"""A bulk act that is asked for twice, as by a double click, is started once."""

from __future__ import annotations


class StartedBefore(Exception):
    """The bulk replay or bulk discard of this id was started by an earlier call."""
