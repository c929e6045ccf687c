"""Which traces are recorded, by OpenTelemetry's own variables.

The SDK would draw an id and build a result for each request to find out that it is not recorded,
which takes longer than 3 % of an order. A random number takes a hundredth of that.
"""

from __future__ import annotations

from random import random
from typing import NamedTuple

from runtime.tracing.context import TraceContext

#: Of `OTEL_TRACES_SAMPLER`: which share is recorded, None where `OTEL_TRACES_SAMPLER_ARG` says it.
SHARES = {"always_on": 1.0, "always_off": 0.0, "traceidratio": None}
BY_PARENT = "parentbased_"
NAMES = (*SHARES, *(f"{BY_PARENT}{name}" for name in SHARES))


class Sampler(NamedTuple):
    """Decides where a trace enters the site; whatever belongs to it afterwards follows it."""

    #: Of the traces that begin here, from 0 to 1.
    share: float
    #: Whether a caller's trace is recorded if the caller records it.
    by_parent: bool

    def samples(self, parent: TraceContext | None) -> bool:
        """Whether a trace that comes in is recorded, or one that begins here.

        Args:
            parent: the caller's span; None where the trace begins here.
        """
        if parent is not None and self.by_parent:
            return parent.is_sampled
        return random() < self.share  # noqa: S311


def sampler_of(name: str, share: float) -> Sampler:
    """Args:
    name: one of `NAMES`.
    share: what `OTEL_TRACES_SAMPLER_ARG` says; only a `traceidratio` uses it.
    """
    fixed = SHARES[name.removeprefix(BY_PARENT)]
    return Sampler(share if fixed is None else fixed, name.startswith(BY_PARENT))
