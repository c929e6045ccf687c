"""The settings of traces: OpenTelemetry's own variables, and where a trace can be looked at.

The SDK reads its variables itself, and goes on without one that it cannot use. Here a wrong one
stops the start, as every setting does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from environs import ValidationError

from ordersite.environment import DECLARED, between, env, one_of, setting
from ordersite.urls_in_settings import url_without_query, web_url
from runtime.tracing import sampling
from runtime.tracing.link import PLACEHOLDER
from runtime.tracing.sampling import Sampler

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES_ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
MOST_SPANS = 1_000_000


def are_on() -> bool:
    """Whether a collector is set; then after a check of each variable that the SDK reads.

    Raises:
        InvalidSetting: one of them cannot be used.
    """
    collector = setting(
        env.str, ENDPOINT, default="", validate=collector_url, example="http://localhost:4318"
    )
    traces = setting(
        env.str,
        TRACES_ENDPOINT,
        default="",
        validate=web_url,
        example="http://localhost:4318/v1/traces",
    )
    is_disabled = setting(env.bool, "OTEL_SDK_DISABLED", default=False, example="true")
    if is_disabled or not (collector or traces):
        return False
    for scope in ("", "TRACES_"):
        _check_exporter(f"OTEL_EXPORTER_OTLP_{scope}")
    _check_batches()
    _hand_over_files()
    return True


def sampler() -> Sampler:
    """Which traces are recorded, where a collector is set. Raises InvalidSetting."""
    name = setting(
        env.str,
        "OTEL_TRACES_SAMPLER",
        default="parentbased_always_on",
        validate=one_of(*sampling.NAMES),
        example="parentbased_traceidratio",
    )
    share = setting(
        env.float, "OTEL_TRACES_SAMPLER_ARG", default=1.0, validate=share_of_all, example="0.01"
    )
    return sampling.sampler_of(name, share)


def trace_url() -> str:
    """The address of a trace's page, with `PLACEHOLDER` in it; empty where there is none."""
    return str(
        setting(
            env.str,
            "TRACE_URL",
            default="",
            validate=url_of_traces,
            example="https://tempo.example.com/trace/{trace_id}",
        )
    )


def _check_exporter(prefix: str) -> None:
    setting(
        env.str,
        f"{prefix}PROTOCOL",
        default="http/protobuf",
        validate=one_of("http/protobuf"),
        example="http/protobuf",
    )
    setting(
        env.str,
        f"{prefix}COMPRESSION",
        default="none",
        validate=one_of("none", "gzip", "deflate"),
        example="gzip",
    )
    setting(env.float, f"{prefix}TIMEOUT", default=10, validate=between(0.001, 3_600), example="10")
    setting(env.str, f"{prefix}HEADERS", default="", example="authorization=Bearer%20…")
    for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"):
        setting(
            env.str,
            f"{prefix}{name}",
            default="",
            validate=file_that_is_there,
            example="/etc/ssl/otel.pem",
        )


def _hand_over_files() -> None:
    """The SDK knows the environment alone: what a file has for it, such as a token, goes there."""
    for name in DECLARED:
        if name.startswith("OTEL_") and f"{name}_FILE" in os.environ:
            os.environ[name] = env.str(name)


def _check_batches() -> None:
    """How the SDK gathers spans, in milliseconds and in spans."""
    for name in ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT"):
        setting(env.int, name, default=5_000, validate=between(1, 3_600_000), example="5000")
    queue = setting(
        env.int,
        "OTEL_BSP_MAX_QUEUE_SIZE",
        default=2048,
        validate=between(1, MOST_SPANS),
        example="2048",
    )
    setting(
        env.int,
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        default=min(512, queue),
        validate=[between(1, MOST_SPANS), at_most(queue)],
        example=str(min(512, queue)),
    )


def at_most(maximum: int) -> Callable[[int], None]:
    def validate(value: int) -> None:
        if value > maximum:
            raise ValidationError(f"{value} is more than OTEL_BSP_MAX_QUEUE_SIZE, {maximum}.")

    return validate


def share_of_all(value: float) -> None:
    """A validator: a part of all, from 0 to 1."""
    if not 0 <= value <= 1:  # also refuses NaN
        raise ValidationError(f"{value:g} is not between 0 and 1.")


def file_that_is_there(path: str) -> None:
    """A validator: a file that can be read; empty is none."""
    if path and not Path(path).is_file():
        raise ValidationError(f"there is no file {path}.")


def url_of_traces(value: str) -> None:
    """A validator: the address of a page, with the place of the trace's id in it; or empty."""
    if value and PLACEHOLDER not in value:
        raise ValidationError(f"it has no {PLACEHOLDER}, which stands for the trace's id.")
    url = value.replace(PLACEHOLDER, "0" * 32)
    if "{" in url or "}" in url:
        raise ValidationError(f"it has a brace beside {PLACEHOLDER}: write it as %7B or %7D.")
    # A page may have its address behind a #.
    web_url(url.replace("#", "/"))


def collector_url(value: str) -> None:
    """A validator: an address that the SDK puts the path of traces behind; or empty."""
    if value:
        url_without_query(value)
