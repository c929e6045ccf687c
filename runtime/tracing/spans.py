"""Spans, for those who have something to record; the SDK is imported where there is one to begin.

Nothing here may be called where `is_on()` is false: the site then works without the SDK.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

from runtime.tracing.context import TraceContext, current

if TYPE_CHECKING:
    from opentelemetry.trace import Span

Attributes = Mapping[str, str | bool | int | float]
NOTHING: Attributes = {}


class Link(NamedTuple):
    """Another span that led to one."""

    context: TraceContext
    #: What is said of it.
    attributes: Attributes = NOTHING


class Kind(Enum):
    """By the SDK's names."""

    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"
    INTERNAL = "INTERNAL"


def is_on() -> bool:
    """Whether a collector is set."""
    is_on: bool = settings.TRACES_ARE_ON
    return is_on


def begin(
    name: str,
    kind: Kind,
    parent: TraceContext | None,
    attributes: Attributes,
    links: Sequence[Link] = (),
) -> TraceContext:
    """Begin a span that is recorded; `end` has to be called.

    Args:
        parent: the span that it is a part of; None where it begins a trace.
        links: other spans that led to it.
    """
    from runtime.tracing import sdk

    return sdk.begin(name, kind.value, parent, attributes, links)


def end(here: TraceContext, error: BaseException | None = None) -> None:
    """End a span; `error` is what it failed with."""
    from runtime.tracing import sdk

    span: Span = here.span
    if error is not None:
        sdk.fail(span, error)
    span.end()


def stop() -> None:
    """Send what this process has recorded, for at most 2 s; also where nothing is recorded."""
    if sdk := sys.modules.get("runtime.tracing.sdk"):
        sdk.stop()


def as_it_is(error: BaseException) -> BaseException:
    return error


@contextmanager
def span(
    name: str,
    kind: Kind,
    parent: TraceContext | None,
    attributes: Attributes,
    links: Sequence[Link] = (),
    cause: Callable[[BaseException], BaseException] = as_it_is,
) -> Iterator[TraceContext]:
    """A span around the block, and the current one inside; see `begin`.

    Args:
        cause: what the span failed with, by what the block raises.
    """
    here = begin(name, kind, parent, attributes, links)
    token = current.set(here)
    try:
        yield here
    except BaseException as error:
        end(here, cause(error))
        raise
    else:
        end(here)
    finally:
        current.reset(token)


def note(attributes: Attributes) -> None:
    """Add attributes to the span that is recorded here, where there is one."""
    here = current.get()
    if here is not None and here.span is not None:
        from runtime.tracing import sdk

        here.span.set_attributes(sdk.legible(attributes))
