"""What clients are told of the pipeline."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from msgspec import Meta


class ConservationLine(TypedDict):
    """Where a service's accepted orders are; every number counts orders."""

    service: str
    accepted: int
    done: int
    inFlight: int
    retrying: int
    failed: int
    discarded: int
    unaccounted: int
    orders: Annotated[list[str], Meta(description="Some that are unaccounted for.")]


class Conservation(TypedDict):
    """Whether every order is accounted for, and a line for each service."""

    conserved: bool
    lines: list[ConservationLine]


class HealthCheck(TypedDict):
    """One thing that must be there."""

    name: str
    status: Literal["ok", "missing"]
    detail: str
    nextStep: NotRequired[str]


class Readiness(TypedDict):
    """Whether every part of the pipeline is there; the checks with the scope `pipeline:read`."""

    status: Literal["ready", "not ready"]
    checks: NotRequired[list[HealthCheck]]


class Live(TypedDict):
    """This process answers."""

    status: Literal["live"]


class Serving(TypedDict):
    """Whether this process can take an order."""

    status: Literal["serving", "not serving"]
